/*
 * The necessary work of a tree hash and no more.
 *
 *     hash FILE
 */
#include "limit.h"

static int file;
static long size;
static digest *leaves;
static atomic_long next;

static void *work(void *nothing) {
  (void)nothing;
  unsigned char *bytes = malloc(MIB);
  for (long start; (start = atomic_fetch_add(&next, MIB)) < size;) {
    long length = size - start < MIB ? size - start : MIB;
    read_all(file, bytes, length, start);
    SHA256(bytes, length, leaves[start / MIB]);
  }
  return NULL;
}

int main(int count, char **arguments) {
  if (count < 2) return 2;
  file = open_file(arguments[1], &size);
  long all = (size + MIB - 1) / MIB;
  leaves = malloc(all * 32);
  in_threads(work);
  char tree[65];
  hex(root(leaves, all), tree);
  finish(tree);
}

/*
 * The necessary work of a download and no more: receive windows, hash them against what was promised, write each MiB at
 * its place.
 *
 *     download PORT FILE SIZE WINDOW_SIZE
 */
#include "limit.h"

static int port, file;
static long size, window_size;
static digest *leaves;
static atomic_long next;

static void *work(void *nothing) {
  (void)nothing;
  unsigned char *bytes = malloc(MIB);
  int connection = dial(port);
  char head[2048], tree[65];
  for (long start; (start = atomic_fetch_add(&next, window_size)) < size;) {
    long length = size - start < window_size ? size - start : window_size;
    digest *own = leaves + start / MIB;
    send_all(connection, head, snprintf(
      head, sizeof head, "GET /-/vaults/bench/jobs/limit/output HTTP/1.1\r\nHost: localhost\r\nRange: bytes=%ld-%ld\r\n\r\n",
      start, start + length - 1
    ));
    read_head(connection, head, sizeof head);
    for (long at = 0; at < length; at += MIB) {
      long some = length - at < MIB ? length - at : MIB;
      if (recv(connection, bytes, some, MSG_WAITALL) != some) die("recv");
      SHA256(bytes, some, own[at / MIB]);
      if (pwrite(file, bytes, some, start + at) != some) die("write");
    }
    tree_hash(own, (length + MIB - 1) / MIB, tree);
    const char *promised = strcasestr(head, "x-amz-sha256-tree-hash: ");
    if (promised == NULL || memcmp(promised + 24, tree, 64) != 0) die("tree hash");
  }
  return NULL;
}

int main(int count, char **arguments) {
  if (count < 5) return 2;
  port = atoi(arguments[1]);
  if ((file = open(arguments[2], O_WRONLY | O_CREAT | O_TRUNC, 0666)) < 0) die(arguments[2]);
  size = atol(arguments[3]);
  window_size = atol(arguments[4]);
  long all = (size + MIB - 1) / MIB;
  leaves = malloc(all * 32);
  char tree[65];
  in_threads(work);
  hex(root(leaves, all), tree);
  if (fsync(file) != 0) die("fsync");
  finish(tree);
}

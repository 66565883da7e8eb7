/*
 * The necessary work of an upload and no more: read, hash each MiB for the tree and the part for the signature, send.
 *
 *     upload PORT FILE PART_SIZE
 */
#include "limit.h"

static int port, file;
static long size, part_size;
static digest *leaves;
static atomic_long next;

static void *work(void *nothing) {
  (void)nothing;
  unsigned char *bytes = malloc(part_size);
  int connection = dial(port);
  char head[2048], tree[65], linear[65];
  for (long start; (start = atomic_fetch_add(&next, part_size)) < size;) {
    long length = size - start < part_size ? size - start : part_size;
    digest *own = leaves + start / MIB, hash;
    SHA256_CTX all;
    SHA256_Init(&all);
    for (long at = 0; at < length; at += MIB) {
      // A MiB at a time, while it is in the cache.
      long some = length - at < MIB ? length - at : MIB;
      read_all(file, bytes + at, some, start + at);
      SHA256(bytes + at, some, own[at / MIB]);
      SHA256_Update(&all, bytes + at, some);
    }
    SHA256_Final(hash, &all);
    hex(hash, linear);
    tree_hash(own, (length + MIB - 1) / MIB, tree);
    send_all(connection, head, snprintf(
      head, sizeof head,
      "PUT /-/vaults/bench/multipart-uploads/limit HTTP/1.1\r\nHost: localhost\r\nContent-Range: bytes %ld-%ld/*\r\n"
      "x-amz-sha256-tree-hash: %s\r\nx-amz-content-sha256: %s\r\nContent-Length: %ld\r\n\r\n",
      start, start + length - 1, tree, linear, length
    ));
    send_all(connection, bytes, length);
    read_head(connection, head, sizeof head);
  }
  return NULL;
}

int main(int count, char **arguments) {
  if (count < 4) return 2;
  port = atoi(arguments[1]);
  file = open_file(arguments[2], &size);
  part_size = atol(arguments[3]);
  long all = (size + MIB - 1) / MIB;
  leaves = malloc(all * 32);
  char head[2048], tree[65];
  int connection = dial(port);
  send_all(connection, head, snprintf(
    head, sizeof head,
    "POST /-/vaults/bench/multipart-uploads HTTP/1.1\r\nHost: localhost\r\nx-amz-part-size: %ld\r\n"
    "Content-Length: 0\r\n\r\n",
    part_size
  ));
  read_head(connection, head, sizeof head);
  in_threads(work);
  hex(root(leaves, all), tree);
  send_all(connection, head, snprintf(
    head, sizeof head,
    "POST /-/vaults/bench/multipart-uploads/limit HTTP/1.1\r\nHost: localhost\r\nx-amz-sha256-tree-hash: %s\r\n"
    "x-amz-archive-size: %ld\r\nContent-Length: 0\r\n\r\n",
    tree, size
  ));
  read_head(connection, head, sizeof head);
  finish(tree);
}

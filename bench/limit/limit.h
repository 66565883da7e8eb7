/* What the programs of the limit share: SHA-256 and the hash tree, a connection, and the line they print. */
#define _GNU_SOURCE
#define OPENSSL_SUPPRESS_DEPRECATED
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB 1048576L
#define THREADS 2

typedef unsigned char digest[32];

static inline void die(const char *what) {
  perror(what);
  exit(1);
}

static inline void hex(const unsigned char *bytes, char *text) {
  for (int i = 0; i < 32; i++) sprintf(text + 2 * i, "%02x", bytes[i]);
}

/* The root of leaves, which it overwrites. */
static inline const unsigned char *root(digest *leaves, long count) {
  for (; count > 1; count = (count + 1) / 2) {
    for (long i = 0; i < count; i += 2) {
      if (i + 1 < count) SHA256(leaves[i], 64, leaves[i / 2]);
      else memmove(leaves[i / 2], leaves[i], 32);
    }
  }
  return leaves[0];
}

/* The same of a copy. */
static inline void tree_hash(digest *leaves, long count, char *text) {
  digest copy[count];
  memcpy(copy, leaves, count * 32);
  hex(root(copy, count), text);
}

static inline int open_file(const char *path, long *size) {
  struct stat stat;
  int file = open(path, O_RDONLY);
  if (file < 0 || fstat(file, &stat) != 0) die(path);
  *size = stat.st_size;
  return file;
}

static inline void read_all(int file, unsigned char *bytes, long length, long at) {
  for (long got = 0; got < length;) {
    ssize_t read = pread(file, bytes + got, length - got, at + got);
    if (read <= 0) die("read");
    got += read;
  }
}

static inline int dial(int port) {
  struct sockaddr_in address = {
    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
  };
  int connection = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0) die("connect");
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return connection;
}

static inline void send_all(int connection, const void *bytes, long length) {
  for (long sent = 0; sent < length;) {
    ssize_t some = send(connection, (const char *)bytes + sent, length - sent, 0);
    if (some <= 0) die("send");
    sent += some;
  }
}

/* Reads the head of a response, byte by byte, so that the body is left in the socket. */
static inline void read_head(int connection, char *head, int room) {
  for (int length = 0; length < room - 1; length++) {
    if (recv(connection, head + length, 1, 0) != 1) die("recv");
    head[length + 1] = 0;
    if (length >= 3 && memcmp(head + length - 3, "\r\n\r\n", 4) == 0) {
      if (head[9] != '2') die(head);
      return;
    }
  }
  die("head");
}

static inline void in_threads(void *(*work)(void *)) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) {
    if (pthread_create(&threads[i], NULL, work, NULL) != 0) die("pthread_create");
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

/* The peak of the memory and the time of the processor, as Linux counts them. */
static inline void finish(const char *tree_hash) {
  char line[256];
  long peak = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status != NULL && fgets(line, sizeof line, status) != NULL) sscanf(line, "VmHWM: %ld", &peak);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  printf("{\"treeHash\":\"%s\",\"rssMB\":%ld,\"processor\":%.2f}\n", tree_hash, peak / 1024, seconds);
}

/*
 * The other end of the benchmarks, as cheap as can be: a thread for each connection, bodies that arrive are dropped by
 * the kernel without being copied, bodies that leave go from the page cache to the socket. It checks nothing; what it
 * was sent is recorded; GET /received returns it for the harness to check. It is also a bucket of an object store, in
 * which each upload becomes an object of the size of FILE. DELETE /received removes the object.
 *
 *     server [FILE NODES]
 *
 * FILE is the output of the job, NODES the digests of its hash tree: the leaves, the level above them, up to the root.
 * Prints its port.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB 1048576L
#define HEAD 65536

static int file = -1;
static long size;
static const unsigned char *nodes;

static pthread_mutex_t noting = PTHREAD_MUTEX_INITIALIZER;
static char *received;
static size_t received_length, received_room;

/* The metadata of the object in the bucket, as lines of a head, and whether the object exists. */
static char metadata[4096];
static int exists;

struct connection {
  int socket;
  size_t filled;
  char head[HEAD + 1];
};

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void note(const char *line, size_t length) {
  pthread_mutex_lock(&noting);
  if (received_length + length > received_room) {
    received_room = (received_length + length) * 2;
    if ((received = realloc(received, received_room)) == NULL) die("realloc");
  }
  memcpy(received + received_length, line, length);
  received_length += length;
  pthread_mutex_unlock(&noting);
}

static int send_all(int socket, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(socket, bytes, length, MSG_NOSIGNAL);
    if (sent <= 0) return -1;
    bytes += sent;
    length -= sent;
  }
  return 0;
}

static int respond(int socket, const char *format, ...) {
  char text[4096];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return send_all(socket, text, length);
}

/* The value of a header, or "-". */
static const char *header(const char *head, const char *name, char *value, size_t room) {
  size_t length = strlen(name);
  for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
    line += 2;
    if (strncasecmp(line, name, length) != 0 || line[length] != ':') continue;
    line += length + 1;
    line += strspn(line, " ");
    size_t end = strcspn(line, "\r");
    snprintf(value, room, "%.*s", (int)end, line);
    return value;
  }
  return strcpy(value, "-");
}

/* The digest of the node that spans the bytes, in hex; nothing when none does. */
static void tree_hash(long start, long end, char *hex) {
  *hex = 0;
  if (nodes == NULL || start % MIB != 0 || ((end + 1) % MIB != 0 && end + 1 != size)) return;
  long first = start / MIB, leaves = (end - start + MIB) / MIB, level = 0;
  const unsigned char *digests = nodes;
  for (long width = (size + MIB - 1) / MIB; 1L << level < leaves; width = (width + 1) / 2, level++) digests += width * 32;
  if (first % (1L << level) != 0 || (leaves != 1L << level && end + 1 != size)) return;
  digests += (first >> level) * 32;
  for (int i = 0; i < 32; i++) sprintf(hex + 2 * i, "%02x", digests[i]);
}

/* An id of that many letters. */
static const char *id(char letter, int length, char *text) {
  memset(text, letter, length);
  text[length] = 0;
  return text;
}

static int describe(int socket) {
  char body[2048], job[128], archive[256], root[65];
  tree_hash(0, size - 1, root);
  int length = snprintf(
    body, sizeof body,
    "{\"Action\":\"ArchiveRetrieval\",\"ArchiveId\":\"%s\",\"ArchiveSHA256TreeHash\":\"%s\",\"ArchiveSizeInBytes\":%ld,"
    "\"Completed\":true,\"CompletionDate\":\"2024-01-01T00:00:00.000Z\",\"CreationDate\":\"2024-01-01T00:00:00.000Z\","
    "\"JobId\":\"%s\",\"RetrievalByteRange\":\"0-%ld\",\"SHA256TreeHash\":\"%s\",\"StatusCode\":\"Succeeded\","
    "\"StatusMessage\":\"Succeeded\",\"Tier\":\"Standard\","
    "\"VaultARN\":\"arn:aws:glacier:us-east-1:123456789012:vaults/bench\"}",
    id('A', 138, archive), root, size, id('J', 92, job), size - 1, root
  );
  return respond(
    socket, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", length, body
  );
}

static int output(int socket, const char *head) {
  char value[256], hash[65], treeHash[128] = "", range[128] = "";
  long start = 0, end = size - 1;
  int partial = sscanf(header(head, "range", value, sizeof value), "bytes=%ld-%ld", &start, &end) > 0;
  if (end >= size) end = size - 1;
  if (start > end) return respond(socket, "HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n");
  tree_hash(start, end, hash);
  if (*hash) snprintf(treeHash, sizeof treeHash, "x-amz-sha256-tree-hash: %s\r\n", hash);
  if (partial) snprintf(range, sizeof range, "Content-Range: bytes %ld-%ld/%ld\r\n", start, end, size);
  if (respond(
    socket,
    "HTTP/1.1 %s\r\nContent-Type: application/octet-stream\r\nAccept-Ranges: bytes\r\n%s%sContent-Length: %ld\r\n\r\n",
    partial ? "206 Partial Content" : "200 OK", range, treeHash, end - start + 1
  ) != 0) return -1;
  for (off_t at = start; at <= end;) {
    if (sendfile(socket, file, &at, end - at + 1) <= 0) return -1;
  }
  return 0;
}

/* Keeps the metadata in the head of a request. */
static void keep(const char *head) {
  size_t length = 0;
  for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
    line += 2;
    if (strncasecmp(line, "x-amz-meta-", 11) != 0) continue;
    size_t end = strcspn(line, "\r");
    if (length + end + 3 > sizeof metadata) break;
    length += snprintf(metadata + length, sizeof metadata - length, "%.*s\r\n", (int)end, line);
  }
}

/* A request to the bucket of the object store. */
static int store(int socket, const char *method, const char *path, const char *head) {
  static const char *etag = "ETag: \"0123456789abcdef0123456789abcdef-1\"\r\n";
  int post = strcmp(method, "POST") == 0, put = strcmp(method, "PUT") == 0;
  int opens = post && strstr(path, "?uploads") != NULL, part = put && strstr(path, "partNumber=") != NULL;
  if (opens || (put && !part)) keep(head);
  if ((post && !opens) || (put && !part)) exists = 1;
  if (strcmp(method, "HEAD") == 0 && strncmp(path, "/bucket/", strlen(path)) == 0) {
    return respond(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }
  if (strcmp(method, "HEAD") == 0 && exists) {
    return respond(socket, "HTTP/1.1 200 OK\r\n%s%sContent-Length: %ld\r\n\r\n", etag, metadata, size);
  }
  // There are no other uploads.
  if (strcmp(method, "GET") == 0 && strstr(path, "?uploads") != NULL) {
    const char *body = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>";
    return respond(socket, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
  }
  if (opens) {
    const char *body = "<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>";
    return respond(socket, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
  }
  if (put) return respond(socket, "HTTP/1.1 200 OK\r\n%sContent-Length: 0\r\n\r\n", etag);
  if (post) {
    const char *body = "<CompleteMultipartUploadResult><ETag>\"0123456789abcdef0123456789abcdef-1\"</ETag>"
      "</CompleteMultipartUploadResult>";
    return respond(socket, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
  }
  return respond(socket, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

static int tell(int socket) {
  pthread_mutex_lock(&noting);
  int failed = respond(socket, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", received_length) != 0 ||
    send_all(socket, received, received_length) != 0;
  pthread_mutex_unlock(&noting);
  return failed ? -1 : 0;
}

/* Reads a request and responds to it. Returns -1 at the end of the connection. */
static int serve(struct connection *c) {
  char *end;
  while (c->head[c->filled] = 0, (end = strstr(c->head, "\r\n\r\n")) == NULL) {
    if (c->filled == HEAD) return -1;
    ssize_t got = recv(c->socket, c->head + c->filled, HEAD - c->filled, 0);
    if (got <= 0) return -1;
    c->filled += got;
  }
  end[2] = 0;
  char length[256], method[16] = "", path[1024] = "", value[256];
  sscanf(c->head, "%15s %1023s", method, path);
  if (*header(c->head, "expect", value, sizeof value) != '-') {
    if (respond(c->socket, "HTTP/1.1 100 Continue\r\n\r\n") != 0) return -1;
  }
  long body = atol(header(c->head, "content-length", length, sizeof length));
  size_t used = end + 4 - c->head;
  size_t here = c->filled - used < (size_t)body ? c->filled - used : (size_t)body;
  for (long rest = body - here; rest > 0;) {
    // The kernel drops what is received so.
    ssize_t got = recv(c->socket, NULL, rest, MSG_TRUNC);
    if (got <= 0) return -1;
    rest -= got;
  }

  const char *kind = strcmp(path, "/received") == 0 ? "received"
    : strncmp(path, "/bucket/", 8) == 0 || strncmp(path, "/bucket?", 8) == 0 || strcmp(path, "/bucket") == 0 ? "object"
    : strstr(path, "/output") ? "output"
    : strstr(path, "/jobs/") ? "job"
    : strstr(path, "/multipart-uploads/") ? "upload"
    : strstr(path, "/multipart-uploads") ? "uploads"
    : strstr(path, "/archives") ? "archives"
    : "";
  char treeHash[256], range[256], sha256[256], total[256], archive[256], upload[128], line[2048];
  header(c->head, "x-amz-sha256-tree-hash", treeHash, sizeof treeHash);
  if (*kind != 0 && strcmp(kind, "received") != 0) {
    // A proxy before this server keeps the body, and sends its length.
    if (*header(c->head, "x-body-length", value, sizeof value) == '-') snprintf(value, sizeof value, "%ld", body);
    note(line, snprintf(
      line, sizeof line, "%s %s\t%s\t%s\t%s\t%s\t%s\n", method, kind, value,
      header(c->head, "content-range", range, sizeof range), treeHash,
      header(c->head, "x-amz-content-sha256", sha256, sizeof sha256),
      header(c->head, "x-amz-archive-size", total, sizeof total)
    ));
  }

  int result;
  int post = strcmp(method, "POST") == 0, put = strcmp(method, "PUT") == 0, get = strcmp(method, "GET") == 0;
  if (strcmp(kind, "received") == 0 && get) result = tell(c->socket);
  else if (strcmp(kind, "received") == 0) {
    pthread_mutex_lock(&noting);
    received_length = 0;
    exists = 0;
    pthread_mutex_unlock(&noting);
    result = respond(c->socket, "HTTP/1.1 204 No Content\r\n\r\n");
  } else if (strcmp(kind, "object") == 0) result = store(c->socket, method, path, c->head);
  else if (strcmp(kind, "output") == 0 && get) result = output(c->socket, c->head);
  else if (strcmp(kind, "job") == 0 && get) result = describe(c->socket);
  else if (strcmp(kind, "uploads") == 0 && post) result = respond(
    c->socket,
    "HTTP/1.1 201 Created\r\nLocation: /123456789012/vaults/bench/multipart-uploads/%s\r\n"
    "x-amz-multipart-upload-id: %s\r\nContent-Length: 0\r\n\r\n",
    id('U', 92, upload), upload
  );
  else if (strcmp(kind, "upload") == 0 && put) result = respond(
    c->socket, "HTTP/1.1 204 No Content\r\nx-amz-sha256-tree-hash: %s\r\n\r\n", treeHash
  );
  else if ((strcmp(kind, "upload") == 0 || strcmp(kind, "archives") == 0) && post) result = respond(
    c->socket,
    "HTTP/1.1 201 Created\r\nLocation: /123456789012/vaults/bench/archives/%s\r\nx-amz-archive-id: %s\r\n"
    "x-amz-sha256-tree-hash: %s\r\nContent-Length: 0\r\n\r\n",
    id('A', 138, archive), archive, treeHash
  );
  else if (strcmp(method, "DELETE") == 0) result = respond(c->socket, "HTTP/1.1 204 No Content\r\n\r\n");
  else result = respond(c->socket, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");

  c->filled -= used + here;
  memmove(c->head, c->head + used + here, c->filled);
  return result;
}

static void *serve_all(void *argument) {
  struct connection *c = argument;
  while (serve(c) == 0);
  close(c->socket);
  free(c);
  return NULL;
}

int main(int count, char **arguments) {
  if (count > 2) {
    struct stat stat;
    if ((file = open(arguments[1], O_RDONLY)) < 0 || fstat(file, &stat) != 0) die(arguments[1]);
    size = stat.st_size;
    int tree = open(arguments[2], O_RDONLY);
    if (tree < 0 || fstat(tree, &stat) != 0) die(arguments[2]);
    nodes = mmap(NULL, stat.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, tree, 0);
    if (nodes == MAP_FAILED) die("mmap");
  }
  int listening = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  if (bind(listening, (struct sockaddr *)&address, length) != 0 || listen(listening, 128) != 0) die("listen");
  getsockname(listening, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    struct connection *c = malloc(sizeof *c);
    if (c == NULL) die("malloc");
    c->filled = 0;
    if ((c->socket = accept(listening, NULL, NULL)) < 0) die("accept");
    int on = 1;
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, serve_all, c) != 0) die("pthread_create");
  }
}

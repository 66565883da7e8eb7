/**
 * TLS in front of the server: nginx. It reads a request to its end into memory, drops its body, and passes on its head,
 * with the length of what it read. It passes on responses through memory, never through a file.
 */
import { Effect, Schedule } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { connect, createServer } from "node:net"
import { processor } from "../support.ts"
import type { Server } from "./start.ts"

const freePort = Effect.async<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" ? address?.port ?? 0 : 0)))
  })
})

const isUp = (port: number) =>
  Effect.async<void, Error>((resume) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy()
      resume(Effect.void)
    }).once("error", (error) => resume(Effect.fail(error)))
  })

/** A certificate that nobody has signed but itself. */
const certificate = (folder: string) =>
  execFileSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"],
    ...["-keyout", `${folder}/key.pem`, "-out", `${folder}/certificate.pem`, "-subj", "/CN=localhost"],
    ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
  ], { stdio: "ignore" })

/** The largest part is kept in memory, never written to a file. */
const configuration = (folder: string, port: number, to: string) => `
daemon off;
worker_processes auto;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events {}
http {
  access_log off;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join("")}
  upstream server { server ${to.replace("http://", "")}; keepalive 8; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${folder}/certificate.pem;
    ssl_certificate_key ${folder}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:sessions:1m;
    keepalive_requests 1000000;
    client_max_body_size 0;
    client_body_buffer_size 17m;
    location / {
      proxy_pass http://server;
      proxy_http_version 1.1;
      proxy_buffers 16 256k;
      proxy_busy_buffers_size 1m;
      proxy_max_temp_file_size 0;
      proxy_pass_request_body off;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
      proxy_set_header X-Body-Length $content_length;
    }
  }
}
`

/** The process and those it has started. */
const family = (pid: number) => [
  pid,
  ...readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((other) => {
    try {
      return readFileSync(`/proc/${other}/stat`, "utf8").split(") ")[1]?.split(" ")[1] === String(pid)
    } catch {
      // It has ended.
      return false
    }
  })
]

/** Memory for a body is used again: from the system it would be new for each, which costs more than to decrypt it. */
const tunables = "glibc.malloc.mmap_threshold=67108864:glibc.malloc.trim_threshold=1073741824"

/** nginx in front of a server, as long as the Scope. */
export const inFront = (server: Server, folder: string) =>
  Effect.gen(function*() {
    const port = yield* freePort
    certificate(folder)
    writeFileSync(`${folder}/nginx.conf`, configuration(folder, port, server.url))
    const pid = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn("nginx", ["-p", folder, "-c", `${folder}/nginx.conf`, "-e", `${folder}/error.log`], {
          stdio: "inherit",
          env: { ...process.env, GLIBC_TUNABLES: tunables }
        }).pid ?? 0
      ),
      (pid) => Effect.sync(() => process.kill(pid))
    )
    yield* Effect.retry(isUp(port), Schedule.intersect(Schedule.spaced("50 millis"), Schedule.recurs(100)))
    const all = family(pid)
    return {
      ...server,
      url: `https://localhost:${port}`,
      authority: `${folder}/certificate.pem`,
      processor: () => server.processor() + all.reduce((sum, one) => sum + processor(one), 0)
    } satisfies Server
  })

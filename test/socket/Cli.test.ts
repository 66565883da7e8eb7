import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { ConfigProvider, Effect, Exit, Layer, Option, Stream, TestClock, TestContext } from "effect"
import { execFile } from "node:child_process"
import { type AddressInfo, createServer, type Server } from "node:net"
import { networkInterfaces } from "node:os"
import { promisify } from "node:util"
import { Emulator } from "../../src/emulator/index.ts"
import { GlacierClient, Pages } from "../../src/index.ts"
import { NodeGlacier } from "../../src/node/index.ts"
import { TestGlacier } from "../../src/testing/index.ts"
import { runEmulator, runProgram } from "../support/processes.ts"
import * as TlsServer from "../support/tlsServer.ts"
import * as Support from "./support.ts"

const { call, connectPort } = Support

const key = { accessKeyId: "AKIACLI", secretAccessKey: "a secret" }

const asKey = ["--access-key", key.accessKeyId, "--secret-key", key.secretAccessKey]

/** A port on which another server listens. */
const takenPort = Effect.acquireRelease(
  Effect.async<Server>((resume) => {
    const server = createServer().listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.sync(() => server.close())
).pipe(Effect.map((server) => (server.address() as AddressInfo).port))

/** Addresses of this machine on which an emulator must not listen. */
const otherAddresses = Object.values(networkInterfaces()).flat().flatMap((address) =>
  address?.family === "IPv4" && !address.internal ? [address.address] : []
).concat("127.0.0.2")

/** The `export` commands among the lines that an emulator prints. */
const exportsOf = (lines: ReadonlyArray<string>) =>
  lines.map((line) => line.trim()).filter((line) => line.startsWith("export "))

const lockPolicy = JSON.stringify({
  Statement: { Effect: "Deny", Principal: "*", Action: "glacier:DeleteArchive", Resource: "*" }
})

describe.concurrent("effect-glacier emulator", () => {
  it.scopedLive(
    "describes each option with the default of the docs",
    () =>
      Effect.gen(function*() {
        const { exit } = yield* runProgram("emulator", "--help")
        const { code, stdout } = yield* exit
        expect(code).toBe(0)
        const shown = Array.from(
          stdout.replace(/\n {4,}/g, " ").matchAll(/^ {2}(--[a-z-]+).* {2}(.+)\. .*Default: (.+)$/gm),
          ([, name, , value]) => [name, value]
        )
        const fs = yield* FileSystem.FileSystem
        const rows = (yield* fs.readFileString("docs/emulator.md")).matchAll(/^\| (`--.*?) \| (.*?) \|/gm)
        const documented = Array.from(rows).flatMap(([, names = "", value = ""]) =>
          Array.from(names.matchAll(/--[a-z-]+/g), ([name]) => [name, value.replaceAll("`", "")])
        )
        expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(documented))
      }).pipe(Effect.provide(NodeContext.layer)),
    60_000
  )

  it.scopedLive("prints the variables that a client in another shell needs", () =>
    Effect.gen(function*() {
      const [accessKey, secret] = ["AKIACLI", "it's a $ecret"]
      const { lines, url } = yield* runEmulator(
        ...["--access-key", accessKey, "--secret-key", secret, "--region", "eu-west-1", "--account-id", "999988887777"]
      )
      const pasted = exportsOf(yield* Support.until(lines, ({ length }) => length === 6))
      const { stdout } = yield* Effect.promise(() =>
        promisify(execFile)("sh", [
          "-c",
          `${pasted.join("\n")}\n"$0" -p "JSON.stringify(process.env)"`,
          process.execPath
        ])
      )
      const environment = new Map(Object.entries<string>(JSON.parse(stdout)))
      expect(environment.get("AWS_ENDPOINT_URL_GLACIER")).toBe(url)
      const { location } = yield* Effect.flatMap(
        GlacierClient.GlacierClient,
        (glacier) => glacier.createVault({ vaultName: "photos" })
      ).pipe(
        Effect.provide(NodeGlacier.layer),
        Effect.withConfigProvider(ConfigProvider.fromMap(environment))
      )
      expect(location).toEqual(Option.some("/999988887777/vaults/photos"))
      expect(pasted.map((line) => line.split(/[ =]/)[1])).toEqual(
        ["AWS_ENDPOINT_URL_GLACIER", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
      )
    }), 60_000)

  it.scopedLive("keeps jobs, uploads and locks for 24 hours, as the service does", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const { exit, kill, port } = yield* runEmulator("--data", directory, "--job-delay", "0 seconds")
      const vault = { accountId: "-", vaultName: "photos" }
      const glacier = yield* Support.sdk(port)
      yield* call(() => glacier.createVault(vault))
      const { archiveId } = yield* call(() => glacier.uploadArchive({ ...vault, body: Buffer.from("bytes") }))
      const jobParameters = { Type: "archive-retrieval", ArchiveId: archiveId }
      const { jobId = "" } = yield* call(() => glacier.initiateJob({ ...vault, jobParameters }))
      yield* call(() => glacier.initiateMultipartUpload({ ...vault, partSize: "1048576" }))
      yield* call(() => glacier.initiateVaultLock({ ...vault, policy: { Policy: lockPolicy } }))
      const started = Date.now()
      yield* kill("SIGTERM")
      yield* exit
      const existingAfter = (hours: number) =>
        Effect.gen(function*() {
          yield* TestClock.setTime(started + hours * 3_600_000)
          const glacier = yield* GlacierClient.GlacierClient
          return {
            job: yield* Effect.isSuccess(glacier.describeJob({ ...vault, jobId })),
            uploads: yield* Stream.runCount(Pages.uploads(vault)),
            lock: yield* Effect.isSuccess(glacier.getVaultLock(vault))
          }
        }).pipe(
          Effect.provide(
            TestGlacier.layerClient().pipe(
              Layer.provideMerge(Emulator.layerFileSystem({ directory })),
              Layer.provideMerge(TestContext.TestContext)
            )
          )
        )
      expect(yield* existingAfter(23.9)).toEqual({ job: true, uploads: 1, lock: true })
      expect(yield* existingAfter(24.1)).toEqual({ job: false, uploads: 0, lock: false })
    }).pipe(Effect.provide(NodeContext.layer)), 60_000)

  it.scopedLive("keeps its vaults in --data, and follows its options", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const data = `${yield* fs.makeTempDirectoryScoped()}/made/on/demand`
      const vault = { accountId: "-", vaultName: "kept" }
      const start = runEmulator(
        ...["--data", data, ...asKey, "--account-id", "999988887777", "--region", "eu-west-1"],
        ...["--job-delay", "50 millis", "--inventory-delay", "1 day"]
      )
      const archiveId = yield* Effect.scoped(Effect.gen(function*() {
        const { exit, kill, port } = yield* start
        const glacier = yield* Support.sdk(port, key, "nowhere")
        const { location } = yield* call(() => glacier.createVault(vault))
        expect(location).toBe("/999988887777/vaults/kept")
        const { archiveId } = yield* call(() => glacier.uploadArchive({ ...vault, body: Buffer.from("bytes") }))
        yield* kill("SIGTERM")
        yield* exit
        return archiveId
      }))
      const { port } = yield* start
      const glacier = yield* Support.sdk(port, key, "nowhere")
      expect(yield* call(() => glacier.listVaults({ accountId: "-" }))).toMatchObject({
        VaultList: [{ VaultARN: "arn:aws:glacier:eu-west-1:999988887777:vaults/kept", NumberOfArchives: 0 }]
      })
      const jobParameters = { Type: "archive-retrieval", ArchiveId: archiveId }
      const { jobId } = yield* call(() => glacier.initiateJob({ ...vault, jobParameters }))
      const job = { ...vault, jobId: jobId! }
      yield* Support.until(call(() => glacier.describeJob(job)), ({ Completed }) => Completed === true)
      const { body } = yield* call(() => glacier.getJobOutput(job))
      expect(yield* call(() => body!.transformToString())).toBe("bytes")
      const otherKey = yield* Support.sdk(port)
      expect((yield* Effect.flip(call(() => otherKey.listVaults({ accountId: "-" })))).name)
        .toBe("UnrecognizedClientException")
    }).pipe(Effect.provide(NodeContext.layer)), 60_000)

  it.scopedLive("serves several accounts, with the delays and limits of its options", () =>
    Effect.gen(function*() {
      const [other, closed] = ["111122223333", "444455556666"] as const
      const { port } = yield* runEmulator(
        ...["--key", `AKIAOTHER:se:cret:${other}`, "--key", `AKIACLOSED:secret:${closed}`, "--without-storage", closed],
        ...["--standard-delay", "1 hour", "--expedited-delay", "0 seconds", "--job-expiry", "0 seconds"],
        ...["--maximum-vaults", "1", "--expedited-limit", "3"]
      )
      const vault = { accountId: "-", vaultName: "photos" }
      const glacier = yield* Support.sdk(port)
      const others = yield* Support.sdk(port, { accessKeyId: "AKIAOTHER", secretAccessKey: "se:cret" })
      const withoutStorage = yield* Support.sdk(port, { accessKeyId: "AKIACLOSED", secretAccessKey: "secret" })
      for (const client of [glacier, others]) yield* call(() => client.createVault(vault))
      const failed = <A>(f: () => Promise<A>) => Effect.map(Effect.flip(call(f)), ({ name }) => name)
      expect(yield* failed(() => glacier.createVault({ ...vault, vaultName: "films" }))).toBe("LimitExceededException")
      expect(yield* failed(() => withoutStorage.listVaults({ accountId: "-" }))).toBe("NoLongerSupportedException")
      expect((yield* call(() => others.describeVault(vault))).VaultARN).toContain(other)

      const retrieve = (ArchiveId: string | undefined, Tier: string) =>
        glacier.initiateJob({ ...vault, jobParameters: { Type: "archive-retrieval", ArchiveId, Tier } })
      const { archiveId: large } = yield* call(() => glacier.uploadArchive({ ...vault, body: Buffer.from("four") }))
      expect(yield* failed(() => retrieve(large, "Expedited"))).toBe("InsufficientCapacityException")
      const { jobId: slow } = yield* call(() => retrieve(large, "Standard"))
      const { archiveId } = yield* call(() => glacier.uploadArchive({ ...vault, body: Buffer.from("two") }))
      const { jobId: quick } = yield* call(() => retrieve(archiveId, "Expedited"))
      // With both delays at 0 it completed and expired at once.
      expect(yield* failed(() => glacier.describeJob({ ...vault, jobId: quick }))).toBe("ResourceNotFoundException")
      expect((yield* call(() => glacier.describeJob({ ...vault, jobId: slow }))).Completed).toBe(false)
    }), 60_000)

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it.scopedLive(
      `listens on 127.0.0.1 only, and ends on ${signal} although connections are open`,
      () =>
        Effect.gen(function*() {
          const { exit, kill, port } = yield* runEmulator()
          for (const host of otherAddresses) {
            expect(Exit.isFailure(yield* Effect.exit(connectPort(port, host))), host).toBe(true)
          }
          const silent = yield* connectPort(port)
          const idle = yield* connectPort(port)
          yield* idle.send({ method: "PUT", target: "/-/vaults/open", headers: { "content-length": "0" } })
          expect((yield* Effect.flatten(idle.response())).status).toBe(201)
          const uploading = yield* connectPort(port)
          const request = Support.upload("/-/vaults/open/archives", Buffer.alloc(1000), { expect: "100-continue" })
          yield* uploading.write(yield* Support.head(port, request))
          expect((yield* Effect.flatten(uploading.response())).status).toBe(100)
          yield* uploading.write(Buffer.alloc(10))

          yield* kill(signal)
          const ended = yield* Effect.timeout(exit, "15 seconds")
          expect([0, 130, 143]).toContain(ended.code)
          expect(ended.stdout).toMatch(/^Glacier emulator listening on [^\n]*\n/)
          expect(ended.stderr).toBe("")
          yield* Effect.forEach([silent, idle, uploading], (connection) => connection.closed())
        }),
      60_000
    )
  }

  it.scopedLive(
    "serves https with --tls to a program that has the printed variables",
    () =>
      Effect.gen(function*() {
        const { exit, kill, lines, url } = yield* runEmulator("--tls")
        expect(url).toMatch(/^https:/)
        const printed = exportsOf(yield* Support.until(lines, ({ length }) => length === 8))
        const exports = Object.fromEntries(
          printed.slice(4).map((line) => line.replace("export ", "").split("="))
        )
        expect(Object.keys(exports)).toEqual(["AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"])
        for (const env of [exports, {}]) {
          const program =
            `fetch("${url}").then(({ status }) => console.log(status), ({ cause }) => console.log(cause.code))`
          const { stdout } = yield* Effect.promise(() =>
            promisify(execFile)(process.execPath, ["--eval", program], { env: { ...process.env, ...env } })
          )
          expect(stdout.trim()).toBe(env === exports ? "400" : "UNABLE_TO_VERIFY_LEAF_SIGNATURE")
        }
        yield* kill("SIGTERM")
        yield* Effect.timeout(exit, "15 seconds")
        const fs = yield* FileSystem.FileSystem
        expect(yield* fs.exists(exports["AWS_CA_BUNDLE"] ?? "")).toBe(false)
      }).pipe(Effect.provide(NodeContext.layer)),
    60_000
  )

  it.scopedLive("serves https with --tls-cert and --tls-key", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const [cert, key] = [`${folder}/cert.pem`, `${folder}/key.pem`]
      yield* fs.writeFileString(cert, TlsServer.cert)
      yield* fs.writeFileString(key, TlsServer.key)
      const { lines, url } = yield* runEmulator("--tls-cert", cert, "--tls-key", key)
      const glacier = yield* Support.sdk({ url, ca: Option.some(TlsServer.ca) })
      expect((yield* call(() => glacier.listVaults({ accountId: "-" }))).VaultList).toEqual([])
      const printed = exportsOf(yield* Support.until(lines, ({ length }) => length === 6))
      expect(printed.join()).not.toContain("CA")
    }).pipe(Effect.provide(NodeContext.layer)), 60_000)

  it.scopedLive("names the option that is wrong, and what is wrong with it", () =>
    Effect.gen(function*() {
      const port = yield* takenPort
      const cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, code: number, message: RegExp]> = [
        [["--job-delay", "soon"], 2, /^The value "soon" of --job-delay is not a duration: write such as "2 seconds"$/m],
        [["--account-id", "-"], 2, /^The value "-" of --account-id is not an account: write 12 digits$/m],
        [["--key", "a:secret:1"], 2, /^A value of --key is not a key: write .* as in ID:SECRET:ACCOUNT$/m],
        [["--without-storage", "1"], 2, /^A value of --without-storage is not an account: write 12 digits$/m],
        [["--maximum-vaults", "0"], 2, /^The value "0" of --maximum-vaults is not a whole number, 1 or more$/m],
        [
          ["--sns-endpoint", "localhost:4566"],
          2,
          /^The value .* of --sns-endpoint is not a URL: write such as http:\/\/127/m
        ],
        [["--tls-cert", "package.json"], 2, /^--tls-cert and --tls-key must be given together$/m],
        [["--tls-cert", "a.pem", "--tls-key", "b.pem"], 2, /^There is no file a\.pem \(--tls-cert\): check the path$/m],
        [["--port", "65536"], 2, /^The value "65536" of --port is not a whole number from 0 to 65535$/m],
        [
          ["--port", String(port)],
          1,
          new RegExp(`address already in use 127\\.0\\.0\\.1:${port}\nAnother .* by --port`)
        ],
        [["--host", "203.0.113.1"], 1, /^This machine does not have the address: correct --host$/m],
        [["--data", "package.json"], 2, /^The path package\.json \(--data\) is a file: write the path of a folder$/m]
      ]
      yield* Effect.forEach(cases, ([args, expected, message]) =>
        Effect.scoped(Effect.gen(function*() {
          const { exit } = yield* runProgram("emulator", ...(args[0] === "--port" ? [] : ["--port", "0"]), ...args)
          const { code, stderr, stdout } = yield* exit
          const name = args.join(" ")
          expect(code, name).toBe(expected)
          expect(stdout, name).toBe("")
          expect(stderr, name).toMatch(message)
          expect(stderr, name).not.toMatch(/^\s+at |_tag/m)
        })), { concurrency: 2, discard: true })
    }), 60_000)
})

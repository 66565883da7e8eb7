import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { once } from "node:events"
import { readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import { EmulatorStorageError } from "../../src/emulator/Emulator.ts"
import { generate } from "../../src/node/internal/certificate.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"
import { temporaryFolder } from "../support/folders.ts"
import { runScript } from "../support/processes.ts"
import * as TlsServer from "../support/tlsServer.ts"

const locker = fileURLToPath(new URL("locker.ts", import.meta.url))

const listed = Effect.flatMap(GlacierClient, (glacier) => glacier.listVaults({}))

/** Writes a certificate and a key to files. */
const writeFiles = (cert: string, key: string) =>
  Effect.map(temporaryFolder, (directory) => {
    const paths = { cert: join(directory, "cert.pem"), key: join(directory, "key.pem") }
    writeFileSync(paths.cert, cert)
    writeFileSync(paths.key, key)
    return paths
  })

describe("NodeEmulator", () => {
  it.live.each(["127.0.0.1", "0.0.0.0", "::1"])(
    "can be reached at the address where it listens: %s",
    (host) =>
      Effect.gen(function*() {
        expect((yield* listed).vaults).toEqual([])
      }).pipe(Effect.provide(NodeEmulator.layer({ host })))
  )

  it.live.each(["127.0.0.1", "0.0.0.0", "::1"])(
    "serves TLS with a certificate that its client trusts: %s",
    (host) =>
      Effect.gen(function*() {
        const { ca, url } = yield* NodeEmulator.Address
        expect(url).toMatch(/^https:/)
        expect(Option.getOrThrow(ca)).toMatch(/^-----BEGIN CERTIFICATE-----/)
        expect((yield* listed).vaults).toEqual([])
      }).pipe(Effect.provide(NodeEmulator.layer({ host, tls: true })))
  )

  it.scopedLive("serves TLS with a certificate from files, and its client trusts the authority in them", () =>
    Effect.gen(function*() {
      const paths = yield* writeFiles(`${TlsServer.cert}\n${TlsServer.ca}`, TlsServer.key)
      const tls = yield* NodeEmulator.readCertificate(paths)
      const vaults = yield* Effect.map(listed, ({ vaults }) => vaults).pipe(Effect.provide(NodeEmulator.layer({ tls })))
      expect(vaults).toEqual([])
    }))

  it.scopedLive("names the file of a certificate or key that is invalid, and its problem", () =>
    Effect.gen(function*() {
      const other = yield* Effect.promise(() => generate(["localhost"], Date.now()))
      const { cert, key } = yield* writeFiles(TlsServer.cert, other.key)
      const missing = `${cert}.missing`
      const cases = [
        [{ cert: missing, key }, `The certificate ${missing} cannot be read (ENOENT`],
        [{ cert, key: missing }, `The key ${missing} cannot be read (ENOENT`],
        [{ cert: key, key }, `The certificate ${key} is not PEM text that begins with "-----BEGIN CERTIFICATE-----".`],
        [{ cert, key: cert }, `The key ${cert} is not a private key in PEM text without a passphrase.`],
        [{ cert, key }, `The key ${key} does not belong to the certificate ${cert}.`]
      ] as const
      for (const [paths, message] of cases) {
        const error = yield* Effect.flip(NodeEmulator.readCertificate(paths))
        expect(error._tag).toBe("CertificateError")
        expect(error.message).toContain(message)
      }
      const tls = { cert: TlsServer.cert, key: other.key }
      expect(yield* Effect.flip(Layer.build(NodeEmulator.layerServer({ tls })))).toMatchObject({
        _tag: "CertificateError",
        message: expect.stringContaining("The key in `tls.key` does not belong to the certificate in `tls.cert`.")
      })
    }))

  it.live("stops at once, although a TLS client has left its handshake incomplete", () =>
    Effect.gen(function*() {
      const socket = yield* Effect.scoped(Effect.gen(function*() {
        const { url } = Context.get(yield* Layer.build(NodeEmulator.layerServer({ tls: true })), NodeEmulator.Address)
        const socket = connect(Number(new URL(url).port), "127.0.0.1")
        yield* Effect.promise(() => once(socket, "connect"))
        return socket
      })).pipe(Effect.timeout("30 seconds"))
      if (!socket.destroyed) yield* Effect.promise(() => once(socket, "close"))
    }))

  it.scopedLive("rejects the folder that a live process uses", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryFolder
      const { exit, firstLine, kill } = yield* runScript(locker, [join(directory, "lock")])
      const owner = yield* firstLine
      const path = join(directory, "lock")
      renameSync(`${path}.lock`, path)
      const rejected = yield* Effect.exit(Effect.scoped(Layer.build(NodeEmulator.layerServer({ directory }))))
      expect(rejected).toEqual(Exit.fail(
        new EmulatorStorageError({
          path: directory,
          reason: `the directory cannot be used: ${directory} is in use by ${owner}. ` +
            `If that process no longer runs, remove ${path}`
        })
      ))
      expect(readdirSync(directory)).toEqual(["lock"])
      yield* kill("SIGKILL")
      yield* exit
      yield* Effect.scoped(Layer.build(NodeEmulator.layerServer({ directory })))
      expect(readdirSync(directory).sort()).toEqual(["blobs", "journal.jsonl"])
    }), 60_000)

  it.scopedLive("rejects a folder that this process uses already, by any path", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryFolder
      symlinkSync(directory, `${directory}/linked`)
      const build = (directory: string) => Effect.scoped(Layer.build(NodeEmulator.layerServer({ directory })))
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Layer.build(NodeEmulator.layerServer({ directory }))
        for (const path of [directory, `${directory}/linked`]) {
          expect(yield* Effect.exit(build(path))).toEqual(Exit.fail(
            new EmulatorStorageError({
              path,
              reason: `the directory cannot be used: ${path} is in use by this process`
            })
          ))
        }
      }))
      yield* build(directory)
    }))
})

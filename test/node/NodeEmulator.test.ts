import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import { EmulatorStorageError } from "../../src/emulator/Emulator.ts"
import { generate } from "../../src/node/internal/certificate.ts"
import * as NodeEmulator from "../../src/node/NodeEmulator.ts"
import * as TlsServer from "../support/tlsServer.ts"

const listed = Effect.flatMap(GlacierClient, (glacier) => glacier.listVaults({}))

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-glacier-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** The files of a certificate and a key. */
const files = (cert: string, key: string) =>
  Effect.map(folder, (directory) => {
    const paths = { cert: join(directory, "cert.pem"), key: join(directory, "key.pem") }
    writeFileSync(paths.cert, cert)
    writeFileSync(paths.key, key)
    return paths
  })

describe("NodeEmulator", () => {
  it.live.each(["127.0.0.1", "0.0.0.0", "::1"])("is reached where it listens: %s", (host) =>
    Effect.gen(function*() {
      expect((yield* listed).vaults).toEqual([])
    }).pipe(Effect.provide(NodeEmulator.layer({ host }))))

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
      const paths = yield* files(`${TlsServer.cert}\n${TlsServer.ca}`, TlsServer.key)
      const tls = yield* NodeEmulator.readCertificate(paths)
      const vaults = yield* Effect.map(listed, ({ vaults }) => vaults).pipe(Effect.provide(NodeEmulator.layer({ tls })))
      expect(vaults).toEqual([])
    }))

  it.scopedLive("says what is wrong with the files of a certificate", () =>
    Effect.gen(function*() {
      const other = yield* Effect.promise(() => generate(["localhost"], Date.now()))
      const { cert, key } = yield* files(TlsServer.cert, other.key)
      const missing = `${cert}.missing`
      const cases = [
        [{ cert: missing, key }, `The certificate ${missing} cannot be read (ENOENT`],
        [{ cert, key: missing }, `The key ${missing} cannot be read (ENOENT`],
        [{ cert: key, key }, `The certificate ${key} is not PEM text that begins with "-----BEGIN CERTIFICATE-----".`],
        [{ cert, key: cert }, `The key ${cert} is not a private key in PEM text without a passphrase.`],
        [{ cert, key }, `The key ${key} does not belong to the certificate ${cert}.`]
      ] as const
      for (const [paths, says] of cases) {
        const error = yield* Effect.flip(NodeEmulator.readCertificate(paths))
        expect(error._tag).toBe("CertificateError")
        expect(error.message).toContain(says)
      }
      const tls = { cert: TlsServer.cert, key: other.key }
      expect(yield* Effect.flip(Layer.build(NodeEmulator.layerServer({ tls })))).toMatchObject({
        _tag: "CertificateError",
        message: expect.stringContaining("The key in `tls.key` does not belong to the certificate in `tls.cert`.")
      })
    }))

  it.live("ends at once, whatever a client of TLS has left open", () =>
    Effect.gen(function*() {
      const socket = yield* Effect.scoped(Effect.gen(function*() {
        const { url } = Context.get(yield* Layer.build(NodeEmulator.layerServer({ tls: true })), NodeEmulator.Address)
        const socket = connect(Number(new URL(url).port), "127.0.0.1")
        yield* Effect.promise(() => once(socket, "connect"))
        return socket
      })).pipe(Effect.timeout("5 seconds"))
      if (!socket.destroyed) yield* Effect.promise(() => once(socket, "close"))
    }))

  it.scopedLive("leaves alone the folder of a process that lives", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const path = join(directory, "lock")
      // The one that runs the tests lives as long as they do.
      writeFileSync(path, String(process.ppid))
      const refused = yield* Effect.exit(Effect.scoped(Layer.build(NodeEmulator.layerServer({ directory }))))
      expect(refused).toEqual(Exit.fail(
        new EmulatorStorageError({
          path: directory,
          reason: `the directory cannot be locked: process ${process.ppid} uses it (if not, remove ${path})`
        })
      ))
      expect(readFileSync(path, "utf8")).toBe(String(process.ppid))
      expect(existsSync(join(directory, "journal.jsonl"))).toBe(false)
    }))

  it.scopedLive("opens a folder once in a process", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const build = Effect.scoped(Layer.build(NodeEmulator.layerServer({ directory })))
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Layer.build(NodeEmulator.layerServer({ directory }))
        expect(yield* Effect.exit(build)).toEqual(Exit.fail(
          new EmulatorStorageError({
            path: directory,
            reason: "the directory cannot be locked: this process uses it already"
          })
        ))
      }))
      yield* build
    }))

  it.scopedLive.each(["2147483646", "", "nonsense"])(
    "takes over the lock of one that does not: %j",
    (owner) =>
      Effect.gen(function*() {
        const directory = yield* folder
        const path = join(directory, "lock")
        writeFileSync(path, owner)
        yield* Effect.scoped(Effect.gen(function*() {
          yield* Layer.build(NodeEmulator.layerServer({ directory }))
          expect(readFileSync(path, "utf8")).toBe(String(process.pid))
        }))
        expect(existsSync(path)).toBe(false)
      })
  )
})

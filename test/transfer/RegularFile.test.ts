/** Paths that lead to folders, devices, pipes and sockets, wherever a file is read or written. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as NodeRetrievalBudget from "../../src/node/NodeRetrievalBudget.ts"
import * as NodeTreeHash from "../../src/node/NodeTreeHash.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as RegularFile from "../../src/transfer/RegularFile.ts"
import * as Source from "../../src/transfer/Source.ts"
import { layer } from "../services/support.ts"
import { inDirectory, kinds, others, prepared, withFullDisk } from "./irregularFiles.ts"
import { mebibyte, pattern, recording } from "./support.ts"

describe("a path that leads to something other than a regular file", () => {
  it.effect.each(others)("is rejected by an upload before anything is sent: %s", ([name, description]) => {
    const { change, sent } = recording()
    return Effect.gen(function*() {
      const { directory } = yield* prepared
      const path = `${directory}/${name}`
      const vault = yield* Vault.Vault
      const uploads = [
        vault.upload(Source.file(path), { partSize: mebibyte }),
        vault.uploadWithCheckpoint("holiday", Source.file(path, { start: 0, end: 3 * mebibyte }), {
          partSize: mebibyte
        })
      ]
      for (const upload of uploads) {
        const { message } = yield* Effect.flip(upload)
        expect(message).toContain(path)
        expect(message).toContain(description)
      }
      expect(sent).toEqual([])
    }).pipe(inDirectory, Effect.provide(layer(change)), Effect.provide(Checkpoint.layerMemory))
  })

  it.effect.each(others)("is not opened to be hashed or read: %s", ([name, description]) =>
    Effect.gen(function*() {
      const { directory } = yield* prepared
      const path = `${directory}/${name}`
      const read = Effect.scoped(Effect.flatMap(RegularFile.open(path), (file) => file.stat))
      for (const use of [NodeTreeHash.ofFile(path), Stream.runDrain(RegularFile.stream(path)), read]) {
        const { message } = yield* Effect.flip(use)
        expect(message).toContain(path)
        expect(message).toContain(description)
      }
    }).pipe(inDirectory))

  it.effect.each(kinds)(
    "is not opened as a checkpoint or a ledger: %s",
    ([name, description]) =>
      Effect.gen(function*() {
        const { directory, fs } = yield* prepared
        const path = yield* Checkpoint.pathOf(directory, "work")
        yield* fs.symlink(name, path)
        yield* fs.symlink(name, `${directory}/budget-2`)
        const open = Effect.flatMap(Checkpoint.Checkpoint, ({ open }) => open("work"))
        const checkpoint = yield* Effect.flip(Effect.provide(open, Checkpoint.layerFileSystem(directory)))
        expect(checkpoint).toMatchObject({ _tag: "CheckpointError" })
        expect(checkpoint.message).toContain(`(${path}): ${description}`)
        const ledger = yield* Effect.flip(
          Effect.provide(Effect.void, NodeRetrievalBudget.layerWith(directory, { key: "budget" }))
        )
        expect(ledger).toMatchObject({ _tag: "LedgerError" })
        expect(ledger.message).toContain(`(${directory}/budget-2): ${description}`)
      }).pipe(inDirectory)
  )
})

describe("an empty file", () => {
  it.effect("is rejected with its path", () =>
    Effect.gen(function*() {
      const { directory, fs } = yield* prepared
      const path = `${directory}/empty`
      yield* fs.writeFileString(path, "")
      const vault = yield* Vault.Vault
      const plain = yield* Effect.flip(vault.upload(Source.file(path)))
      const resumable = yield* Effect.flip(vault.uploadWithCheckpoint("empty", Source.file(path)))
      for (const { message } of [plain, resumable]) {
        expect(message).toContain(`upload: size of "${path}" must be 1 byte to `)
        expect(message).toContain("but is 0")
      }
    }).pipe(inDirectory, Effect.provide(layer()), Effect.provide(Checkpoint.layerMemory)))
})

describe("an error of an open file", () => {
  it.effect("names the path of a source, a target and a checkpoint", () =>
    Effect.gen(function*() {
      const { directory, fs } = yield* prepared
      const path = `${directory}/holiday.tar`
      yield* fs.writeFile(path, pattern(2.5 * mebibyte))
      const vault = yield* Vault.Vault
      const read = yield* Effect.flip(withFullDisk(vault.upload(Source.file(path), { partSize: mebibyte })))
      expect(read.message).toBe(`Unknown: FileSystem.read (${path}): EIO: i/o error, read`)

      const { archiveId } = yield* vault.upload(Source.file(path))
      const job = yield* vault.retrieveArchive(archiveId)
      const write = yield* Effect.flip(withFullDisk(job.outputToFile(`${directory}/again.tar`)))
      expect(write.message).toContain(`(${directory}/again.tar.`)
      expect(write.message).toContain(".partial): ENOSPC: no space left on device, write")

      const note = Effect.flatMap(Checkpoint.Checkpoint, ({ open }) =>
        Effect.flatMap(open("work"), (log) => log.append("a")))
      const full = note.pipe(Effect.provide(Checkpoint.layerFileSystem(directory)), withFullDisk)
      const { message } = yield* Effect.flip(full)
      expect(message).toContain(`(${yield* Checkpoint.pathOf(directory, "work")}): ENOSPC`)
    }).pipe(inDirectory, Effect.provide(layer(undefined, { jobDelay: 0 }))))
})

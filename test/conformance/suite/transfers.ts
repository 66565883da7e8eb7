/** Transfers of files. */
import * as FileSystem from "@effect/platform/FileSystem"
import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Vault from "../../../src/services/Vault.ts"
import * as Source from "../../../src/transfer/Source.ts"
import { collect, type It, mebibyte, ramp } from "./support.ts"

export const transfers = (it: It) => {
  it.scoped("a file is uploaded in parts and downloaded in windows", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const body = ramp(9 * mebibyte + 12_345)
      yield* fs.writeFile(`${folder}/in`, body)
      const vault = yield* Vault.make("transfers")
      yield* vault.create
      const archive = yield* vault.upload(Source.file(`${folder}/in`), { partSize: mebibyte, concurrency: 3 })
      expect(archive).toMatchObject({ parts: 10, size: body.length })
      const job = yield* vault.retrieveArchive(archive.archiveId)
      yield* job.wait()
      yield* job.outputToFile(`${folder}/out`, { windowSize: 2 * mebibyte, concurrency: 3 })
      expect(Buffer.compare(yield* fs.readFile(`${folder}/out`), body)).toBe(0)
      expect(Buffer.compare(yield* collect(job.output({ windowSize: mebibyte })), body)).toBe(0)
      expect((yield* fs.readDirectory(folder)).sort()).toEqual(["in", "out"])
    }))
}

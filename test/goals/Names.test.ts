/** Hostile descriptions: no path in them leads out of the directory, or to a file that exists already. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ArchiveName from "../../src/protocol/ArchiveName.ts"
import * as SafePath from "../../src/transfer/SafePath.ts"
import * as Target from "../../src/transfer/Target.ts"
import { contents, hostile, platforms } from "./hostileNames.ts"

describe("names from descriptions", () => {
  it.effect.each(platforms)(
    `writes no file outside of the directory, and replaces none, for ${hostile.length} hostile descriptions: %s [S7]`,
    (platform) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const sandbox = yield* Effect.flatMap(fs.makeTempDirectoryScoped(), fs.realPath)
        const directory = `${sandbox}/restored`
        yield* fs.makeDirectory(`${directory}/folder`, { recursive: true })
        yield* fs.makeDirectory(`${sandbox}/restored-too`)
        for (const file of ["secret", "restored/kept", "restored/folder/kept", "restored-too/kept"]) {
          yield* fs.writeFileString(`${sandbox}/${file}`, "unchanged")
        }
        yield* Effect.forEach([
          ["..", "above"],
          ["../restored-too", "beside"],
          ["/", "root"],
          ["../secret", "to-secret"],
          ["../new", "to-new"],
          ["folder", "inside"],
          [".", "itself"],
          ["loop", "loop"]
        ], ([to = "", link]) => fs.symlink(to, `${directory}/${link}`))

        const expected = new Map(yield* contents(sandbox))
        for (const [index, description] of hostile.entries()) {
          const read = ArchiveName.read(description.replaceAll("SANDBOX", sandbox.slice(1)))
          if (Option.isNone(read)) continue
          for (const path of [read.value.path, SafePath.relative(read.value.path)]) {
            const target = yield* SafePath.make(path, platform).pipe(
              Effect.flatMap((safe) => Target.prepare(directory, safe)),
              Effect.option
            )
            if (Option.isNone(target)) continue
            // This call would follow links and overwrite files.
            yield* fs.writeFileString(target.value, `${index}`)
            expect(expected.has(target.value)).toBe(false)
            expect(target.value.startsWith(`${directory}/`)).toBe(true)
            expected.set(target.value, `${index}`)
          }
        }
        expect(yield* contents(sandbox)).toEqual(expected)
        const written = Array.from(expected.values(), Number).filter(Number.isInteger)
        expect(written.length).toBeGreaterThan(30)
        expect(hostile.length).toBeGreaterThan(200)
      }).pipe(Effect.scoped, Effect.provide(NodeContext.layer)),
    120_000
  )
})

/** Deliberate bugs of a move that its oracle must find. Each replaces a piece of the program by a piece with a bug. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ObjectStore from "../../src/s3/ObjectStore.ts"
import * as Vault from "../../src/services/Vault.ts"
import type { Bug } from "./move.ts"

export interface MoveMutant {
  readonly name: string
  readonly bug: Bug
  /** The problems that the oracle reports, of which one is enough. */
  readonly found: RegExp
}

const isBegun = (entry: string): boolean => entry.includes("\"_tag\":\"Begun\"")

export const moveMutants: ReadonlyArray<MoveMutant> = [
  {
    name: "records a proof before the bytes are verified",
    bug: {
      destination: (destination) => ({
        ...destination,
        store: (archive, job, onProgress) =>
          Effect.gen(function*() {
            yield* Effect.forkDaemon(destination.store(archive, job, onProgress))
            const { locationOf } = yield* ObjectStore.ObjectStore
            const { path, size, treeHash } = archive
            return { location: locationOf(path), size, treeHash, checksums: {}, date: yield* DateTime.now }
          }),
        verify: () => Effect.succeed(true)
      })
    },
    found: /deleted without a copy/
  },
  {
    name: "deletes an archive before its proof is checked",
    bug: {
      proof: (isProven) => (archive) =>
        Effect.flatMap(
          Vault.Vault,
          (vault) => Effect.zipRight(Effect.ignore(vault.deleteArchive(archive.archiveId)), isProven(archive))
        )
    },
    found: /deleted without a copy/
  },
  {
    name: "numbers the parts of an upload one too low",
    bug: {
      store: (store) => ({ ...store, part: (upload, number, body) => store.part(upload, number - 1, body) })
    },
    found: /is not moved/
  },
  {
    name: "completes an upload without comparing the object",
    bug: {
      store: (store) => ({
        ...store,
        head: (key) =>
          Effect.map(
            store.head(key),
            Option.map((info) => ({ ...info, checksums: { etag: info.checksums.etag } }))
          )
      })
    },
    found: /deleted without a copy/
  },
  {
    name: "logs an upload after it is opened instead of before",
    bug: {
      checkpoint: ({ open }) => ({
        open: (name) =>
          Effect.map(open(name), (log) => {
            let held: string | undefined
            return {
              ...log,
              append: (entry) =>
                Effect.suspend(() => {
                  if (isBegun(entry)) {
                    held = entry
                    return Effect.void
                  }
                  const begun = held
                  held = undefined
                  return begun === undefined ? log.append(entry) : Effect.zipRight(log.append(begun), log.append(entry))
                })
            }
          })
      })
    },
    found: /uploads left open/
  },
  {
    name: "replaces an object of another program",
    bug: { options: { overwrite: true } },
    found: /was replaced/
  }
]

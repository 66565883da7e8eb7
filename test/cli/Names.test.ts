import * as NodeContext from "@effect/platform-node/NodeContext"
import { expect, layer } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Names from "../../src/cli/Names.ts"
import * as ArchiveName from "../../src/protocol/ArchiveName.ts"
import { ArchiveId } from "../../src/protocol/Names.ts"
import { TreeHash } from "../../src/protocol/TreeHash.ts"
import { databaseOf, row, table } from "./synologyMappings.ts"

const entry = (description: string, archiveId = "x") => ({
  archiveId: Schema.decodeSync(ArchiveId)(archiveId),
  description,
  creationDate: DateTime.unsafeMake(0),
  size: 1,
  treeHash: Schema.decodeSync(TreeHash)("0".repeat(64))
})

const modified = DateTime.unsafeMake("2014-08-01T12:00:00Z")

const written = Either.getOrThrow(ArchiveName.write({ path: "photos/a.jpg", modified }))

layer(NodeContext.layer)("Names", (it) => {
  it.effect("reads the name and the date in a description", () =>
    Effect.gen(function*() {
      const nameOf = yield* Names.make({ boto: false, synology: Option.none() })
      expect(nameOf(entry(written))).toMatchObject(
        Option.some({ path: "photos/a.jpg", modified: Option.some(modified), format: "fastglacier" })
      )
      expect(nameOf(entry("photos.tar"))).toMatchObject(Option.some({ path: "photos.tar", format: "plain" }))
      expect(nameOf(entry(""))).toEqual(Option.none())
    }))

  it.effect("decodes the names of boto only on request", () =>
    Effect.gen(function*() {
      const plain = yield* Names.make({ boto: false, synology: Option.none() })
      const boto = yield* Names.make({ boto: true, synology: Option.none() })
      expect(plain(entry("caf%C3%A9.jpg"))).toMatchObject(Option.some({ path: "caf%C3%A9.jpg", format: "plain" }))
      expect(boto(entry("caf%C3%A9.jpg"))).toMatchObject(Option.some({ path: "café.jpg", format: "boto" }))
      expect(boto(entry(written))).toMatchObject(Option.some({ path: "photos/a.jpg", format: "fastglacier" }))
    }))

  it.scoped("takes names from Synology's database, and from the description for other archives", () =>
    Effect.gen(function*() {
      const file = yield* databaseOf(table, row("one", "photo", "2014/a.jpg"))
      const nameOf = yield* Names.make({ boto: true, synology: Option.some(file) })
      expect(nameOf(entry("ignored", "one"))).toEqual(
        Option.some({ path: "photo/2014/a.jpg", modified: Option.none(), format: "synology" })
      )
      expect(nameOf(entry("caf%C3%A9.jpg", "two"))).toMatchObject(Option.some({ path: "café.jpg", format: "boto" }))
      expect(nameOf(entry("", "two"))).toEqual(Option.none())
    }))

  it.effect("fails if Synology's database cannot be read", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Names.make({ boto: false, synology: Option.some("no/such/file") }))
      expect(error._tag).toBe("MappingRejected")
    }))
})

import * as NodeContext from "@effect/platform-node/NodeContext"
import { expect, layer } from "@effect/vitest"
import { Option } from "effect"
import * as Effect from "effect/Effect"
import { mkdirSync } from "node:fs"
import { dirname, join } from "node:path"
import { Globals } from "../../src/cli/Globals.ts"
import * as State from "../../src/cli/State.ts"
import { temporaryFolder } from "../support/folders.ts"
import { globalsOf } from "./globals.ts"

const folderOf = (vaultName: string) => State.ofArn(`arn:aws:glacier:us-east-1:123456789012:vaults/${vaultName}`)

layer(NodeContext.layer)("State", (it) => {
  it.scoped("keeps vaults apart on file systems that ignore case or a period at the end, and lists their names", () =>
    Effect.gen(function*() {
      const names = ["photos", "Photos", "PHOTOS", "photos.", ".", "..", "a.b", "Ledger"]
      const states = yield* Effect.forEach(names, folderOf)
      const folders = states.map(({ folder }) => folder.toLowerCase().replace(/\.$/, ""))
      expect(new Set(folders).size).toBe(names.length)
      expect(new Set(folders.map(dirname)).size).toBe(1)
      expect(states[0]?.folder.endsWith("/photos")).toBe(true)
      for (const { folder } of states) mkdirSync(folder, { recursive: true })
      // The program gives none of these names to the folder of a vault.
      for (const name of ["Films", ".DS_Store", "@ledger"]) mkdirSync(join(dirname(states[0]?.folder ?? ""), name))
      expect((yield* State.known).map(({ vaultName }) => vaultName).sort()).toEqual([...names].sort())
    }).pipe(
      (test) => Effect.flatMap(temporaryFolder, (folder) => Effect.provideService(test, Globals, globalsOf(folder)))
    ))

  it.scoped("finds the folder of a vault only by its exact name", () =>
    Effect.gen(function*() {
      const root = yield* temporaryFolder
      const find = (vault: string) =>
        Effect.provideService(State.offline, Globals, { ...globalsOf(root), vault: Option.some(vault) })
      const { folder } = yield* Effect.provideService(folderOf("Photos"), Globals, globalsOf(root))
      mkdirSync(folder, { recursive: true })
      expect((yield* find("Photos")).folder).toBe(folder)
      expect((yield* Effect.flip(find("photos"))).message).toContain("knows no vault photos yet")
    }))
})

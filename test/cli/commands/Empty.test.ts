/** The command `empty` as a process: what it deletes, when it stops, and after a kill. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { join } from "node:path"
import { GlacierClient } from "../../../src/client/GlacierClient.ts"
import * as NodeEmulator from "../../../src/node/NodeEmulator.ts"
import { enter } from "../../support/terminal.ts"
import { emulator, jsonLines, makePrograms, pathsOf, storeAll, until } from "./programs.ts"

const names = ["a.jpg", "b.jpg", "c.jpg"]

const address = { vaultName: "photos" }

const question = "Type the name of the vault"

/** Makes a vault of archives. */
const makeVault = (descriptions: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const programs = yield* makePrograms("photos")
    yield* storeAll(programs.vault, descriptions)
    return programs
  })

/** Whether the vault exists. */
const exists = Effect.flatMap(GlacierClient, (glacier) => Effect.isSuccess(glacier.describeVault(address)))

describe.concurrent("effect-glacier empty", () => {
  it.scopedLive("deletes nothing that has no copy, and keeps the vault", () =>
    Effect.gen(function*() {
      const { run, vault } = yield* makeVault(names)
      const { code, stderr, stdout } = yield* run("empty", "--delete-vault", "--delete-young", "--yes", "--json")
      expect(code).toBe(3)
      expect(stderr).toMatch(
        /^The vault photos is not empty: 3 archives \(15 bytes\) have no proof of a verified copy/m
      )
      const lines = jsonLines(stdout)
      expect(lines.filter(({ type }) => type === "unproven").map(({ name }) => name).sort()).toEqual(names)
      expect(lines.filter(({ type }) => type === "event").map(({ event }) => event)).toEqual([
        ...["Checked", "InventoryRequested", "Planned", "Progress"]
      ])
      expect(yield* pathsOf(vault)).toEqual(names)
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive(
    "keeps the empty vault, deletes it when asked to, and reports later that it was deleted",
    () =>
      Effect.gen(function*() {
        const { folder, run, vault } = yield* makeVault(names)
        expect((yield* run("inventory", "--wait")).code).toBe(0)
        expect((yield* run("get", join(folder, "copies"), "--yes", "--quiet")).code).toBe(0)
        const emptied = yield* run("empty", "--delete-young", "--yes")
        expect(emptied.code, emptied.stderr).toBe(0)
        expect(emptied.stderr).toMatch(/photos has no archives in the inventory of 20/)
        expect(yield* pathsOf(vault)).toEqual([])
        const listed = jsonLines((yield* run("ls", "--json")).stdout).filter(({ type }) => type === "archive")
        expect(listed.map(({ name, state }) => [name, state]).sort()).toEqual(names.map((name) => [name, "deleted"]))
        expect(yield* run("empty", "--delete-vault", "--yes")).toMatchObject({
          code: 0,
          stderr: expect.stringMatching(/vaults\/photos is deleted$/m)
        })
        expect(yield* exists).toBe(false)
        expect(yield* run("empty", "--delete-vault", "--yes")).toMatchObject({
          code: 0,
          stderr: expect.stringMatching(/vaults\/photos was deleted before$/m)
        })
      }).pipe(Effect.provide(emulator)),
    60_000
  )

  it.scopedLive("deletes nothing before the name of the vault is typed", () =>
    Effect.gen(function*() {
      const { run, type, vault } = yield* makeVault(names)
      const args = ["empty", "--delete-vault", "--delete-young", "--without-copies"] as const
      expect(yield* run(...args)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /^This deletes all archives of the vault photos, and the vault: 3 archives .* --yes/s
        )
      })
      expect((yield* type([[question, `photo${enter}`]], ...args)).code).toBe(1)
      expect(yield* pathsOf(vault)).toEqual(names)
      const { code, untyped } = yield* type([[question, `photos${enter}`]], ...args)
      expect({ code, untyped }).toEqual({ code: 0, untyped: [] })
      expect(yield* exists).toBe(false)
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive(
    "stops for young archives, uploads and jobs, and names the option that overrules each",
    () =>
      Effect.gen(function*() {
        const { run, vault } = yield* makeVault(names)
        const glacier = yield* GlacierClient
        yield* glacier.initiateMultipartUpload({ ...address, partSize: 2 ** 20 })
        const report = jsonLines((yield* run("empty", "--dry-run", "--json", "--without-copies")).stdout)
        expect(report).toMatchObject([{
          dryRun: true,
          archives: 3,
          unproven: 0,
          stops: [
            { reason: "OpenUploads", message: expect.stringMatching(/, or use --abort-uploads$/) },
            { reason: "YoungArchives", message: expect.stringMatching(/, or use --delete-young$/) }
          ],
          steps: ["check", "list", "delete", "wait", "keepVault"].map((step) => ({ step }))
        }])
        const args = ["empty", "--yes", "--without-copies"]
        expect(yield* run(...args)).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/or use --abort-uploads$/m)
        })
        args.push("--abort-uploads")
        expect(yield* run(...args)).toMatchObject({ code: 1, stderr: expect.stringMatching(/or use --delete-young$/m) })
        args.push("--delete-young")
        const archive = (yield* Effect.flatMap(vault.retrieveInventory(), (job) =>
          Effect.zipRight(job.wait(), job.inventory))).archives()
        yield* Effect.flatMap(
          Effect.flatten(Stream.runHead(archive)),
          ({ archiveId }) =>
            vault.retrieveArchive(archiveId, { tier: "Bulk" })
        )
        expect(yield* run(...args)).toMatchObject({ code: 1, stderr: expect.stringMatching(/or use --ignore-jobs$/m) })
        expect((yield* run(...args, "--ignore-jobs")).code).toBe(0)
        expect(yield* pathsOf(vault)).toEqual([])
      }).pipe(Effect.provide(NodeEmulator.layer({ jobDelay: { Inventory: 0, Bulk: "1 hour" }, inventoryDelay: 0 }))),
    60_000
  )

  it.scopedLive("is not ready while the vault has no inventory", () =>
    Effect.gen(function*() {
      const { run } = yield* makeVault(names)
      expect(yield* run("empty", "--yes", "--without-copies")).toMatchObject({
        code: 75,
        stderr: expect.stringMatching(/has no inventory yet, so its archives are unknown/)
      })
    }).pipe(Effect.provide(NodeEmulator.layer({ jobDelay: 0, inventoryDelay: "1 day" }))), 120_000)

  it.scopedLive(
    "empties and deletes a vault through kills, and deletes only archives that have a copy",
    () =>
      Effect.gen(function*() {
        const many = Array.from({ length: 90 }, (_, index) => `${index % 3}/${index}.txt`).sort()
        const { folder, run, start, vault } = yield* makeVault(many)
        expect((yield* run("inventory", "--wait")).code).toBe(0)
        expect((yield* run("get", "0/", "1/", join(folder, "some"), "--yes", "--quiet")).code).toBe(0)
        const args = ["empty", "--delete-vault", "--delete-young", "--yes", "--json"]
        for (const left of [85, 60]) {
          yield* Effect.scoped(Effect.gen(function*() {
            const { exit, kill } = yield* start(...args)
            yield* until(vault, (archives) => archives <= left)
            yield* kill("SIGKILL")
            expect((yield* exit).signal).toBe("SIGKILL")
          }))
        }
        expect((yield* run(...args)).code).toBe(3)
        const withoutCopy = many.filter((name) => name.startsWith("2/"))
        expect(yield* pathsOf(vault)).toEqual(withoutCopy)
        expect((yield* run("get", "2/", join(folder, "others"), "--yes", "--quiet")).code).toBe(0)
        yield* Effect.scoped(Effect.gen(function*() {
          const { exit, kill } = yield* start(...args)
          yield* until(vault, (archives) => archives <= 20)
          yield* kill("SIGKILL")
          expect((yield* exit).signal).toBe("SIGKILL")
        }))
        const last = yield* run(...args)
        expect(last.code, last.stderr).toBe(0)
        expect(jsonLines(last.stdout).at(-2)).toMatchObject({ event: "VaultDeleted" })
        expect(yield* exists).toBe(false)
      }).pipe(Effect.provide(emulator)),
    120_000
  )

  it.scopedLive(
    "fails with code 11 while another process empties the vault, and resumes after Ctrl-C",
    () =>
      Effect.gen(function*() {
        const many = Array.from({ length: 90 }, (_, index) => `${index}.txt`)
        const { run, start, vault } = yield* makeVault(many)
        const args = ["empty", "--delete-young", "--without-copies", "--yes"]
        const { exit, kill } = yield* start(...args)
        yield* until(vault, (archives) => archives <= 85)
        yield* kill("SIGSTOP")
        expect(yield* run(...args)).toMatchObject({ code: 11, stderr: expect.stringMatching(/is in use by/) })
        yield* kill("SIGCONT")
        yield* kill("SIGINT")
        expect(yield* exit).toMatchObject({
          code: 130,
          stderr: expect.stringMatching(/Interrupted\. Run the same command again to resume/)
        })
        expect((yield* run(...args)).code).toBe(0)
        expect(yield* pathsOf(vault)).toEqual([])
      }).pipe(Effect.provide(emulator)),
    60_000
  )
})

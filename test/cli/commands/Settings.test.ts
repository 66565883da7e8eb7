/** The commands for the settings of a vault, its jobs and its uploads, as processes. */
import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect, Stream } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { GlacierClient } from "../../../src/client/GlacierClient.ts"
import * as NodeEmulator from "../../../src/node/NodeEmulator.ts"
import * as ArchiveName from "../../../src/protocol/ArchiveName.ts"
import { enter } from "../../support/terminal.ts"
import { emulator, jsonLines, makePrograms, storeAll } from "./programs.ts"

const vaultName = "photos"

const address = { vaultName }

const policyOf = (days: number) => ({
  Version: "2012-10-17",
  Statement: [{
    Effect: "Deny",
    Principal: "*",
    Action: "glacier:DeleteArchive",
    Resource: `arn:aws:glacier:${NodeEmulator.region}:*:vaults/${vaultName}`,
    Condition: { NumericLessThan: { "glacier:ArchiveAgeInDays": `${days}` } }
  }]
})

/** Writes a policy to a file, and returns its path. */
const writePolicy = (folder: string, days: number) => {
  const file = join(folder, "policy.json")
  writeFileSync(file, JSON.stringify(policyOf(days)))
  return file
}

describe.concurrent("effect-glacier jobs", () => {
  it.scopedLive("lists jobs with the names of their archives, and when to expect them", () =>
    Effect.gen(function*() {
      const { run, vault } = yield* makePrograms(vaultName)
      const modified = yield* DateTime.now
      const harmful = yield* ArchiveName.write({ path: "b\u001b[31m", modified })
      expect(yield* run("jobs")).toMatchObject({
        code: 0,
        stdout: "",
        stderr: expect.stringMatching(/^There are no jobs/)
      })
      const [first, second] = yield* storeAll(vault, ["2014/a.jpg", harmful])
      if (first === undefined || second === undefined) throw new Error("there are no archives")
      const job = yield* vault.retrieveArchive(first.archiveId, { tier: "Bulk" })
      const unnamed = jsonLines((yield* run("jobs", "--json")).stdout)
      expect(unnamed).toMatchObject([{
        jobId: job.id,
        archiveId: first.archiveId,
        name: null,
        bytes: 10,
        tier: "Bulk",
        status: "InProgress",
        reason: null,
        completed: null,
        expires: null
      }])
      expect((yield* run("inventory", "--wait")).code).toBe(0)
      yield* vault.retrieveArchive(second.archiveId, { tier: "Expedited" })
      const { code, stdout } = yield* run("jobs")
      expect(code).toBe(0)
      const lines = stdout.split("\n")
      expect(lines[0]).toMatch(/^STATUS +TIER +STARTED +NEXT +RETRIEVES$/)
      expect(lines).toContainEqual(
        expect.stringMatching(/^InProgress +Bulk +\S+ \S+ +expected from \S+ \S+ +2014\/a\.jpg$/)
      )
      expect(lines).toContainEqual(expect.stringMatching(/^InProgress +Expedited .* b\\u001b\[31m$/))
      expect(lines).toContainEqual(expect.stringMatching(/^Succeeded .* readable until \S+ \S+ +the inventory$/))
      expect(jsonLines((yield* run("jobs", "--json", job.id)).stdout)).toMatchObject([
        { jobId: job.id, name: "2014/a.jpg" }
      ])
    }).pipe(
      Effect.provide(
        NodeEmulator.layer({ jobDelay: { Expedited: "1 hour", Bulk: "1 hour", Inventory: 0 }, inventoryDelay: 0 })
      )
    ), 120_000)

  it.scopedLive(
    "takes an id that begins with -, and fails for a job that does not exist",
    () =>
      Effect.gen(function*() {
        const { run } = yield* makePrograms(vaultName)
        const { code, stderr } = yield* run("jobs", `-${"x".repeat(91)}`)
        expect(code).toBe(1)
        expect(stderr).toMatch(/-x{91}/)
      }).pipe(Effect.provide(emulator)),
    60_000
  )
})

describe.concurrent("effect-glacier uploads", () => {
  it.scopedLive(
    "lists open uploads with their names, and aborts them after a confirmation",
    () =>
      Effect.gen(function*() {
        const { run, type, vault } = yield* makePrograms(vaultName)
        const glacier = yield* GlacierClient
        const open = (description: string) =>
          Effect.map(
            glacier.initiateMultipartUpload({ ...address, description, partSize: 2 ** 20 }),
            ({ uploadId }) => uploadId
          )
        const ids = yield* Effect.forEach(["a.tar", "b.tar", "c.tar"], open)
        const count = Stream.runCount(vault.uploads)
        const listed = jsonLines((yield* run("uploads", "--json")).stdout)
        expect(listed.map(({ name, uploadId }) => [name, uploadId]).sort()).toEqual(
          ids.map((id, index) => [["a.tar", "b.tar", "c.tar"][index], id])
        )
        const text = yield* run("uploads")
        expect(text.stdout).toMatch(/^AGE +PARTS OF +NAME +ID\n/)
        expect(text.stdout).toMatch(/ 1\.0 MiB +a\.tar +\S{20,}/)

        expect(yield* run("uploads", "--abort")).toMatchObject({ code: 1, stderr: expect.stringMatching(/use --yes/) })
        expect(yield* run("uploads", "--abort", "--dry-run")).toMatchObject({
          code: 0,
          stderr: expect.stringMatching(/^This would abort 3 uploads/)
        })
        expect((yield* type([["Type the name", `y${enter}`]], "uploads", "--abort")).code).toBe(1)
        expect(yield* count).toBe(3)
        expect((yield* run("uploads", "--abort", "--yes", ids[1] ?? "")).code).toBe(0)
        expect(yield* run("uploads", "--abort", "--yes", `-${"x".repeat(91)}`)).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/has no open upload -x{91}/)
        })
        expect(yield* count).toBe(2)
        expect((yield* type([["Type the name", `photos${enter}`]], "uploads", "--abort")).code).toBe(0)
        expect(yield* count).toBe(0)
      }).pipe(Effect.provide(emulator)),
    60_000
  )
})

describe.concurrent("effect-glacier tags", () => {
  it.scopedLive("sets, shows and removes tags", () =>
    Effect.gen(function*() {
      const { run } = yield* makePrograms(vaultName)
      expect(yield* run("tags")).toMatchObject({ code: 0, stdout: "", stderr: "No tags\n" })
      expect(yield* run("tags", "--set", "owner=ada", "--set", "path=a=b", "--dry-run")).toMatchObject({
        code: 0,
        stdout: "This would change the tags of the vault photos: set owner=ada, set path=a=b",
        stderr: "No tags\n"
      })
      expect(yield* run("tags", "--set", "owner=ada", "--set", "path=a=b")).toMatchObject({
        code: 0,
        stdout: "owner=ada\npath=a=b"
      })
      const { stdout } = yield* run("tags", "--remove", "owner", "--json", "--yes")
      expect(jsonLines(stdout)).toEqual([{ key: "path", value: "a=b" }])
      expect(yield* run("tags", "--set", "owner")).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/KEY=VALUE/)
      })
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive("prints the preview of a change also with --quiet and --json", () =>
    Effect.gen(function*() {
      const { run } = yield* makePrograms(vaultName)
      const change = ["tags", "--set", "owner=ada", "--dry-run"]
      const text = "This would change the tags of the vault photos: set owner=ada"
      expect(yield* run(...change, "--quiet")).toMatchObject({ code: 0, stdout: text, stderr: "" })
      expect(jsonLines((yield* run(...change, "--json")).stdout)).toEqual([
        { type: "summary", dryRun: true, message: text }
      ])
    }).pipe(Effect.provide(emulator)), 60_000)

  it.scopedLive("asks before the value of a tag is lost", () =>
    Effect.gen(function*() {
      const { run, type } = yield* makePrograms(vaultName)
      expect((yield* run("tags", "--set", "owner=ada", "--set", "project=films")).code).toBe(0)
      const change = ["tags", "--set", "owner=bob", "--remove", "project", "--remove", "unknown"]
      expect(yield* run(...change)).toMatchObject({
        code: 1,
        stderr: "This will change the tags of the vault photos: remove project=films, set owner=bob instead of ada. " +
          "There is no terminal to confirm this on: use --yes. Nothing was changed\n"
      })
      expect((yield* type([["Continue?", `n${enter}`]], ...change)).code).toBe(1)
      expect((yield* run("tags")).stdout).toBe("owner=ada\nproject=films")
      expect(yield* type([["Continue?", `y${enter}`]], ...change)).toMatchObject({ code: 0, untyped: [] })
      expect((yield* run("tags", "--set", "owner=bob", "--remove", "project")).stdout).toBe("owner=bob")
    }).pipe(Effect.provide(emulator)), 120_000)
})

describe.concurrent("effect-glacier policy", () => {
  it.scopedLive("sets, shows and removes the access policy", () =>
    Effect.gen(function*() {
      const { folder, run } = yield* makePrograms(vaultName)
      const file = writePolicy(folder, 7)
      expect(yield* run("policy", "--json")).toMatchObject({ code: 0, stdout: "{\"policy\":null}" })
      expect(yield* run("policy", "--set", file, "--dry-run")).toMatchObject({
        code: 0,
        stdout: `This would set the access policy of the vault photos to that in ${file}\nNo access policy`,
        stderr: ""
      })
      expect((yield* run("policy", "--set", file, "--yes")).stdout).toBe(JSON.stringify(policyOf(7), null, 2))
      expect(jsonLines((yield* run("policy", "--json")).stdout)).toEqual([{ policy: policyOf(7) }])
      expect(yield* run("policy", "--set", file, "--remove")).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^--set and --remove cannot be used together/)
      })
      expect((yield* run("policy", "--remove", "--yes")).stdout).toBe("No access policy")
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive("asks before it sets, replaces or removes the access policy", () =>
    Effect.gen(function*() {
      const { folder, run, type } = yield* makePrograms(vaultName)
      const file = writePolicy(folder, 7)
      const unconfirmed = (text: string) => ({
        code: 1,
        stderr: `This will ${text}. There is no terminal to confirm this on: use --yes. Nothing was changed\n`
      })
      const subject = "the access policy of the vault photos"
      expect(yield* run("policy", "--set", file)).toMatchObject(unconfirmed(`set ${subject} to that in ${file}`))
      expect((yield* type([["Continue?", `n${enter}`]], "policy", "--set", file)).code).toBe(1)
      expect((yield* run("policy")).stdout).toBe("No access policy")
      expect(yield* type([["Continue?", `y${enter}`]], "policy", "--set", file)).toMatchObject({ code: 0, untyped: [] })
      expect(yield* run("policy", "--set", file)).toMatchObject(unconfirmed(`replace ${subject} by that in ${file}`))
      expect(yield* run("policy", "--remove")).toMatchObject(unconfirmed(`remove ${subject}`))
      expect((yield* type([["Continue?", `y${enter}`]], "policy", "--remove")).lines.at(-1)).toBe("No access policy")
      expect((yield* run("policy", "--remove")).code).toBe(0)
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive("shows the data retrieval policy of the account", () =>
    Effect.gen(function*() {
      const { run } = yield* makePrograms(vaultName)
      const glacier = yield* GlacierClient
      expect((yield* run("policy", "--retrieval")).stdout).toBe("No limit")
      yield* glacier.setDataRetrievalPolicy({
        policy: { rules: [{ strategy: "BytesPerHour", bytesPerHour: 2 ** 30 }] }
      })
      expect((yield* run("policy", "--retrieval")).stdout).toBe("BytesPerHour: 1.0 GiB in an hour")
      expect(jsonLines((yield* run("policy", "--retrieval", "--json")).stdout)).toEqual([
        { strategy: "BytesPerHour", bytesPerHour: 2 ** 30 }
      ])
    }).pipe(Effect.provide(emulator)), 120_000)
})

describe.concurrent("effect-glacier notifications", () => {
  it.scopedLive("sets, shows and removes the topic of messages", () =>
    Effect.gen(function*() {
      const { run } = yield* makePrograms(vaultName)
      const topic = "arn:aws:sns:us-east-1:123456789012:jobs"
      expect((yield* run("notifications")).stdout).toBe("No notifications")
      expect((yield* run("notifications", "--set", topic)).stdout).toBe(
        `${topic}: ArchiveRetrievalCompleted, InventoryRetrievalCompleted`
      )
      expect(jsonLines((yield* run("notifications", "--set", topic, "--event", "inventory", "--json", "--yes")).stdout))
        .toEqual([{ topic, events: ["InventoryRetrievalCompleted"] }])
      expect(yield* run("notifications", "--event", "archive")).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/--set ARN/)
      })
      expect(yield* run("notifications", "--set", "somewhere", "--yes")).toMatchObject({ code: 2 })
      expect((yield* run("notifications", "--remove", "--yes")).stdout).toBe("No notifications")
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive("asks before it replaces or removes notifications", () =>
    Effect.gen(function*() {
      const { run, type } = yield* makePrograms(vaultName)
      const [jobs, other] = ["jobs", "other"].map((name) => `arn:aws:sns:us-east-1:123456789012:${name}`)
      if (jobs === undefined || other === undefined) throw new Error("there are no topics")
      expect((yield* run("notifications", "--set", jobs, "--event", "archive")).code).toBe(0)
      const both = "ArchiveRetrievalCompleted, InventoryRetrievalCompleted"
      const subject = `the notifications of the vault photos, ${jobs}: ArchiveRetrievalCompleted`
      expect(yield* run("notifications", "--set", other)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`This will replace ${subject}, by ${other}: ${both}. There is no terminal`)
      })
      expect(yield* run("notifications", "--set", other, "--dry-run")).toMatchObject({
        code: 0,
        stdout: `This would replace ${subject}, by ${other}: ${both}\n${jobs}: ArchiveRetrievalCompleted`,
        stderr: ""
      })
      expect(yield* run("notifications", "--remove")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`This will remove ${subject}. There is no terminal`)
      })
      expect((yield* type([["Continue?", `n${enter}`]], "notifications", "--remove")).code).toBe(1)
      expect((yield* run("notifications")).stdout).toBe(`${jobs}: ArchiveRetrievalCompleted`)
      const removed = yield* type([["Continue?", `y${enter}`]], "notifications", "--remove")
      expect(removed.lines.at(-1)).toBe("No notifications")
      expect((yield* run("notifications", "--remove")).code).toBe(0)
    }).pipe(Effect.provide(emulator)), 120_000)
})

describe.concurrent("effect-glacier lock", () => {
  it.scopedLive("begins a lock, tests it by a deletion that is denied, and completes it", () =>
    Effect.gen(function*() {
      const { folder, run, type, vault } = yield* makePrograms(vaultName)
      const file = writePolicy(folder, 7)
      const [archive] = yield* storeAll(vault, ["a"])
      const id = archive?.archiveId ?? ""
      expect((yield* run("lock")).stdout).toBe("No lock")
      expect(yield* run("lock", "--test")).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/Begin the lock by --begin/)
      })
      expect(yield* run("lock", "--begin", file)).toMatchObject({ code: 1, stderr: expect.stringMatching(/use --yes/) })
      const begun = yield* run("lock", "--begin", file, "--json", "--yes")
      expect(begun.stderr).toMatch(/^The policy is in force until 20.*\n.*lock --vault photos --test ARCHIVE-ID/s)
      expect(jsonLines(begun.stdout)).toMatchObject([{ state: "InProgress", policy: policyOf(7) }])
      expect((yield* run("lock", "--test")).stdout).toMatch(/^The lock is the one that was begun here/)
      expect(yield* run("lock", "--test", id, "--dry-run")).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(new RegExp(`^This would try to delete the archive ${id}\n`))
      })
      const name = "Type the name of the vault"
      const tested = yield* type([[name, `photos${enter}`]], "lock", "--test", id)
      expect(tested).toMatchObject({ code: 0, untyped: [] })
      expect(tested.lines.join("\n")).toMatch(/The deletion was denied/)
      expect((yield* type([[name, `photo${enter}`]], "lock", "--complete")).code).toBe(1)
      expect((yield* run("lock")).stdout).toMatch(/^In progress since/)
      expect(yield* run("lock", "--complete")).toMatchObject({ code: 1, stderr: expect.stringMatching(/use --yes/) })
      expect(yield* run("lock", "--complete", "--dry-run")).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^This would make the policy final\nIn progress since/),
        stderr: ""
      })
      expect((yield* type([[name, `photos${enter}`]], "lock", "--complete")).code).toBe(0)
      expect((yield* run("lock")).stdout).toMatch(/^Locked since .*: nobody can change or remove this policy\n\{/)
      expect((yield* run("lock", "--abort", "--yes")).code).toBe(1)
    }).pipe(Effect.provide(emulator)), 120_000)

  it.scopedLive("asks nothing if there is no lock to abort", () =>
    Effect.gen(function*() {
      const { run } = yield* makePrograms(vaultName)
      expect(yield* run("lock", "--abort")).toMatchObject({ code: 0, stdout: "No lock", stderr: "" })
    }).pipe(Effect.provide(emulator)), 60_000)

  it.scopedLive(
    "fails when the policy permits the deletion, records it, and aborts the lock",
    () =>
      Effect.gen(function*() {
        const { folder, run, vault } = yield* makePrograms(vaultName)
        const [archive] = yield* storeAll(vault, ["a", "b"])
        expect((yield* run("inventory", "--wait")).code).toBe(0)
        expect((yield* run("lock", "--begin", writePolicy(folder, 0), "--yes")).code).toBe(0)
        expect(yield* run("lock", archive?.archiveId ?? "")).toMatchObject({
          code: 2,
          stderr: expect.stringMatching(/is only used with --test/)
        })
        expect(yield* run("lock", "--test", "--yes", archive?.archiveId ?? "")).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/is deleted: the policy does not deny it/)
        })
        expect(jsonLines((yield* run("ls", "--json", "--quiet")).stdout)).toMatchObject([
          { name: "a", state: "deleted" },
          { name: "b", state: null }
        ])
        expect((yield* run("lock", "--abort", "--yes")).stdout).toBe("No lock")
        expect(yield* run("lock", "--complete", "--yes")).toMatchObject({ code: 1 })
      }).pipe(Effect.provide(emulator)),
    120_000
  )
})

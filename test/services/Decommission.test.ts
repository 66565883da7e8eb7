/** A vault that is emptied and deleted: its events, the reasons to stop, and restarts. All in virtual time. */
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { GlacierClient } from "../../src/client/GlacierClient.ts"
import * as Emulator from "../../src/emulator/Emulator.ts"
import type * as Inventory from "../../src/protocol/Inventory.ts"
import * as Decommission from "../../src/services/Decommission.ts"
import * as DecommissionEvent from "../../src/services/DecommissionEvent.ts"
import * as Vault from "../../src/services/Vault.ts"
import * as Checkpoint from "../../src/transfer/Checkpoint.ts"
import * as Source from "../../src/transfer/Source.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { address, type Change, recording } from "../transfer/support.ts"
import { errorResponseOf } from "../transport/support.ts"
import { arrayOf, storeAll } from "./many.ts"
import { layer } from "./support.ts"

const names = (count: number) => Array.from({ length: count }, (_, index) => `${index}`)

/** Stores archives, and waits until they are more than 90 days old. */
const storeOld = (count: number) =>
  Effect.zipLeft(storeAll(names(count), (index) => index + 1), Effect.sleep("100 days"))

const run = <E = never, R = never>(options?: Decommission.Options<E, R>) => arrayOf(Decommission.run("photos", options))

/** Runs it until it stops, and returns the reason. */
const reasonOf = <E = never, R = never>(options?: Decommission.Options<E, R>) =>
  Effect.flatMap(
    Effect.flip(run(options)),
    (error) =>
      error instanceof DecommissionEvent.DecommissionStopped ? Effect.succeed(error.reason) : Effect.fail(error)
  )

const tagsOf = (events: ReadonlyArray<{ readonly _tag: string }>) => events.map(({ _tag }) => _tag)

/** The vaults of the emulator with their numbers of archives. */
const contents = Effect.map(
  Effect.flatMap(Emulator.Emulator, ({ vaults }) => vaults),
  (vaults) => vaults.map(({ archives }) => archives.length)
)

const provided = (change?: Change) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(Effect.provide(layer(change)), Effect.provide(Checkpoint.layerMemory), inVirtualTime)

const setLock = (statement: object) =>
  Effect.flatMap(GlacierClient, (glacier) => glacier.initiateVaultLock({ ...address, policy: policyOf(statement) }))

const policyOf = (statement: object) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{
      Effect: "Deny",
      Principal: "*",
      Action: "glacier:DeleteArchive",
      Resource: "arn:aws:glacier:us-east-1:*:vaults/photos",
      ...statement
    }]
  })

describe("Decommission.run", () => {
  it.effect("deletes the archives, waits a day for the next inventory, and deletes the vault", () =>
    Effect.gen(function*() {
      yield* storeOld(3)
      const start = yield* DateTime.now
      const events = yield* run()
      expect(tagsOf(events)).toEqual([
        ...["Checked", "InventoryRequested", "Planned", "Progress", "Emptied", "Waiting", "VaultDeleted"]
      ])
      expect(yield* contents).toEqual([])
      const hours = DateTime.distance(start, yield* DateTime.now) / 3_600_000
      // A job of 4 hours, a lag of 24 hours, and at most 1 hour until the next request.
      expect(hours).toBeGreaterThanOrEqual(28)
      expect(hours).toBeLessThan(30)
    }).pipe(provided()))

  it.effect("names the next step in each event, and when it is expected", () =>
    Effect.gen(function*() {
      yield* storeOld(2)
      const lines = (yield* run()).map(DecommissionEvent.format)
      expect(lines.map((line) => /Next: .*$/.exec(line)?.[0].replace(/T.*/, ""))).toEqual([
        "Next: retrieve the inventory, 1970-04-11",
        "Next: delete archives, 1970-04-11",
        "Next: delete archives, 1970-04-11",
        "Next: wait for the next inventory, 1970-04-11",
        "Next: wait for the next inventory, 1970-04-12",
        "Next: wait for the next inventory, 1970-04-11",
        undefined
      ])
    }).pipe(provided()))

  it.effect("deletes the archives that were stored meanwhile, in a round of their own", () =>
    Effect.gen(function*() {
      yield* storeOld(2)
      yield* Effect.fork(Effect.delay(storeAll(["late"], () => 9), "10 hours"))
      const events = yield* run({ youngArchives: "delete" })
      const emptied = events.filter(({ _tag }) => _tag === "Emptied")
      expect(emptied).toMatchObject([{ round: 1, archives: 2 }, { round: 2, archives: 1 }])
      expect(yield* contents).toEqual([])
    }).pipe(provided()))

  it.effect("deletes a vault without archives at once, without an inventory job", () => {
    const { change, sent } = recording()
    return Effect.gen(function*() {
      expect(tagsOf(yield* run())).toEqual(["Checked", "VaultDeleted"])
      expect(sent.filter((request) => request.startsWith("POST"))).toEqual([])
      expect(yield* contents).toEqual([])
    }).pipe(provided(change))
  })

  it.effect("waits for the first inventory of a vault that has none yet", () =>
    Effect.gen(function*() {
      yield* storeAll(["a"], () => 1)
      const events = yield* run({ youngArchives: "delete" })
      expect(tagsOf(events).slice(0, 3)).toEqual(["Checked", "Waiting", "InventoryRequested"])
      expect(yield* contents).toEqual([])
    }).pipe(provided()))

  it.effect("sends nothing that deletes before its consumer asks for the event after Planned", () => {
    const { change, sent } = recording()
    return Effect.gen(function*() {
      yield* storeOld(2)
      yield* Decommission.run("photos").pipe(Stream.takeUntil(({ _tag }) => _tag === "Planned"), Stream.runDrain)
      expect(sent.filter((request) => request.startsWith("DELETE"))).toEqual([])
      expect(yield* contents).toEqual([2])
    }).pipe(provided(change))
  })

  it.effect("emits one progress event for 1,000 archives", () =>
    Effect.gen(function*() {
      yield* storeOld(1_001)
      const progress = (yield* run()).filter(({ _tag }) => _tag === "Progress")
      expect(progress.length).toBe(2)
      expect(progress.at(-1)).toMatchObject({ archives: 1_001, deleted: 1_001, unproven: 0, failed: 0 })
    }).pipe(provided()))

  it.effect("keeps the empty vault if asked to, and deletes it in a later run", () =>
    Effect.gen(function*() {
      yield* storeOld(3)
      const events = yield* run({ emptyVault: "keep" })
      expect(tagsOf(events)).toEqual([
        ...["Checked", "InventoryRequested", "Planned", "Progress", "Emptied", "Waiting", "VaultKept"]
      ])
      expect(DecommissionEvent.format(events.at(-1)!)).toMatch(
        /vaults\/photos has no archives in the inventory of 1970-/
      )
      expect(yield* contents).toEqual([0])
      expect(tagsOf(yield* run({ emptyVault: "keep" }))).toEqual(["Checked", "VaultKept"])
      expect(tagsOf(yield* run())).toEqual(["Checked", "VaultDeleted"])
    }).pipe(provided()))

  it.effect("deletes the archives that are stored after it has kept the vault", () =>
    Effect.gen(function*() {
      yield* storeOld(1)
      yield* run({ emptyVault: "keep" })
      yield* storeOld(2)
      expect((yield* run({ emptyVault: "keep" })).at(-1)).toMatchObject({ _tag: "VaultKept" })
      expect(yield* contents).toEqual([0])
    }).pipe(provided()))

  it.effect("reports a kept vault without an inventory as such, and not as empty", () =>
    Effect.gen(function*() {
      yield* storeAll(["a"], () => 1)
      const events = yield* run({ emptyVault: "keep" })
      expect(tagsOf(events)).toEqual(["Checked", "VaultKept"])
      expect(events.map(DecommissionEvent.format)[1]).toMatch(/photos has no inventory yet/)
      expect(yield* contents).toEqual([1])
    }).pipe(provided()))

  it.effect("passes each deleted archive to onDeleted before the checkpoint records it", () =>
    Effect.gen(function*() {
      yield* storeOld(3)
      const deleted: Array<string> = []
      const onDeleted = ({ description }: Inventory.Entry) =>
        Effect.zipRight(
          Effect.sync(() => deleted.push(description)),
          deleted.length === 1 ? Effect.fail("no space" as const) : Effect.void
        )
      expect(yield* Effect.flip(run({ concurrency: 1, onDeleted }))).toBe("no space")
      yield* run({ concurrency: 1, onDeleted })
      // The failure was about the second archive, which the checkpoint has not recorded.
      expect(deleted).toEqual(["0", "1", "1", "2"])
    }).pipe(provided()))

  it.effect("reports that the vault was deleted before, when it runs again", () =>
    Effect.gen(function*() {
      yield* run()
      expect(yield* run()).toMatchObject([{ _tag: "VaultDeleted", before: true }])
    }).pipe(provided()))

  it.effect("starts from the beginning when the vault exists again", () =>
    Effect.gen(function*() {
      const { create } = yield* Vault.Vault
      yield* run()
      yield* create
      yield* storeOld(1)
      expect((yield* run()).at(-1)).toMatchObject({ _tag: "VaultDeleted", before: false })
      expect(yield* contents).toEqual([])
    }).pipe(provided()))

  it.effect("fails for a vault that does not exist", () =>
    Effect.gen(function*() {
      expect(yield* Effect.flip(Stream.runDrain(Decommission.run("photo")))).toMatchObject({ _tag: "VaultNotFound" })
    }).pipe(provided()))

  it.effect("rejects invalid options before it sends anything", () => {
    const { change, sent } = recording()
    return Effect.gen(function*() {
      expect(yield* Effect.flip(run({ concurrency: 0 }))).toMatchObject({ _tag: "InvalidInput", field: "concurrency" })
      expect(yield* Effect.flip(run({ pricePerGiBMonth: -1 }))).toMatchObject({ _tag: "InvalidInput" })
      expect(sent).toEqual([])
    }).pipe(provided(change))
  })

  it.effect("fails when the checkpoint belongs to another vault", () =>
    Effect.gen(function*() {
      yield* Effect.flatMap(Vault.make("films"), ({ create }) => create)
      yield* storeAll(["a"], () => 1)
      yield* Stream.runDrain(Stream.take(Decommission.run("photos", { name: "mine" }), 1))
      expect(yield* Effect.flip(Stream.runDrain(Decommission.run("films", { name: "mine" })))).toMatchObject({
        _tag: "CheckpointError",
        problem: expect.stringMatching(/^belongs to the vault .*photos, not .*films: use another name$/)
      })
      yield* Decommission.clear("photos", { name: "mine" })
      yield* Stream.runDrain(Decommission.run("films", { name: "mine" }))
    }).pipe(provided()))
})

describe("Decommission.run stops", () => {
  it.effect("for archives younger than 90 days, with the cost of deleting them", () =>
    Effect.gen(function*() {
      yield* storeOld(1)
      yield* storeAll(["young"], () => 2 ** 20 - 32_768)
      yield* Effect.sleep("30 days")
      const reason = yield* reasonOf({ pricePerGiBMonth: 1_024 })
      // 1 MiB with its overhead, for the other 2 of 3 months, less the 4 hours of the job.
      expect(reason).toMatchObject({ _tag: "YoungArchives", early: { archives: 1, bytes: 2 ** 20 - 32_768 } })
      const cost = reason._tag === "YoungArchives" ? Option.getOrThrow(reason.early.cost) : NaN
      expect(cost).toBeCloseTo(2, 1)
      expect(yield* contents).toEqual([2])
      yield* run({ youngArchives: "delete" })
      expect(yield* contents).toEqual([])
    }).pipe(provided()))

  it.effect("for a lock that denies the deletion of any archive, before it starts a job", () => {
    const { change, sent } = recording()
    return Effect.gen(function*() {
      yield* storeOld(1)
      yield* setLock({})
      expect(yield* reasonOf({ uncertainDenials: "try" })).toMatchObject({
        _tag: "PolicyDenies",
        denials: [{ policy: "vault lock", action: "DeleteArchive", certain: true }]
      })
      expect(sent.filter((request) => /^(DELETE|POST .*jobs)/.test(request))).toEqual([])
    }).pipe(provided(change))
  })

  it.effect("for a lock that denies the deletion of archives below an age, until they reach it", () =>
    Effect.gen(function*() {
      yield* storeOld(2)
      const condition = { NumericLessThan: { "glacier:ArchiveAgeInDays": "101" } }
      yield* setLock({ Condition: condition })
      expect(yield* reasonOf()).toMatchObject({
        _tag: "PolicyDenies",
        archives: Option.some(2),
        denials: [{ youngerThanDays: 101 }],
        until: Option.some(DateTime.unsafeMake("1970-04-12"))
      })
      yield* Effect.sleep("1 day")
      expect((yield* run()).at(-1)).toMatchObject({ _tag: "VaultDeleted" })
    }).pipe(provided()))

  it.effect("for a policy that may deny, unless it is to try", () =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient
      yield* storeOld(1)
      const policy = policyOf({ Principal: { AWS: "arn:aws:iam::210987654321:root" } })
      yield* glacier.setVaultAccessPolicy({ ...address, policy })
      expect(yield* reasonOf()).toMatchObject({
        _tag: "PolicyDenies",
        denials: [{ policy: "access policy", certain: false }]
      })
      const { message } = yield* Effect.flip(run())
      expect(message).toMatch(/\. To send the requests all the same, set uncertainDenials: "try"$/)
      expect((yield* run({ uncertainDenials: "try" })).at(-1)).toMatchObject({ _tag: "VaultDeleted" })
    }).pipe(provided()))

  it.effect("not for a policy that denies the deletion of a vault that it keeps", () =>
    Effect.gen(function*() {
      yield* storeOld(1)
      yield* setLock({ Action: "glacier:DeleteVault" })
      expect(yield* reasonOf()).toMatchObject({ _tag: "PolicyDenies", denials: [{ action: "DeleteVault" }] })
      expect((yield* run({ emptyVault: "keep" })).at(-1)).toMatchObject({ _tag: "VaultKept" })
    }).pipe(provided()))

  it.effect("at the first deletion that the service denies", () => {
    let isDenied = true
    const { change: record, sent } = recording()
    const change: Change = (send, request) =>
      record(
        isDenied && request.method === "DELETE"
          ? Effect.succeed(HttpClientResponse.fromWeb(request, errorResponseOf(403, "AccessDeniedException")))
          : send,
        request
      )
    return Effect.gen(function*() {
      yield* storeOld(30)
      expect(yield* reasonOf({ concurrency: 2 })).toMatchObject({ _tag: "AccessDenied", operation: "DeleteArchive" })
      expect(sent.filter((request) => request.startsWith("DELETE")).length).toBeLessThan(10)
      isDenied = false
      expect((yield* run()).at(-1)).toMatchObject({ _tag: "VaultDeleted" })
    }).pipe(provided(change))
  })

  it.effect("for open uploads, or aborts them if asked to", () =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient
      yield* storeOld(1)
      const { uploadId } = yield* glacier.initiateMultipartUpload({ ...address, partSize: 2 ** 20 })
      expect(yield* reasonOf()).toMatchObject({ _tag: "OpenUploads", uploads: [{ uploadId }] })
      const events = yield* run({ openUploads: "abort" })
      expect(events.filter(({ _tag }) => _tag === "UploadAborted")).toMatchObject([{ uploadId }])
      expect(yield* contents).toEqual([])
    }).pipe(provided()))

  it.effect("for an upload that is opened after the last deletion, and keeps the vault", () =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient
      yield* storeOld(1)
      yield* Effect.fork(Effect.delay(glacier.initiateMultipartUpload({ ...address, partSize: 2 ** 20 }), "20 hours"))
      expect(yield* reasonOf()).toMatchObject({ _tag: "OpenUploads" })
      expect(yield* contents).toEqual([0])
    }).pipe(provided()))

  it.effect("for running retrievals, unless they are ignored", () =>
    Effect.gen(function*() {
      const vault = yield* Vault.Vault
      const [archive] = yield* storeOld(1)
      yield* vault.retrieveArchive(archive?.archiveId ?? "")
      expect(yield* reasonOf()).toEqual({ _tag: "RunningJobs", jobs: 1 })
      expect((yield* run({ runningJobs: "ignore" })).at(-1)).toMatchObject({ _tag: "VaultDeleted" })
    }).pipe(provided()))

  it.effect("when archives have no proof, deletes the others, and continues with the same plan later", () => {
    const { change, sent } = recording()
    return Effect.gen(function*() {
      yield* storeOld(5)
      const proven = new Set(["0", "1", "2"])
      const proof = ({ description }: { readonly description: string }) => Effect.sync(() => proven.has(description))
      expect(yield* reasonOf({ proof })).toEqual({ _tag: "Unproven", archives: 2, bytes: 4 + 5 })
      expect(yield* contents).toEqual([2])
      for (const name of names(5)) proven.add(name)
      sent.length = 0
      expect((yield* run({ proof })).at(-1)).toMatchObject({ _tag: "VaultDeleted" })
      expect(sent.filter((request) => /^(DELETE .*archives|POST)/.test(request)).length).toBe(2)
    }).pipe(provided(change))
  })

  it.effect("with the error of a proof that fails, before it deletes the archive", () =>
    Effect.gen(function*() {
      yield* storeOld(1)
      expect(yield* Effect.flip(run({ proof: () => Effect.fail("no network" as const) }))).toBe("no network")
      expect(yield* contents).toEqual([1])
    }).pipe(provided()))

  it.effect("when archives cannot be deleted, with the last error", () => {
    const change: Change = (send, request) =>
      request.method === "DELETE" && request.url.includes("/archives/")
        ? Effect.succeed(
          HttpClientResponse.fromWeb(request, errorResponseOf(400, "InvalidParameterValueException", "no"))
        )
        : send
    return Effect.gen(function*() {
      yield* storeOld(2)
      expect(yield* reasonOf()).toMatchObject({ _tag: "DeletionsFailed", archives: 2, message: "no" })
    }).pipe(provided(change))
  })

  it.effect("with a message that says what to do", () =>
    Effect.gen(function*() {
      yield* storeAll(["a"], () => 1)
      yield* Effect.sleep("1 day")
      const error = yield* Effect.flip(run())
      expect(error).toHaveProperty(
        "message",
        "The vault photos was not deleted: 1 archive (1 byte) is younger than 90 days. To delete it now is billed as 0.000 " +
          "GiB-months. Wait until 1970-04-01T00:00:00.000Z, or set youngArchives: \"delete\""
      )
    }).pipe(provided()))
})

describe("Decommission.dryRun", () => {
  it.effect("changes nothing, and prints the archives, the reasons to stop and the steps", () => {
    const { change, sent } = recording()
    return Effect.gen(function*() {
      const glacier = yield* GlacierClient
      yield* storeOld(2)
      yield* storeAll(["young"], () => 1)
      yield* Effect.sleep("1 day")
      yield* glacier.addTagsToVault({ ...address, tags: { owner: "me" } })
      yield* glacier.initiateMultipartUpload({ ...address, partSize: 2 ** 20 })
      sent.length = 0
      const report = yield* Decommission.dryRun("photos", {
        pricePerGiBMonth: 1,
        proof: ({ description }) => Effect.succeed(description !== "0")
      })
      // The only request that is not a list or a description starts the inventory job.
      expect(sent.filter((request) => !request.startsWith("GET"))).toEqual(["POST /-/vaults/photos/jobs"])
      expect(report.stops.map(({ _tag }) => _tag)).toEqual(["OpenUploads", "YoungArchives", "Unproven"])
      expect(Decommission.format(report).split("\n").map((line) => line.replace(/\(\S{60,}\)/, "(ID)"))).toEqual([
        "Vault photos: 3 archives in the inventory of 1970-04-12T00:00:00.000Z",
        "To delete: 3 archives, 4 bytes",
        "Youngest archive: 1970-04-11T00:00:00.000Z",
        "Younger than 90 days: 1 archive, billed as 0.000 GiB-months (0.00)",
        "Without a proof: 1 archive, which will not be deleted",
        "Open multipart uploads: 1. Retrievals in progress: 0. Readable outputs: 0",
        "Deleted with the vault: 1 tag",
        expect.stringMatching(/^Stops: 1 multipart upload is open \(ID\)/),
        expect.stringMatching(/^Stops: 1 archive \(1 byte\) is younger than 90 days/),
        expect.stringMatching(/^Stops: 1 archive \(1 byte\) has no proof/),
        "Steps:",
        "  1970-04-12T04:00:00.000Z  look at the vault",
        "  1970-04-12T04:00:00.000Z  retrieve the inventory",
        "  1970-04-12T04:00:00.000Z  delete archives",
        "  1970-04-12T04:00:00.000Z  wait for the next inventory",
        "  1970-04-13T04:00:00.000Z  delete the vault"
      ])
    }).pipe(provided(change))
  })

  it.effect("reports that a vault without an inventory is deleted or waited for, without a job", () => {
    const { change, sent } = recording()
    return Effect.gen(function*() {
      const report = yield* Decommission.dryRun("photos")
      expect(report).toMatchObject({ inventory: Option.none(), stops: [] })
      expect(report.steps.map(({ step }) => step)).toEqual([
        ...["check", "deleteVault", "wait", "list", "delete", "wait", "deleteVault"]
      ])
      expect(Decommission.format(report)).toMatch(/^Vault photos: no inventory yet\nOpen multipart uploads: 0/)
      expect(sent.every((request) => request.startsWith("GET"))).toBe(true)
    }).pipe(provided(change))
  })

  it.effect("prints the steps and settings of a run that keeps the vault, and the remedies of the program", () =>
    Effect.gen(function*() {
      yield* storeOld(1)
      yield* Effect.flatMap(Vault.Vault, ({ upload }) => upload(Source.bytes(new Uint8Array(1))))
      yield* Effect.sleep("1 day")
      const report = yield* Decommission.dryRun("photos", { emptyVault: "keep" })
      expect(report.steps.map(({ step }) => step)).toEqual(["check", "list", "delete", "wait", "keepVault"])
      const flag = (name: string) => `use --${name}`
      const text = Decommission.format(report, {
        youngArchives: flag("young"),
        openUploads: flag("uploads"),
        runningJobs: flag("jobs"),
        uncertainDenials: flag("denials")
      })
      expect(text).toMatch(/Stops: 1 archive .* or use --young\n/)
      expect(text).not.toMatch(/Deleted with the vault/)
    }).pipe(provided()))

  it.effect("names the settings that are deleted with the vault", () =>
    Effect.gen(function*() {
      const glacier = yield* GlacierClient
      yield* glacier.setVaultAccessPolicy({ ...address, policy: policyOf({ Effect: "Allow" }) })
      yield* setLock({ Action: "glacier:UploadArchive" })
      const settings = Decommission.format(yield* Decommission.dryRun("photos")).split("\n")[2]
      expect(settings).toBe("Deleted with the vault: the access policy, the vault lock (InProgress)")
    }).pipe(provided()))

  it.effect("leaves its inventory job to the run", () => {
    const { change, sent } = recording()
    return Effect.gen(function*() {
      yield* storeOld(1)
      yield* Decommission.dryRun("photos")
      yield* run()
      expect(sent.filter((request) => request === "POST /-/vaults/photos/jobs").length).toBe(1)
    }).pipe(provided(change))
  })
})

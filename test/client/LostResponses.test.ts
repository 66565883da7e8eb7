import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Timeouts from "../../src/policy/Timeouts.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { archiveId, call, welcomeHash } from "../transport/calls.ts"
import { errorResponseOf, respondWith, responseOf, scripted } from "../transport/support.ts"
import type { Respond, Sent } from "../transport/support.ts"
import { denied, json, lost, mebibyte, ok, policies, run, unavailable, unsent, vaultName } from "./lossyCalls.ts"

describe("A call that must not be repeated and whose result cannot be looked up", () => {
  const names = ["uploadArchive", "purchaseProvisionedCapacity", "initiateVaultLock"] as const

  it.effect.each(
    names.flatMap((name) => [
      { name, about: "a lost connection", respond: lost },
      { name, about: "a failure of the service", respond: unavailable }
    ])
  )("fails with OutcomeUnknown after $about: $name", ({ name, respond }) =>
    Effect.gen(function*() {
      const target = call(name).request
      const { outcome, targets } = yield* run({ [target]: [respond] }, call(name).run)
      expect(outcome).toBe("OutcomeUnknown")
      expect(targets).toEqual([target])
    }))

  it.effect.each(names)("is retried when there was no connection: %s", (name) =>
    Effect.gen(function*() {
      const target = call(name).request
      const { at, outcome, targets } = yield* run({ [target]: [unsent, unsent, ok(name)] }, call(name).run)
      expect(outcome).toEqual(call(name).output)
      expect(targets).toEqual([target, target, target])
      expect(at).toEqual([0, 10_000, 20_000])
    }))

  it.effect.each(names)("fails with the error that shows that nothing was done: %s", (name) =>
    Effect.gen(function*() {
      const target = call(name).request
      expect((yield* run({ [target]: [denied] }, call(name).run)).outcome).toBe("AccessDenied")
      expect((yield* run({ [target]: [unsent] }, call(name).run)).outcome).toBe("ConnectionError")
    }))
})

describe("initiateJob", () => {
  const post = "POST /-/vaults/photos/jobs"
  const list = "GET /-/vaults/photos/jobs"
  const start = (glacier: GlacierClient.Service) =>
    glacier.initiateJob({ vaultName, parameters: { type: "archive-retrieval", archiveId } })

  /** The description in the request. */
  const description = (sent: ReadonlyArray<Sent>): string =>
    JSON.parse(new TextDecoder().decode(sent.find(({ method }) => method === "POST")?.body)).Description

  const job = (JobId: string, more: object = {}) => ({
    Action: "ArchiveRetrieval",
    ArchiveId: archiveId,
    ArchiveSizeInBytes: 4 * mebibyte,
    Completed: false,
    CreationDate: "1970-01-01T00:00:05.000Z",
    JobId,
    RetrievalByteRange: `0-${4 * mebibyte - 1}`,
    StatusCode: "InProgress",
    VaultARN: "arn:aws:glacier:us-east-1:012345678901:vaults/photos",
    ...more
  })
  const page = (jobs: ReadonlyArray<object>, Marker: string | null = null) => json({ JobList: jobs, Marker })
  const started = (jobId: string) => ({ jobId, jobOutputPath: Option.none(), location: Option.none() })

  it.effect("gives each job without a description a unique description", () =>
    Effect.gen(function*() {
      const { sent } = yield* run({ [post]: [ok("initiateJob")] }, (glacier) =>
        Effect.all({ first: start(glacier), second: start(glacier) }))
      const descriptions = sent.map(({ body }) =>
        JSON.parse(new TextDecoder().decode(body)).Description
      )
      expect(descriptions).toEqual([
        expect.stringMatching(/^effect-glacier:\w+$/),
        expect.stringMatching(/^effect-glacier:\w+$/)
      ])
      expect(new Set(descriptions).size).toBe(2)
    }))

  it.effect("finds its job in the list after a lost response, after the delay of a retry", () =>
    Effect.gen(function*() {
      const { at, outcome, targets } = yield* run(
        (sent) => ({
          [post]: [lost],
          [list]: [page([job("other"), job("mine", { JobDescription: description(sent) })])]
        }),
        start
      )
      expect(outcome).toEqual(started("mine"))
      expect(targets).toEqual([post, list])
      expect(at).toEqual([0, 10_000])
    }))

  it.effect("finds its job on a later page, and reads no further pages", () =>
    Effect.gen(function*() {
      const { outcome, targets } = yield* run(
        (sent) => ({
          [post]: [unavailable],
          [list]: [page([job("a"), job("b")], "next")],
          [`${list}?marker=next`]: [page([job("mine", { JobDescription: description(sent) })], "more")]
        }),
        start
      )
      expect(outcome).toEqual(started("mine"))
      expect(targets).toEqual([post, list, `${list}?marker=next`])
    }))

  it.effect("is sent again with the same description when its job is not in the list", () =>
    Effect.gen(function*() {
      const { at, outcome, sent, targets } = yield* run(
        { [post]: [lost, unavailable, ok("initiateJob")], [list]: [page([job("other")])] },
        start
      )
      expect(outcome).toEqual(call("initiateJob").output)
      expect(targets).toEqual([post, list, post, list, post])
      expect(at).toEqual([0, 10_000, 10_000, 20_000, 20_000])
      expect(new Set(sent.filter(({ method }) => method === "POST").map(({ body }) => String(body))).size).toBe(1)
    }))

  it.effect("fails with the last error when its job is never found and the policy permits no more attempts", () =>
    Effect.gen(function*() {
      const { outcome, targets } = yield* run({ [post]: [lost], [list]: [page([])] }, start)
      expect(outcome).toBe("ConnectionError")
      expect(targets).toEqual([post, list, post, list, post, list])
    }))

  it.effect("searches for its job even if the policy permits no retry", () =>
    Effect.gen(function*() {
      const { outcome } = yield* run(
        (sent) => ({ [post]: [lost], [list]: [page([job("mine", { JobDescription: description(sent) })])] }),
        start,
        { policies: RetryPolicy.layer(RetryPolicy.none) }
      )
      expect(outcome).toEqual(started("mine"))
    }))

  it.effect("fails with OutcomeUnknown when the search fails", () =>
    Effect.gen(function*() {
      const rejected = yield* run({ [post]: [lost], [list]: [denied] }, start)
      expect(rejected).toMatchObject({ outcome: "OutcomeUnknown", targets: [post, list] })
      // ListJobs itself is repeatable, so it is retried.
      const down = yield* run({ [post]: [lost], [list]: [unavailable] }, start)
      expect(down).toMatchObject({ outcome: "OutcomeUnknown", targets: [post, list, list, list] })
    }))

  it.effect("is sent again without a search when there was no connection, or it was throttled", () =>
    Effect.gen(function*() {
      const throttled: Respond = () => Effect.sync(() => errorResponseOf(400, "ThrottlingException"))
      const { outcome, targets } = yield* run({ [post]: [unsent, throttled, ok("initiateJob")] }, start)
      expect(outcome).toEqual(call("initiateJob").output)
      expect(targets).toEqual([post, post, post])
    }))

  const range = { start: mebibyte, end: 2 * mebibyte - 1 }
  it.effect.each([
    { about: "of another description", of: { JobDescription: "yours" } },
    { about: "of another archive", of: { ArchiveId: "another" } },
    { about: "for an inventory", of: { Action: "InventoryRetrieval" } },
    { about: "started before the call", of: { CreationDate: "1969-12-31T23:54:59.000Z" } },
    { about: "for other bytes", of: { RetrievalByteRange: `0-${mebibyte - 1}` } },
    { about: "for all bytes", of: { RetrievalByteRange: `0-${4 * mebibyte - 1}` } },
    { about: "with another topic", of: { SNSTopic: "arn:aws:sns:us-east-1:012345678901:yours" } },
    { about: "of another tier", of: { Tier: "Bulk" } }
  ])("does not take a job $about for its own", ({ of }) =>
    Effect.gen(function*() {
      const same = { JobDescription: "mine", RetrievalByteRange: `${range.start}-${range.end}` }
      const use = (glacier: GlacierClient.Service) =>
        glacier.initiateJob({
          vaultName,
          parameters: { type: "archive-retrieval", archiveId, description: "mine", retrievalByteRange: range }
        })
      const other = yield* run(
        { [post]: [lost, ok("initiateJob")], [list]: [page([job("a", { ...same, ...of })])] },
        use
      )
      expect(other).toMatchObject({ outcome: call("initiateJob").output, targets: [post, list, post] })
      expect((yield* run({ [post]: [lost], [list]: [page([job("a", same)])] }, use)).outcome).toEqual(started("a"))
    }))

  const inventory = (
    selection: { limit?: number; marker?: string; startDate?: DateTime.Utc } | undefined,
    description?: string
  ) =>
  (glacier: GlacierClient.Service) =>
    glacier.initiateJob({ vaultName, parameters: { type: "inventory-retrieval", description, selection } })
  const inventoryJob = (parameters: object, description: string) => ({
    ...job("mine", { Action: "InventoryRetrieval", JobDescription: description }),
    ...{ ArchiveId: null, ArchiveSizeInBytes: null, RetrievalByteRange: null },
    InventoryRetrievalParameters: { Format: "JSON", ...parameters }
  })

  it.effect("does not take an inventory of other dates for its own, if the caller chose the description", () =>
    Effect.gen(function*() {
      const StartDate = "2020-01-01T00:00:00Z"
      const startDate = DateTime.unsafeMake(StartDate)
      const list1 = page([inventoryJob({ StartDate }, "weekly")])
      const found = yield* run({ [post]: [lost], [list]: [list1] }, inventory({ startDate }, "weekly"))
      expect(found.outcome).toEqual(started("mine"))
      const other = yield* run({ [post]: [lost, ok("initiateJob")], [list]: [list1] }, inventory(undefined, "weekly"))
      expect(other.targets).toEqual([post, list, post])
    }))

  it.effect("fails with OutcomeUnknown for a page of an inventory, if the caller chose the description", () =>
    Effect.gen(function*() {
      for (const selection of [{ limit: 10 }, { marker: "a" }]) {
        const { outcome, targets } = yield* run({ [post]: [lost] }, inventory(selection, "weekly"))
        expect(outcome).toBe("OutcomeUnknown")
        expect(targets).toEqual([post])
      }
    }))

  it.effect("finds a page of an inventory by its unique description", () =>
    Effect.gen(function*() {
      const { outcome } = yield* run((sent) => ({
        [post]: [lost],
        [list]: [page([inventoryJob({ Limit: "10", Marker: "next" }, description(sent))])]
      }), inventory({ limit: 10, marker: "a" }))
      expect(outcome).toEqual(started("mine"))
    }))

  it.effect("does not take the retrieval of a range for the retrieval of all bytes", () =>
    Effect.gen(function*() {
      const { targets } = yield* run((sent) => {
        const part = job("a", { JobDescription: description(sent), RetrievalByteRange: `0-${mebibyte - 1}` })
        return { [post]: [lost, ok("initiateJob")], [list]: [page([part])] }
      }, start)
      expect(targets).toEqual([post, list, post])
    }))
})

describe("initiateMultipartUpload", () => {
  const post = "POST /-/vaults/photos/multipart-uploads"
  const open = (glacier: GlacierClient.Service) =>
    glacier.initiateMultipartUpload({ vaultName, partSize: mebibyte, description: "a year" })

  it.effect.each([
    { about: "its response is lost", respond: lost },
    { about: "the service fails", respond: unavailable },
    { about: "there is no connection", respond: unsent }
  ])("is sent again when $about, without a search of the open uploads", ({ respond }) =>
    Effect.gen(function*() {
      const { at, outcome, targets } = yield* run({ [post]: [respond, respond, ok("initiateMultipartUpload")] }, open)
      expect(outcome).toEqual(call("initiateMultipartUpload").output)
      expect(targets).toEqual([post, post, post])
      expect(at).toEqual([0, 10_000, 20_000])
    }))

  it.effect("fails with the last error when the policy permits no more attempts", () =>
    Effect.gen(function*() {
      const { outcome, targets } = yield* run({ [post]: [lost] }, open)
      expect(outcome).toBe("ConnectionError")
      expect(targets).toEqual([post, post, post])
    }))
})

describe("A call that is repeatable for a short time only", () => {
  const gone: Respond = () => Effect.sync(() => errorResponseOf(404, "ResourceNotFoundException"))

  describe.each(["completeMultipartUpload", "abortMultipartUpload"] as const)("%s", (name) => {
    const target = call(name).request

    it.effect.each([
      { about: "a lost connection", respond: lost },
      { about: "a failure of the service", respond: unavailable }
    ])("is retried after $about", ({ respond }) =>
      Effect.gen(function*() {
        const { outcome, targets } = yield* run({ [target]: [respond, ok(name)] }, call(name).run)
        expect(outcome).toEqual(call(name).output)
        expect(targets).toEqual([target, target])
      }))

    it.effect.each([
      { about: "has forgotten it", respond: gone },
      { about: "rejects it for another reason", respond: denied }
    ])(
      "fails with OutcomeUnknown when its response was lost and the service $about since",
      ({ respond }) =>
        Effect.gen(function*() {
          const { outcome, targets } = yield* run({ [target]: [lost, respond] }, call(name).run)
          expect(outcome).toBe("OutcomeUnknown")
          expect(targets).toEqual([target, target])
        })
    )

    it.effect("fails with the error of the service when no response was lost", () =>
      Effect.gen(function*() {
        expect((yield* run({ [target]: [gone] }, call(name).run)).outcome).toBe("ResourceNotFound")
        expect((yield* run({ [target]: [unsent, gone] }, call(name).run)).outcome).toBe("ResourceNotFound")
        expect((yield* run({ [target]: [denied] }, call(name).run)).outcome).toBe("AccessDenied")
      }))
  })

  it.effect("completeMultipartUpload names the archive to look for", () =>
    Effect.gen(function*() {
      const { glacier } = yield* scripted(
        respondWith(() => errorResponseOf(500, "ServiceUnavailableException"), () =>
          errorResponseOf(404, "ResourceNotFoundException")),
        { policies }
      )
      const error = yield* Effect.flip(inVirtualTime(call("completeMultipartUpload").run(glacier)))
      expect(error.message).toContain(`tree hash ${welcomeHash} in the next inventory of vault photos`)
    }))

  it.effect("completeMultipartUpload fails with an error that shows that no archive was created", () =>
    Effect.gen(function*() {
      const target = call("completeMultipartUpload").request
      const other: Respond = () =>
        Effect.sync(() => errorResponseOf(400, "InvalidParameterValueException", "Invalid x-amz-sha256-tree-hash: x"))
      const { outcome } = yield* run({ [target]: [lost, other] }, call("completeMultipartUpload").run)
      expect(outcome).toBe("ChecksumMismatch")
    }))
})

describe("A successful response that cannot be decoded", () => {
  it.effect.each(["uploadArchive", "purchaseProvisionedCapacity", "initiateVaultLock"] as const)(
    "leaves the outcome unknown: %s",
    (name) =>
      Effect.gen(function*() {
        const target = call(name).request
        for (const status of [201, 204]) {
          const { outcome, targets } = yield* run(
            { [target]: [() => Effect.sync(() => responseOf(status))] },
            call(name).run
          )
          expect(outcome).toBe("OutcomeUnknown")
          expect(targets).toEqual([target])
        }
      })
  )

  it.effect("makes initiateJob search for its job", () =>
    Effect.gen(function*() {
      const { outcome } = yield* run({
        "POST /-/vaults/photos/jobs": [() => Effect.sync(() => responseOf(202))],
        "GET /-/vaults/photos/jobs": [json({ JobList: [], Marker: null })]
      }, call("initiateJob").run)
      expect(outcome).toBe("MalformedResponse")
    }))
})

describe("A time limit of the call", () => {
  const limited = (limit: Duration.DurationInput) =>
    Layer.merge(policies, Timeouts.layerWith({ call: Duration.decode(limit) }))
  const never: Respond = () => Effect.never

  it.effect("leaves the outcome unknown when it ends an attempt of a call that must not be repeated", () =>
    Effect.gen(function*() {
      const target = call("uploadArchive").request
      const { outcome } = yield* run({ [target]: [never] }, call("uploadArchive").run, {
        policies: limited("1 minute")
      })
      expect(outcome).toBe("OutcomeUnknown")
    }))

  it.effect("ends in AttemptTimeout during the wait for the next attempt, because the service has done nothing", () =>
    Effect.gen(function*() {
      const target = call("uploadArchive").request
      const throttled: Respond = () => Effect.sync(() => errorResponseOf(400, "ThrottlingException"))
      const { outcome } = yield* run({ [target]: [throttled] }, call("uploadArchive").run, {
        policies: limited("5 seconds")
      })
      expect(outcome).toBe("AttemptTimeout")
    }))
})

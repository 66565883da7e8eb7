import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as GlacierClient from "../../src/client/GlacierClient.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import * as Timeouts from "../../src/policy/Timeouts.ts"
import { inVirtualTime } from "../support/virtualClock.ts"
import { archiveId, call, welcomeHash } from "../transport/calls.ts"
import { responseOf, errorResponseOf, respondWith, scripted } from "../transport/support.ts"
import type { Respond, Sent } from "../transport/support.ts"

const vaultName = "photos"
const mebibyte = 1_048_576
const lost: Respond = () => Effect.fail("ECONNRESET")
const unsent: Respond = () => Effect.fail(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }))
const unavailable: Respond = () => Effect.sync(() => errorResponseOf(500, "ServiceUnavailableException"))
const denied: Respond = () => Effect.sync(() => errorResponseOf(403, "AccessDeniedException"))
const json = (body: object): Respond => () => Effect.sync(() => responseOf(200, JSON.stringify(body)))

/** What comes back for the requests to each address, by `POST /-/vaults/photos/jobs?marker=x`: one after the other. */
type Script = Readonly<Record<string, ReadonlyArray<Respond>>>

const targetOf = ({ method, url }: Sent): string => {
  const { pathname, search } = new URL(url)
  return `${method} ${pathname}${search}`
}

/** Three attempts of each call, 10 seconds apart. */
const policies = RetryPolicy.layer(
  RetryPolicy.attempts(RetryPolicy.fromSchedule(Schedule.spaced("10 seconds")), 3)
)

/** What a call gives or fails with over such a script, and what it has sent to where. */
const run = (
  script: Script | ((sent: ReadonlyArray<Sent>) => Script),
  use: (glacier: GlacierClient.Service) => Effect.Effect<object, { readonly _tag: string }>,
  options: Parameters<typeof scripted>[1] = { policies }
) =>
  Effect.gen(function*() {
    const all: Array<Sent> = []
    const { glacier, sent } = yield* scripted((one, number) => {
      all.push(one)
      const target = targetOf(one)
      const replies = (typeof script === "function" ? script(all) : script)[target] ?? []
      const reply = replies[Math.min(all.filter((other) => targetOf(other) === target).length, replies.length) - 1]
      return reply === undefined ? Effect.dieMessage(`nothing is told of ${target}`) : reply(one, number)
    }, options)
    const outcome = yield* Effect.match(use(glacier), {
      onFailure: (error): unknown => error._tag,
      onSuccess: (value): unknown => value
    })
    return { outcome, targets: sent.map(targetOf), at: sent.map(({ at }) => at), sent }
  }).pipe(inVirtualTime)

const ok = (name: Parameters<typeof call>[0]): Respond => () => Effect.sync(call(name).response)

describe("A call that must not be made twice and of which nothing can be found out", () => {
  const names = ["uploadArchive", "purchaseProvisionedCapacity", "initiateVaultLock"] as const

  it.effect.each(
    names.flatMap((name) => [
      { name, about: "a lost connection", reply: lost },
      { name, about: "a failure of the service", reply: unavailable }
    ])
  )("fails with OutcomeUnknown after $about: $name", ({ name, reply }) =>
    Effect.gen(function*() {
      const target = call(name).request
      const { outcome, targets } = yield* run({ [target]: [reply] }, call(name).run)
      expect(outcome).toBe("OutcomeUnknown")
      expect(targets).toEqual([target])
    }))

  it.effect.each(names)("is made again when there was no connection: %s", (name) =>
    Effect.gen(function*() {
      const target = call(name).request
      const { at, outcome, targets } = yield* run({ [target]: [unsent, unsent, ok(name)] }, call(name).run)
      expect(outcome).toEqual(call(name).output)
      expect(targets).toEqual([target, target, target])
      expect(at).toEqual([0, 10_000, 20_000])
    }))

  it.effect.each(names)("fails with what it was refused for: %s", (name) =>
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

  /** The description that was sent. */
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

  it.effect("gives each job without a description one that no other has", () =>
    Effect.gen(function*() {
      const { sent } = yield* run({ [post]: [ok("initiateJob")] }, (glacier) =>
        Effect.all({ one: start(glacier), other: start(glacier) }))
      const descriptions = sent.map(({ body }) =>
        JSON.parse(new TextDecoder().decode(body)).Description
      )
      expect(descriptions).toEqual([
        expect.stringMatching(/^effect-glacier:\w+$/),
        expect.stringMatching(/^effect-glacier:\w+$/)
      ])
      expect(new Set(descriptions).size).toBe(2)
    }))

  it.effect("whose answer was lost is found among the jobs, after the wait of a retry", () =>
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

  it.effect("whose answer was lost is found on a later page, and no page after it is asked for", () =>
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

  it.effect("that is not found is sent again, with the same description", () =>
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

  it.effect("that is never found fails with the last error when the policy lets no more attempts be made", () =>
    Effect.gen(function*() {
      const { outcome, targets } = yield* run({ [post]: [lost], [list]: [page([])] }, start)
      expect(outcome).toBe("ConnectionError")
      expect(targets).toEqual([post, list, post, list, post, list])
    }))

  it.effect("is looked for, too, when the policy makes no second attempt", () =>
    Effect.gen(function*() {
      const { outcome } = yield* run(
        (sent) => ({ [post]: [lost], [list]: [page([job("mine", { JobDescription: description(sent) })])] }),
        start,
        { policies: RetryPolicy.layer(RetryPolicy.none) }
      )
      expect(outcome).toEqual(started("mine"))
    }))

  it.effect("fails with OutcomeUnknown when it cannot be looked for", () =>
    Effect.gen(function*() {
      const refused = yield* run({ [post]: [lost], [list]: [denied] }, start)
      expect(refused).toMatchObject({ outcome: "OutcomeUnknown", targets: [post, list] })
      // The list itself may be asked for again.
      const down = yield* run({ [post]: [lost], [list]: [unavailable] }, start)
      expect(down).toMatchObject({ outcome: "OutcomeUnknown", targets: [post, list, list, list] })
    }))

  it.effect("is simply sent again when there was no connection, or it was throttled", () =>
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
    { about: "that tells another topic", of: { SNSTopic: "arn:aws:sns:us-east-1:012345678901:yours" } },
    { about: "of another tier", of: { Tier: "Bulk" } }
  ])("is not one $about", ({ of }) =>
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

  it.effect("for an inventory is not one of other dates that has the description of the caller", () =>
    Effect.gen(function*() {
      const StartDate = "2020-01-01T00:00:00Z"
      const startDate = DateTime.unsafeMake(StartDate)
      const list1 = page([inventoryJob({ StartDate }, "weekly")])
      const found = yield* run({ [post]: [lost], [list]: [list1] }, inventory({ startDate }, "weekly"))
      expect(found.outcome).toEqual(started("mine"))
      const other = yield* run({ [post]: [lost, ok("initiateJob")], [list]: [list1] }, inventory(undefined, "weekly"))
      expect(other.targets).toEqual([post, list, post])
    }))

  it.effect("for a page of an inventory is in doubt when only the description of the caller could tell it", () =>
    Effect.gen(function*() {
      for (const selection of [{ limit: 10 }, { marker: "a" }]) {
        const { outcome, targets } = yield* run({ [post]: [lost] }, inventory(selection, "weekly"))
        expect(outcome).toBe("OutcomeUnknown")
        expect(targets).toEqual([post])
      }
    }))

  it.effect("for a page of an inventory is found by the description that no other job has", () =>
    Effect.gen(function*() {
      const { outcome } = yield* run((sent) => ({
        [post]: [lost],
        [list]: [page([inventoryJob({ Limit: "10", Marker: "next" }, description(sent))])]
      }), inventory({ limit: 10, marker: "a" }))
      expect(outcome).toEqual(started("mine"))
    }))

  it.effect("for all bytes is not one for a part of them", () =>
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
    { about: "its response is lost", reply: lost },
    { about: "the service fails", reply: unavailable },
    { about: "there is no connection", reply: unsent }
  ])("is sent again when $about, and no open upload is looked at", ({ reply }) =>
    Effect.gen(function*() {
      const { at, outcome, targets } = yield* run({ [post]: [reply, reply, ok("initiateMultipartUpload")] }, open)
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

describe("A call that the service remembers for a short time only", () => {
  const gone: Respond = () => Effect.sync(() => errorResponseOf(404, "ResourceNotFoundException"))

  describe.each(["completeMultipartUpload", "abortMultipartUpload"] as const)("%s", (name) => {
    const target = call(name).request

    it.effect.each([
      { about: "a lost connection", reply: lost },
      { about: "a failure of the service", reply: unavailable }
    ])("is made again after $about", ({ reply }) =>
      Effect.gen(function*() {
        const { outcome, targets } = yield* run({ [target]: [reply, ok(name)] }, call(name).run)
        expect(outcome).toEqual(call(name).output)
        expect(targets).toEqual([target, target])
      }))

    it.effect.each([
      { about: "has forgotten it", reply: gone },
      { about: "refuses it for another reason", reply: denied }
    ])(
      "fails with OutcomeUnknown when its response was lost and the service $about since",
      ({ reply }) =>
        Effect.gen(function*() {
          const { outcome, targets } = yield* run({ [target]: [lost, reply] }, call(name).run)
          expect(outcome).toBe("OutcomeUnknown")
          expect(targets).toEqual([target, target])
        })
    )

    it.effect("fails with the refusal when nothing was lost before", () =>
      Effect.gen(function*() {
        expect((yield* run({ [target]: [gone] }, call(name).run)).outcome).toBe("ResourceNotFound")
        expect((yield* run({ [target]: [unsent, gone] }, call(name).run)).outcome).toBe("ResourceNotFound")
        expect((yield* run({ [target]: [denied] }, call(name).run)).outcome).toBe("AccessDenied")
      }))
  })

  it.effect("completeMultipartUpload says which archive to look for", () =>
    Effect.gen(function*() {
      const { glacier } = yield* scripted(
        respondWith(() => errorResponseOf(500, "ServiceUnavailableException"), () => errorResponseOf(404, "ResourceNotFoundException")),
        { policies }
      )
      const error = yield* Effect.flip(inVirtualTime(call("completeMultipartUpload").run(glacier)))
      expect(error.message).toContain(`tree hash ${welcomeHash} in the next inventory of vault photos`)
    }))

  it.effect("completeMultipartUpload fails with the refusal when it tells that no archive was made", () =>
    Effect.gen(function*() {
      const target = call("completeMultipartUpload").request
      const other: Respond = () =>
        Effect.sync(() => errorResponseOf(400, "InvalidParameterValueException", "Invalid x-amz-sha256-tree-hash: x"))
      const { outcome } = yield* run({ [target]: [lost, other] }, call("completeMultipartUpload").run)
      expect(outcome).toBe("ChecksumMismatch")
    }))
})

describe("A success that cannot be read", () => {
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

  it.effect("is looked up: initiateJob", () =>
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

  it.effect("leaves the outcome unknown when it ends an attempt of a call that must not be made twice", () =>
    Effect.gen(function*() {
      const target = call("uploadArchive").request
      const { outcome } = yield* run({ [target]: [never] }, call("uploadArchive").run, {
        policies: limited("1 minute")
      })
      expect(outcome).toBe("OutcomeUnknown")
    }))

  it.effect("is an AttemptTimeout when it ends the wait for the next attempt: the service has not acted", () =>
    Effect.gen(function*() {
      const target = call("uploadArchive").request
      const throttled: Respond = () => Effect.sync(() => errorResponseOf(400, "ThrottlingException"))
      const { outcome } = yield* run({ [target]: [throttled] }, call("uploadArchive").run, {
        policies: limited("5 seconds")
      })
      expect(outcome).toBe("AttemptTimeout")
    }))
})

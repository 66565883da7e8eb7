import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Option, Redacted, Stream } from "effect"
import { GlacierClient, layer as client } from "../../src/client/GlacierClient.ts"
import * as RetryPolicy from "../../src/policy/RetryPolicy.ts"
import { ConnectionError } from "../../src/protocol/GlacierError.ts"
import { ResourceNotFound } from "../../src/protocol/ServiceError.ts"
import * as ScriptedHttp from "../../src/testing/ScriptedHttp.ts"
import * as Credentials from "../../src/transport/Credentials.ts"
import * as Endpoint from "../../src/transport/Endpoint.ts"

const vaultName = "photos"

const created: ScriptedHttp.Exchange = {
  request: { method: "PUT", path: "/-/vaults/photos", headers: { "x-amz-glacier-version": /^2012/ } },
  response: { status: 201, headers: { location: "/123456789012/vaults/photos" } }
}

/** Runs a program with a script. Returns its exit and the result of `done`. */
const run = <A, E>(
  script: ReadonlyArray<ScriptedHttp.Exchange>,
  program: (glacier: typeof GlacierClient.Service) => Effect.Effect<A, E>
) =>
  Effect.gen(function*() {
    const result = yield* Effect.exit(Effect.flatMap(GlacierClient, program))
    return [result, yield* Effect.exit((yield* ScriptedHttp.ScriptedHttp).done)] as const
  }).pipe(
    Effect.provide(client.pipe(
      Layer.provide(Credentials.layer({ accessKeyId: "AKID", secretAccessKey: Redacted.make("secret") })),
      Layer.provide(Endpoint.layer({ region: "us-east-1" })),
      Layer.provide(RetryPolicy.layer(RetryPolicy.none)),
      Layer.provideMerge(ScriptedHttp.layer(script))
    ))
  )

const problemOf = (exit: Exit.Exit<void, ScriptedHttp.ScriptMismatch>) =>
  Exit.match(exit, {
    onSuccess: () => undefined,
    onFailure: (cause) => Option.getOrUndefined(Cause.failureOption(cause))
  })
    ?.problem

describe("ScriptedHttp", () => {
  it.effect("responds as its script says: with texts, JSON, bytes, an error and a lost response", () =>
    Effect.gen(function*() {
      const tags = {
        request: { method: "POST", path: /tags\?operation=add$/, body: { Tags: { year: "2012" } } },
        response: { status: 204 }
      }
      const policy = JSON.stringify({ Version: "2012-10-17" })
      const [result, done] = yield* run([
        created,
        tags,
        {
          request: { method: "GET", path: "/-/vaults/photos/access-policy" },
          response: { status: 200, body: { Policy: policy } }
        },
        {
          request: { method: "GET", path: "/-/vaults/photos/jobs/job/output" },
          response: {
            status: 200,
            headers: { "content-type": "application/octet-stream" },
            body: new Uint8Array([1, 2, 3])
          }
        },
        {
          request: { method: "DELETE", path: "/-/vaults/photos" },
          response: { status: 404, body: { code: "ResourceNotFoundException", message: "No vault", type: "Client" } }
        },
        { request: { method: "DELETE", path: "/-/vaults/photos" }, response: "lost" }
      ], (glacier) =>
        Effect.gen(function*() {
          yield* glacier.createVault({ vaultName })
          yield* glacier.addTagsToVault({ vaultName, tags: { year: "2012" } })
          expect(yield* glacier.getVaultAccessPolicy({ vaultName })).toEqual({ policy })
          const { body } = yield* glacier.getJobOutput({ vaultName, jobId: "job" })
          expect(Array.from(yield* Stream.runCollect(body))).toEqual([new Uint8Array([1, 2, 3])])
          expect(yield* Effect.flip(glacier.deleteVault({ vaultName }))).toBeInstanceOf(ResourceNotFound)
          return yield* Effect.flip(glacier.deleteVault({ vaultName }))
        }))
      expect(result).toMatchObject({ _tag: "Success", value: expect.any(ConnectionError) })
      expect(done._tag).toBe("Success")
    }))

  it.effect("names the difference when a request differs, as a defect and in done", () =>
    Effect.gen(function*() {
      const of = (request: Partial<ScriptedHttp.Expected>) =>
        Effect.map(
          run(
            [{ ...created, request: { ...created.request, ...request } }],
            (glacier) => glacier.createVault({ vaultName })
          ),
          ([result, done]) => {
            expect(result._tag === "Failure" && Cause.isDie(result.cause)).toBe(true)
            return problemOf(done)
          }
        )
      const name = "Request 1, PUT /-/vaults/photos: "
      expect(yield* of({ method: "GET" })).toBe(`${name}.method expected GET, was PUT`)
      expect(yield* of({ path: "/-/vaults/other" })).toBe(`${name}.path expected /-/vaults/other, was /-/vaults/photos`)
      expect(yield* of({ headers: { "x-amz-glacier-version": "2013" } }))
        .toBe(`${name}.headers.x-amz-glacier-version expected 2013, was 2012-06-01`)
      expect(yield* of({ body: "text" })).toBe(`${name}.body expected text, was`)
      expect(yield* of({ body: { a: 1 } })).toBe(`${name}.body expected {"a":1}, was`)
    }))

  it.effect("names requests that are not in the script, and requests that were not sent", () =>
    Effect.gen(function*() {
      const create = (glacier: typeof GlacierClient.Service) => glacier.createVault({ vaultName })
      const [, more] = yield* run([created], (glacier) => Effect.zipRight(create(glacier), create(glacier)))
      expect(problemOf(more)).toBe("Request 2, PUT /-/vaults/photos, is not in the script, which has 1 request")
      const [, less] = yield* run([created, created, created], create)
      expect(problemOf(less)).toBe("Requests of the script were not sent: PUT /-/vaults/photos, PUT /-/vaults/photos")
    }))
})

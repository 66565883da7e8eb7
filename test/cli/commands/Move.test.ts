/** The command `move` as a process, with object stores. */
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted, Schedule, type Scope } from "effect"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as FakeS3 from "../../s3/fakeS3.ts"
import * as Swift from "../../support/swift.ts"
import { jsonLines } from "./programs.ts"
import { emulator, fakeS3, films, makeVault } from "./vaults.ts"

const proofsIn = (state: string) => {
  const folder = join(state, "123456789012/us-east-1/films/plans")
  const name = readdirSync(folder).find((name) => name.endsWith(".proofs.jsonl"))
  return jsonLines(readFileSync(join(folder, name ?? ""), "utf8"))
}

describe("effect-glacier move", () => {
  it.scopedLive("stores archives in a bucket, and writes a file of proofs", () =>
    Effect.gen(function*() {
      const { jobs, run, state } = yield* makeVault("films", films)
      const { objects, options } = yield* fakeS3
      const moved = yield* run("move", "s3://bucket/old", "--yes", "--storage-class", "STANDARD_IA", ...options)
      expect(moved.stderr).toContain("12 of 12 archives")
      expect(moved.code).toBe(0)
      expect(Array.from(objects.keys()).sort()).toEqual(films.map(([name]) => `old/${name}`).sort())
      expect(Array.from(objects.values(), ({ storageClass }) => storageClass)).toEqual(Array(12).fill("STANDARD_IA"))
      const proofs = proofsIn(state)
      expect(proofs.map(({ location }) => location).sort()).toEqual(
        films.map(([name]) => `s3://bucket/old/${name}`).sort()
      )
      expect(yield* jobs).toBe(12)
      const states = jsonLines((yield* run("ls", "--json")).stdout)
      expect(states.filter(({ state }) => state === "moved")).toHaveLength(12)
      const cold = ["move", "films/1.avi", "s3://bucket/cold", "--yes", "--storage-class", "DEEP_ARCHIVE", ...options]
      expect((yield* run(...cold)).code).toBe(0)
      const verified = yield* run("verify", "films/1.avi")
      expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining("2 copies verified") })
      expect(verified.stderr).toContain("The objects in s3://bucket/cold/ cannot be read")
    }).pipe(Effect.provide(emulator())), 60_000)

  it.scopedLive("makes copies in two stores that have buckets with the same name", () =>
    Effect.gen(function*() {
      const { run } = yield* makeVault("films", films.slice(0, 1))
      const stores = yield* Effect.all([fakeS3, fakeS3])
      for (const { objects, options } of stores) {
        expect((yield* run("move", "s3://bucket", "--yes", ...options)).code).toBe(0)
        expect(objects.size).toBe(1)
      }
      expect((yield* run("verify")).stdout).toContain("2 copies verified")
    }).pipe(Effect.provide(emulator())), 60_000)

  const inFake = (...args: ReadonlyArray<string>) => Effect.map(fakeS3, ({ options }) => [...options, ...args])

  const endpoint = (url: string) => ["--s3-endpoint", url, "--path-style"]

  /** A store that rejects each request. */
  const rejecting = (code: string) => Effect.map(FakeS3.serve(() => FakeS3.reject(403, code), false), endpoint)

  interface Problem {
    readonly problem: string
    readonly url?: string
    readonly options: Effect.Effect<ReadonlyArray<string>, never, Scope.Scope>
    readonly code: string
    readonly next: RegExp
  }

  const problems: ReadonlyArray<Problem> = [
    {
      problem: "a bucket that does not exist",
      url: "s3://other",
      options: inFake(),
      code: "NoSuchBucket",
      next: /^Create the bucket, or correct its name/
    },
    {
      problem: "another region",
      options: inFake("--s3-region", "eu-west-1"),
      code: "AuthorizationHeaderMalformed",
      next: /by --s3-region$/
    },
    {
      problem: "an unknown storage class",
      options: inFake("--storage-class", "WARM"),
      code: "InvalidStorageClass",
      next: /correct --storage-class$/
    },
    {
      problem: "an unknown access key",
      options: rejecting("InvalidAccessKeyId"),
      code: "InvalidAccessKeyId",
      next: /^The store does not know the access key.* by --s3-profile$/
    },
    {
      problem: "missing permissions",
      options: rejecting("AccessDenied"),
      code: "AccessDenied",
      next: /^The keys may not do this in the bucket/
    },
    {
      problem: "a store that does not listen",
      options: Effect.succeed(endpoint("http://127.0.0.1:9")),
      code: "ConnectionError",
      next: /^Nothing listens at this address: check the endpoint \(--s3-endpoint\)/
    },
    ...(Swift.isInstalled
      ? [{
        problem: "a wrong secret",
        options: Effect.map(Swift.start, (url) => [...endpoint(url), "--s3-region", "eu-west-1"]),
        code: "SignatureDoesNotMatch",
        next: /^The secret does not belong to the access key/
      }]
      : [])
  ]

  for (const { code, next, options, problem, url = "s3://bucket" } of problems) {
    it.scopedLive(`fails once because of ${problem}, before anything is paid for`, () =>
      Effect.gen(function*() {
        const { jobs, run } = yield* makeVault("films", films.slice(0, 3))
        const failed = yield* run("move", url, "--yes", ...yield* options)
        expect(failed).toMatchObject({ code: 1, stdout: "" })
        expect(failed.stderr.trimEnd().split("\n").slice(-2)).toEqual([
          expect.stringContaining(`failed with ${code}: `),
          expect.stringMatching(next)
        ])
        expect(yield* jobs).toBe(0)
      }).pipe(Effect.provide(emulator())), 60_000)
  }

  it.scopedLive.skipIf(!Swift.isInstalled)(
    `finishes after it was killed, with one job for each archive${
      Swift.isInstalled ? "" : " (skipped: Swift is not installed)"
    }`,
    () =>
      Effect.gen(function*() {
        const { env, folder, jobs, run, start } = yield* makeVault("films", films)
        const url = yield* Swift.start
        const { keys: { accessKeyId, secretAccessKey } } = Swift.options
        const credentials = { accessKeyId, secretAccessKey: Redacted.value(secretAccessKey) }
        const client = new S3Client({ endpoint: url, region: "eu-west-1", credentials, forcePathStyle: true })
        yield* Effect.promise(() => client.send(new CreateBucketCommand({ Bucket: "bucket" })))
        const file = join(folder, "credentials")
        writeFileSync(
          file,
          `[swift]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${Redacted.value(secretAccessKey)}\n`
        )
        Object.assign(env, { AWS_SHARED_CREDENTIALS_FILE: file })
        const move = [
          ...["move", "s3://bucket/old", "--yes", "--s3-endpoint", url, "--s3-region", "eu-west-1"],
          ...["--s3-profile", "swift", "--path-style", "--no-checksums", "--no-conditional-writes"]
        ]
        const first = yield* start(...move, "--json")
        const moved = Effect.map(first.lines, (lines) =>
          jsonLines(lines.join("\n")).filter(({ type }) => type === "moved"))
        yield* Effect.repeat(moved, {
          until: (lines) =>
            lines.length >= 3,
          schedule: Schedule.spaced("20 millis")
        })
        yield* first.kill("SIGKILL")
        yield* first.exit
        const second = yield* run(...move)
        expect(second.stderr).toContain("12 of 12 archives")
        expect(second.code).toBe(0)
        expect(yield* jobs).toBe(12)
        // Reads each object.
        expect(yield* run("verify", "--json")).toMatchObject({ code: 0 })
      }).pipe(Effect.provide(emulator())),
    90_000
  )
})

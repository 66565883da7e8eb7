import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as GlacierError from "../../src/protocol/GlacierError.ts"
import { UploadId } from "../../src/protocol/Names.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import { CheckpointError } from "../../src/transfer/Checkpoint.ts"
import { FileLockFailed } from "../../src/transfer/FileLock.ts"
import { UploadKept } from "../../src/transfer/UploadKept.ts"

const classes = [...Object.entries(ServiceError), ...Object.entries(GlacierError)].flatMap(([name, value]) =>
  typeof value === "function" && "fields" in value && value.prototype instanceof Error ? [name] : []
)

describe("GlacierError", () => {
  it("is the union of all error classes, each with its own tag", () => {
    const tags = GlacierError.GlacierError.members.map(({ _tag }) => _tag)
    expect(new Set(tags).size).toBe(tags.length)
    expect([...tags].sort()).toEqual([...classes].sort())
  })

  it.prop("is the same after it is encoded to JSON and decoded", [GlacierError.GlacierError], ([error]) => {
    const json = Schema.parseJson(GlacierError.GlacierError)
    const text = Schema.encodeSync(json)(error)
    const back = Schema.decodeSync(json)(text)
    expect(back.constructor).toBe(error.constructor)
    expect({ ...back }).toEqual({ ...error })
    expect(back).toMatchObject({ _tag: error._tag, message: error.message, retry: error.retry })
    expect(Schema.encodeSync(json)(back)).toBe(text)
  }, { fastCheck: { numRuns: 2_000 } })

  it.each([NaN, Infinity, -Infinity])(
    "rejects a limit of %d milliseconds, which JSON would turn into null",
    (millis) => {
      const json = { _tag: "AttemptTimeout", operation: "CreateVault", waiting: "response", limit: millis }
      expect(Schema.decodeUnknownOption(GlacierError.AttemptTimeout)({ ...json, limit: 1.5 })).toMatchObject({
        _tag: "Some"
      })
      expect(Schema.decodeUnknownOption(GlacierError.AttemptTimeout)(json)).toMatchObject({ _tag: "None" })
    }
  )

  it.prop("is recognized by isGlacierError, whatever its class", [GlacierError.GlacierError], ([error]) => {
    expect(GlacierError.isGlacierError(error)).toBe(true)
    expect(error).toBeInstanceOf(Error)
  })

  it.each([
    new CheckpointError({ name: "photos", problem: "cannot be read" }),
    new FileLockFailed({ path: "/photos/a", problem: "no folder" }),
    new UploadKept({ uploadId: UploadId.make("a"), cause: "lost" })
  ])("is also recognized by isGlacierError when a transfer raises it: $_tag", (error) => {
    expect(GlacierError.isGlacierError(error)).toBe(true)
    expect(error.retry).toBe("never")
  })

  it.each([null, undefined, "Throttling", 5, {}, { _tag: "Throttling" }, new Error("Throttling")])(
    "does not include %s",
    (value) => expect(GlacierError.isGlacierError(value)).toBe(false)
  )

  it("has a message with the operation, the value and the problem", () => {
    const operation = "CreateVault"
    const field = { field: "vaultName", value: "\"a/b\"", rule: "must be a name" }
    const messages = [
      new GlacierError.InvalidInput({ operation, ...field }),
      new GlacierError.AttemptTimeout({ operation, waiting: "response", limit: Duration.millis(500) }),
      new GlacierError.AttemptTimeout({ operation, waiting: "body", limit: Duration.millis(500) }),
      new GlacierError.MalformedResponse({ operation, status: 201, problem: "no location" }),
      new GlacierError.BrokenOutput({ jobId: "x", start: 0, end: 9, problem: "cut off" }),
      new GlacierError.ConnectionError({ operation, message: "ECONNRESET" }),
      new ServiceError.Throttling({ operation, status: 400, message: "Rate exceeded" })
    ].map(({ message }) => message)
    expect(messages).toEqual([
      "CreateVault: vaultName must be a name, but is \"a/b\"",
      "CreateVault: no response in 500ms",
      "CreateVault: no more of the body in 500ms",
      "CreateVault: malformed response (201): no location",
      "Bytes 0 to 9 of job x: cut off",
      "ECONNRESET",
      "Rate exceeded"
    ])
  })

  it("can be retried only after a failed connection, a time limit or a broken output", () => {
    const operation = "CreateVault"
    expect([
      new GlacierError.ConnectionError({ operation, message: "" }),
      new GlacierError.AttemptTimeout({ operation, waiting: "response", limit: Duration.millis(1) }),
      new GlacierError.BrokenOutput({ jobId: "", start: 0, end: 0, problem: "" }),
      new GlacierError.MalformedResponse({ operation, status: 200, problem: "" }),
      new GlacierError.CredentialsError({ message: "" }),
      new GlacierError.EndpointError({ message: "" }),
      new GlacierError.InvalidInput({ operation, field: "", value: "", rule: "" })
    ].map(({ retry }) => retry)).toEqual(["transient", "transient", "transient", "never", "never", "never", "never"])
  })

  it("shows values in its messages as short text", () => {
    const shown: ReadonlyArray<readonly [unknown, string]> = [
      ["a", "\"a\""],
      ["", "\"\""],
      [undefined, "undefined"],
      [null, "null"],
      [1.5, "1.5"],
      [{ start: 5, end: 4 }, "{\"start\":5,\"end\":4}"],
      [new Uint8Array(3), "3 bytes"],
      ["x".repeat(98), `"${"x".repeat(98)}"`],
      ["x".repeat(99), `"${"x".repeat(99)}...`],
      [Array(1_000).fill(1), `[${"1,".repeat(49)}1...`]
    ]
    expect(shown.map(([value]) => GlacierError.show(value))).toEqual(shown.map(([, text]) => text))
  })

  it.each([[NaN, "NaN"], [Infinity, "Infinity"], [5n, "5"]])(
    "shows %s in its messages, although JSON cannot",
    (value, text) => {
      expect(GlacierError.show(value)).toBe(text)
    }
  )
})

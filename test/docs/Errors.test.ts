import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, FastCheck, type Schema } from "effect"
import { readFileSync } from "node:fs"
import * as GlacierError from "../../src/protocol/GlacierError.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"

type Class = Schema.Schema<{ readonly retry: string }, object> & { readonly _tag: string }

const isClass = (value: unknown): value is Class => typeof value === "function" && "_tag" in value

/** The errors whose retry depends on their fields, and how the guide says so. */
const byField: Readonly<Record<string, string>> = {
  ChecksumMismatch: "by `status`",
  InvalidSignature: "by what is wrong",
  UnknownServiceError: "by its status"
}

const classes = Array.of<unknown>(...Object.values(ServiceError), ...Object.values(GlacierError)).filter(isClass)

describe("docs/errors.md", () => {
  it("has a row for each error, with whether it is retried", () => {
    const rows = readFileSync("docs/errors.md", "utf8").matchAll(/^\| `(\w+)`.*? \| (.*?) \|/gm)
    const expected = classes.map((error) => [
      error._tag,
      byField[error._tag] ?? FastCheck.sample(Arbitrary.make(error), 1)[0]?.retry
    ])
    expect(Object.fromEntries(Array.from(rows, ([, tag, retry]) => [tag, retry]))).toEqual(Object.fromEntries(expected))
  })

  it("marks the errors that share a code of the service with others", () => {
    const marked = Array.from(readFileSync("docs/errors.md", "utf8").matchAll(/^\| `(\w+)` ◦/gm), ([, tag]) => tag)
    const split = classes.filter((error) => "text" in error).map(({ _tag }) => _tag)
    expect(marked.sort()).toEqual(split.sort())
  })
})

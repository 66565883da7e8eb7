/** Tests that the table of docs/operations.md agrees with the descriptors. */
import { describe, expect, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import * as Pages from "../../src/client/Pages.ts"
import type { GlacierError } from "../../src/protocol/GlacierError.ts"
import type * as Operation from "../../src/protocol/Operation.ts"
import { operations } from "../../src/protocol/Operations.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"

const guide = readFileSync(resolve(import.meta.dirname, "../../docs/operations.md"), "utf8")
const quoted = (text: string) => Array.from(text.matchAll(/`([^`]+)`/g), ([, word]) => word)

const rows = Array.from(guide.matchAll(/^\| (`.*) \|$/gm), ([, row = ""]) => row.split(" | "))
const all = Object.entries<Operation.Any>(operations).map(([method, operation]) => ({ method, operation }))

/** The errors that the client raises itself. */
const local = [
  "AttemptTimeout",
  "ConnectionError",
  "ConnectionRejected",
  "CredentialsError",
  "InvalidInput",
  "MalformedResponse",
  "UnknownServiceError"
] satisfies ReadonlyArray<GlacierError["_tag"]>

describe("docs/operations.md", () => {
  it("has a row for each operation", () => {
    expect(rows.map(([method = ""]) => quoted(method)[0]).sort()).toEqual(all.map(({ method }) => method).sort())
    expect(guide).toContain(`service's ${all.length} operations`)
  })

  it("lists once the errors that every operation can raise", () => {
    const [paragraph = ""] = guide.split("\n").filter((line) => line.startsWith("Any operation can fail with"))
    expect(quoted(paragraph)).toEqual([...ServiceError.common.map(({ name }) => name), ...local])
  })

  it.each(all)("$method: has its operation, request, own errors and notes", ({ method, operation }) => {
    const row = rows.find(([name]) => name === `\`${method}\``)
    const [, name, request, errors = "", notes = ""] = row ?? []
    const query = operation.query === undefined ? "" : `?${operation.query.join("=")}`
    const common = new Set<unknown>(ServiceError.common)
    expect({ name, request, errors: quoted(errors) }).toEqual({
      name: operation.name,
      request: `\`${operation.method} ${operation.path}${query}\``,
      errors: operation.errors.filter((error) => !common.has(error)).map(({ name }) => name)
    })
    expect(notes.includes("Not idempotent")).toBe(operation.repeatable === false)
    expect(notes.startsWith("Soon after")).toBe(operation.repeatable === "briefly")
    expect(notes.startsWith("Paged")).toBe("marker" in operation.input)
    expect(notes.includes("Costs money")).toBe(["initiateJob", "purchaseProvisionedCapacity"].includes(method))
  })

  it("names every function of Pages", () => {
    const named = rows.flatMap(([, , , , notes = ""]) => notes.match(/Pages\.\w+/g) ?? [])
    expect(named.sort()).toEqual(Object.keys(Pages).map((name) => `Pages.${name}`).sort())
  })
})

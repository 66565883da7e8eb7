import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import { mebibyte } from "../../src/protocol/Limits.ts"
import * as Operation from "../../src/protocol/Operation.ts"
import { operations } from "../../src/protocol/Operations.ts"
import fixture from "../fixtures/glacier-model.json" with { type: "json" }
import { all, encode, id, inputArbitrary, inputOf, models, reader, sample } from "./model.ts"

/** The JSON that the model has as the body of a request, apart from what `sample` fills it with. */
const jsonParam = ({ params }: (typeof all)[number]["model"]) =>
  params.find(({ location, type }) => location === "json-body-member" || (location === "payload" && type !== "blob"))

describe("Operation", () => {
  it("exists for each operation of the model, under its name", () => {
    expect(all.map(({ name }) => name).sort()).toEqual([...models.keys()].sort())
    for (const { method, name } of all) expect(method).toBe(name[0]?.toLowerCase() + name.slice(1))
  })

  describe.each(all)("the operation $name", ({ model, operation }) => {
    it("has the method, path, status and repeatability of the model", () => {
      expect({ method: operation.method, uri: operation.path, success_status: operation.success })
        .toEqual({ method: model.method, uri: model.uri, success_status: model.success_status })
      expect(operation.query === undefined ? [] : [operation.query]).toEqual(Object.entries(model.fixed_query ?? {}))
      // An upload that a repeat opens is empty, costs nothing and expires.
      const isRepeatable = model.idempotent !== "no" || operation.name === "InitiateMultipartUpload"
      expect(operation.repeatable !== false).toBe(isRepeatable)
      expect(operation.repeatable === "briefly").toBe(/for a short time/.test(model.idempotent))
    })

    it("has each echoed value in its request and in its response", () => {
      const body = typeof operation.body === "object" && model.response.body !== null
        ? Either.getOrThrow(operation.body.decode(sample(model.response.body)))
        : {}
      const output = { ...operation.headers, ...body }
      for (const name of operation.echoes ?? []) {
        expect(operation.input).toHaveProperty(name)
        expect(output).toHaveProperty(name)
      }
    })

    it("explains how to look up the result of a lost call, unless the call can be repeated", () => {
      expect(operation.lookUp !== undefined).toBe(operation.repeatable !== true)
      for (const [, name = ""] of operation.lookUp?.matchAll(/\{(\w+)\}/g) ?? []) {
        expect(operation.input).toHaveProperty(name)
      }
    })

    it("has the inputs of the model", () => {
      const places = new Map([["uri", "path"], ["querystring", "query"], ["header", "header"]])
      const expected = model.params.map(({ constraints, location, required, type, wire_name }) => {
        const where = places.get(location) ?? (type === "blob" ? "bytes" : "json")
        const needed = (required || constraints?.required_on_wire === true) && constraints?.default === undefined
        const name = where === "json" ? "body" : wire_name?.toLowerCase() ?? "body"
        return `${where} ${name}${needed ? "" : "?"}`
      })
      // Where a body is signed before it is sent, its hash is an input too.
      if (expected.includes("bytes body")) expected.push("header x-amz-content-sha256")
      const fields = Object.values(operation.input)
      expect(fields.map((field) => `${field.in} ${field.name.toLowerCase()}${field.optional ? "?" : ""}`).sort())
        .toEqual(expected.sort())
      for (const field of fields) {
        if (field.in === "header") expect(field.name).toBe(field.name.toLowerCase())
        if (field.in === "path") expect(model.uri).toContain(`{${field.name}}`)
      }
    })

    it("has the response headers and the kind of body of the model", () => {
      expect(Object.values(operation.headers).map((field) => `${field.in} ${field.name}`).sort())
        .toEqual(model.response.headers.map(({ wire_name }) => `header ${wire_name.toLowerCase()}`).sort())
      const { body } = model.response
      expect(typeof operation.body === "object" ? "structure" : operation.body)
        .toBe(body === null ? "none" : body.type === "blob" ? "bytes" : body.type)
    })

    it("can fail with the errors of the model and the common errors", () => {
      const codes = operation.errors.map(({ code }) => code)
      expect(codes).toEqual(expect.arrayContaining(model.errors.map(({ code }) => code)))
      const common = [
        ...["AccessDeniedException", "BadRequest", "ExpiredTokenException", "InvalidSignatureException"],
        ...["MissingAuthenticationTokenException", "ThrottlingException", "UnrecognizedClientException"]
      ]
      expect(codes).toEqual(expect.arrayContaining(common))
      expect(new Set(operation.errors).size).toBe(operation.errors.length)
    })
  })

  describe("requests", () => {
    it.each(all)("of $name are decoded to the input that was encoded", ({ operation }) => {
      fc.assert(fc.property(inputArbitrary(operation), (input) => {
        const decoded = Operation.decode(operation.input, reader(operation, encode(operation, input)))
        const expected = Object.entries(operation.input).map(([key, { in: place, optional }]) => {
          const value = place === "path" && optional ? input[key] ?? "-" : input[key]
          return [key, optional ? Option.fromNullable(value) : value]
        })
        expect(decoded).toEqual(Either.right(Object.fromEntries(expected)))
      }))
    })

    it.each(all)("of $name have every input in the place that the model gives it", ({ model, operation }) => {
      const { body, headers, path, query } = encode(operation, inputOf(operation))
      const names = (location: string) =>
        model.params.filter((param) => param.location === location)
          .map(({ wire_name }) => wire_name?.toLowerCase()).sort()
      expect(path).not.toMatch(/[{}]/)
      expect(path.split("/")).toHaveLength(model.uri.split("/").length)
      const fixed = Object.entries(model.fixed_query ?? {})
      expect(query.slice(0, fixed.length)).toEqual(fixed)
      expect(query.slice(fixed.length).map(([name]) => name).sort()).toEqual(names("querystring"))
      expect(Object.keys(headers).filter((name) => name !== "x-amz-content-sha256").sort()).toEqual(names("header"))
      expect(body === undefined).toBe(names("payload").length + names("json-body-member").length === 0)
    })

    // Which members a job's parameters have depends on its kind: Jobs.test.ts.
    it.each(all.filter(({ model, name }) => jsonParam(model) !== undefined && name !== "InitiateJob"))(
      "of $name have every member of the model",
      ({ model, operation }) => {
        const param = jsonParam(model)!
        const value = sample(param, undefined, param.wire_name)
        const json = param.location === "payload" ? value : { [String(param.wire_name)]: value }
        const field = Object.values(operation.input).find((field) => field.in === "json")!
        const again = Either.flatMap(field.decode(json), field.encode)
        expect(JSON.parse(String(Either.getOrThrow(again)))).toEqual(json)
        expect(Object.keys(json as object)).not.toEqual([])
      }
    )

    // Headers that every request has are no business of an operation.
    const general = ["content-length", "content-type", "host", "x-amz-date", "x-amz-glacier-version"]
    const known = fixture.signed_examples.examples.flatMap((example) =>
      all.filter(({ name }) => name === example.operation).map(({ operation }) => {
        const url = new URL(example.target, "https://host")
        const headers = Object.entries(example.headers).filter(([name]) => !general.includes(name))
        return {
          operation,
          target: example.target,
          method: example.method,
          request: {
            path: url.pathname,
            query: [...url.searchParams],
            headers: Object.fromEntries(headers),
            body: operation.input["body"] === undefined
              ? example.body === "" ? undefined : example.body
              : new TextEncoder().encode(example.body)
          }
        }
      })
    )
    const isEmpty = ({ operation, request }: (typeof known)[number]) =>
      request.body === "{}" || (operation.name === "UploadArchive" && request.body?.length === 0)

    it.each(known.filter((one) => !isEmpty(one)))(
      "of another client are decoded, and encoded to the same request: $method $target",
      ({ method, operation, request }) => {
        const decoded: object = Either.getOrThrow(Operation.decode(operation.input, reader(operation, request)))
        const input = Object.entries(decoded)
          .map(([key, value]) => [key, Option.isOption(value) ? Option.getOrUndefined(value) : value])
        const again = encode(operation, Object.fromEntries(input))
        const sorted = (request: Operation.Request) => ({
          ...request,
          query: [...request.query].sort(),
          body: typeof request.body === "string" ? JSON.parse(request.body) : request.body
        })
        expect(operation.method).toBe(method)
        expect(sorted(again)).toEqual(sorted(request))
      }
    )

    it("of another client are rejected when they are empty", () => {
      expect(
        known.filter(isEmpty).map(({ operation, request }) => {
          const failure = Option.getOrThrow(
            Either.getLeft(Operation.decode(operation.input, reader(operation, request)))
          )
          return [operation.name, failure.field.name]
        })
      ).toEqual([
        ["UploadArchive", "body"],
        ["InitiateJob", "body"],
        ["SetVaultNotifications", "body"],
        ["AddTagsToVault", "body"]
      ])
    })

    it("are for the caller's own account unless an account id is given", () => {
      expect(encode(operations.listVaults, {}))
        .toEqual({ path: "/-/vaults", query: [], headers: {}, body: undefined })
      expect(encode(operations.purchaseProvisionedCapacity, {}).path).toBe("/-/provisioned-capacity")
      expect(encode(operations.createVault, { accountId: undefined, vaultName: "v" }).path).toBe("/-/vaults/v")
      expect(encode(operations.createVault, { accountId: "012345678901", vaultName: "v" }).path)
        .toBe("/012345678901/vaults/v")
    })

    it("omit an empty description", () => {
      const input = { vaultName: "v", partSize: mebibyte, description: "" }
      expect(encode(operations.initiateMultipartUpload, input).headers).toEqual({ "x-amz-part-size": "1048576" })
    })
  })

  describe("Operation.decode", () => {
    const wire = (method: keyof typeof operations, change: Partial<Operation.Request>) => {
      const operation: Operation.Any = operations[method]
      const request = { ...encode(operation, inputOf(operation)), ...change }
      return Either.mapLeft(
        Operation.decode(operation.input, reader(operation, request)),
        ({ error, field, value }) => [field.name, Option.getOrNull(value), Option.isSome(error)]
      )
    }

    it.each(["0", "-1", "x", "1.5", "1e1", "0x10", " 5", "5 ", "+5", "5.0", "Infinity", "NaN"])(
      "rejects the limit %j",
      (limit) => expect(wire("listVaults", { query: [["limit", limit]] })).toEqual(Either.left(["limit", limit, true]))
    )

    it.each(["9007199254740991", "9007199254740992", "9".repeat(20), "9".repeat(400)])(
      "reads the limit %s as the largest safe integer",
      (limit) =>
        expect(wire("listVaults", { query: [["limit", limit]] }))
          .toMatchObject({ right: { limit: Option.some(Number.MAX_SAFE_INTEGER) } })
    )

    it("reads an empty marker as an absent one", () => {
      expect(wire("listVaults", { query: [["marker", ""]] })).toMatchObject({ right: { marker: Option.none() } })
    })

    it("rejects an empty limit", () => {
      expect(Either.isLeft(wire("listVaults", { query: [["limit", ""]] }))).toBe(true)
    })

    it.each(
      [
        ["listJobs", { query: [["statuscode", "Done"]] }, ["statuscode", "Done", true]],
        ["listJobs", { query: [["completed", "True"]] }, ["completed", "True", true]],
        ["createVault", { path: "/-/vaults/a b" }, ["vaultName", "a b", true]],
        ["createVault", { path: "/123/vaults/a" }, ["accountId", "123", true]],
        ["initiateMultipartUpload", { headers: {} }, ["x-amz-part-size", null, false]],
        ["initiateMultipartUpload", { headers: { "x-amz-part-size": "" } }, ["x-amz-part-size", null, false]],
        ["initiateMultipartUpload", { headers: { "x-amz-part-size": "3" } }, ["x-amz-part-size", "3", true]],
        [
          "initiateMultipartUpload",
          { headers: { "x-amz-part-size": "0x100000" } },
          ["x-amz-part-size", "0x100000", true]
        ],
        ["completeVaultLock", { path: "/-/vaults/a/lock-policy/a.b" }, ["lockId", "a.b", true]],
        ["initiateJob", { body: undefined }, ["body", null, false]],
        ["addTagsToVault", { body: undefined }, ["body", null, false]],
        ["addTagsToVault", { body: "{\"tags\":{\"k\":\"v\"}}" }, ["body", { tags: { k: "v" } }, true]],
        ["setVaultAccessPolicy", { body: "{\"Policy\":{}}" }, ["body", { Policy: {} }, true]],
        ["setDataRetrievalPolicy", { body: "{\"Policy\":null}" }, ["body", { Policy: null }, true]],
        ["initiateJob", { body: "[]" }, ["body", [], true]],
        ["uploadArchive", { body: new Uint8Array() }, ["body", null, true]]
      ] satisfies ReadonlyArray<[keyof typeof operations, Partial<Operation.Request>, unknown]>
    )(
      "rejects a request of %s with %j",
      (method, change, failure) => expect(wire(method, change)).toEqual(Either.left(failure))
    )

    it("treats an empty header of a response as absent, and rejects a response without an id", () => {
      const { headers } = operations.initiateJob
      const read = (response: Record<string, string>) =>
        Either.mapLeft(Operation.decode(headers, (field) => response[field.name]), ({ field }) => field.name)
      expect(read({ "x-amz-job-id": id, "location": "" }))
        .toEqual(Either.right({ jobId: id, jobOutputPath: Option.none(), location: Option.none() }))
      expect(read({ location: "/x" })).toEqual(Either.left("x-amz-job-id"))
    })
  })
})

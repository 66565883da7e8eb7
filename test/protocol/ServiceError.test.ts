import { describe, expect, it } from "@effect/vitest"
import { operations } from "../../src/protocol/Operations.ts"
import * as ServiceError from "../../src/protocol/ServiceError.ts"
import { all, catalogue, classes, codes, invalid, notFound, retries, translate } from "./errorTexts.ts"

describe("ServiceError", () => {
  it("has a class for every code, named after it", () => {
    const named = classes.map(({ Class }) => Class).filter((Class) => !("text" in Class))
    expect(named.map(({ code }) => code).sort()).toEqual(codes.map(({ code }) => code).sort())
    for (const { Class, name } of classes) {
      expect(new Class({ operation: "", status: 400, message: "" })._tag).toBe(name)
      if (!("text" in Class)) expect(name).toBe(Class.code.replace("Exception", ""))
    }
  })

  describe("ServiceError.fromResponse", () => {
    it.each(codes)("translates $code for the operations that list it, and for no other", ({ code, status, tag }) => {
      for (const operation of all) {
        const response = { operation: operation.name, status, message: "Some text: ä, \"b\"", requestId: "AAAB" }
        const error = ServiceError.fromResponse<object>(operation.errors, code, response)
        const listed = operation.errors.some((Class) => Class.code === code)
        expect(error).toMatchObject({
          ...response,
          ...(listed ? { _tag: tag } : { _tag: "UnknownServiceError", code })
        })
      }
      expect(all.some(({ errors }) => errors.some((Class) => Class.code === code))).toBe(true)
    })

    it.each(catalogue)("decodes %s %i %s %j to %s", (operation, status, code, message, _tag) => {
      expect(translate(operation, status, code, message))
        .toMatchObject({ _tag, operation: operations[operation].name, status, requestId: "AAAB" })
    })

    it.each(catalogue)("keeps the text of %s %i %s %j", (operation, status, code, message) => {
      const error = translate(operation, status, code, message)
      const known: ReadonlyArray<ServiceError.Known<object>> = operations[operation].errors
      const advice = known.find((Class) => error instanceof Class)?.advice
      expect(error).toMatchObject({ message: advice === undefined ? message : `${message} (${advice})` })
    })

    it("adds advice to the message for a job that may have expired", () => {
      expect(translate("getJobOutput", 404, notFound, "The job ID was not found: x")).toMatchObject({
        message: "The job ID was not found: x " +
          "(the service keeps a job and its output for 24 hours after completion; start another job)"
      })
    })

    it("returns InvalidParameterValue when the operation cannot fail with the narrower error", () => {
      for (const [, , code, message] of catalogue.filter(([, , code]) => code === invalid)) {
        const response = { operation: "DescribeVault", status: 400, message }
        const error = ServiceError.fromResponse<object>(operations.describeVault.errors, code, response)
        expect(error).toBeInstanceOf(ServiceError.InvalidParameterValue)
      }
    })

    it.each(["", "BrandNewException", "ResourceNotFound", "resourcenotfoundexception", "toString", "__proto__"])(
      "keeps the unknown code %j",
      (code) => {
        for (const { errors, name } of all) {
          const response = { operation: name, status: 418, message: "text" }
          const error = ServiceError.fromResponse<object>(errors, code, response)
          expect(error).toBeInstanceOf(ServiceError.UnknownServiceError)
          expect(error).toMatchObject({ ...response, code, retry: "never" })
        }
      }
    )
  })

  describe("retry", () => {
    it("is defined for every class", () => {
      const response = { operation: "", status: 400, message: "" }
      expect(Object.fromEntries(classes.map(({ Class, name }) => [name, new Class(response).retry]))).toEqual(retries)
    })

    it.each([
      [400, "BrandNewException", "never"],
      [403, "BrandNewException", "never"],
      [404, "BrandNewException", "never"],
      [408, "RequestTimeoutException", "transient"],
      [500, "BrandNewException", "transient"],
      [502, "", "transient"],
      [504, "", "transient"],
      [501, "", "never"],
      [400, "Throttling", "throttle"],
      [503, "SlowDown", "throttle"],
      [429, "", "throttle"],
      [400, "RequestTimeout", "transient"]
    ])("of an unknown %i %j is %j", (status, code, retry) => {
      const response = { operation: "", status, message: "" }
      expect(ServiceError.fromResponse<object>(operations.listVaults.errors, code, response))
        .toMatchObject({ _tag: "UnknownServiceError", retry })
    })
  })
})

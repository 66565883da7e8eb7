/** An emulator behind a socket, with a vault, and expectations of its responses to invalid requests. */
import { expect } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { NodeEmulator } from "../../src/node/index.ts"
import * as Support from "./support.ts"

const { exchange, mebibyte, upload } = Support

/** Temporary keys, which the emulator accepts beside the default keys. */
export const temporary: Support.Key = { accessKeyId: "ASIATEMPORARY", secretAccessKey: "secret", sessionToken: "token" }

export const keys = [Support.defaultKey, temporary].map((key) => ({
  accessKeyId: key.accessKeyId,
  secretAccessKey: Redacted.make(key.secretAccessKey),
  sessionToken: key.sessionToken === undefined ? undefined : Redacted.make(key.sessionToken)
}))

/** The emulator, with short delays. */
export const server = (tls?: true) =>
  NodeEmulator.layerServer({ jobDelay: "100 millis", inventoryDelay: 0, bodyTimeout: "300 millis", keys, tls })

export const vault = "/-/vaults/hostile"
export const jobs = `${vault}/jobs`
export const archives = `${vault}/archives`

/** Creates the vault. */
export const create = exchange({ method: "PUT", target: vault, headers: { "content-length": "0" } })

/** Expects that the emulator still works. */
export const expectWorking = Effect.gen(function*() {
  expect((yield* create).status).toBe(201)
  expect(yield* exchange({ target: vault })).toMatchObject({ status: 200, json: { VaultName: "hostile" } })
})

/** The status, the error code and the message of a response. */
export type Expected = readonly [status: number, code?: string, message?: RegExp]

export const invalid = (message: RegExp): Expected => [400, "InvalidParameterValueException", message]
export const missing = (name: string): Expected => [
  400,
  "MissingParameterValueException",
  new RegExp(`^Required parameter missing: ${name}$`)
]
export const unrecognized: Expected = [400, "UnrecognizedClientException"]
export const badSignature = (message: RegExp): Expected => [403, "InvalidSignatureException", message]
export const badRequest: Expected = [400, "BadRequest"]
export const serialization: Expected = [400, "SerializationException"]

/** Expects a status, an id and a date and, for an error, its code and message in JSON. */
export const expectResponse = (name: string, response: Support.Response, [status, code, message]: Expected) => {
  const { headers, json } = response
  expect({ name, status: response.status, code: response.code }).toEqual({ name, status, code })
  expect(headers["x-amzn-requestid"], name).toMatch(/^[\w-]{47}$/)
  expect(Date.parse(headers["date"] ?? ""), name).not.toBeNaN()
  if (code === undefined) return
  expect(json, name).toEqual({ code, message: expect.any(String), type: "Client" })
  if (message !== undefined) expect(json["message"], name).toMatch(message)
}

/** A request of InitiateJob. */
export const post = (body: string | Uint8Array): Support.Request => ({ method: "POST", target: jobs, body })

export const authorization = (value: string): Support.Request => ({ tamper: { authorization: value } })

export const description = (text: string) =>
  upload(archives, Buffer.from("bytes"), { "x-amz-archive-description": text })

/** Opens an upload with parts of 1 MiB. Returns its target. */
export const multipart = Effect.gen(function*() {
  const initiated = yield* exchange({
    method: "POST",
    target: `${vault}/multipart-uploads`,
    headers: { "x-amz-part-size": String(mebibyte), "content-length": "0" }
  })
  expect(initiated.status).toBe(201)
  return `${vault}/multipart-uploads/${initiated.headers["x-amz-multipart-upload-id"]}`
})

/** The header of the first part of an upload. */
export const asPart = { "content-range": `bytes 0-${mebibyte - 1}/*` }

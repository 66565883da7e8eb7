/**
 * Compares a response with its request: a response that repeats another id, range or tree hash than was sent belongs to
 * another request, or its request was changed in transit.
 *
 * @internal
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { type GlacierError, MalformedResponse, show } from "../../protocol/GlacierError.ts"
import type { ArchiveId } from "../../protocol/Names.ts"
import type * as Operation from "../../protocol/Operation.ts"
import { ChecksumMismatch } from "../../protocol/ServiceError.ts"

/** The request of a decoded response, and the head of the response. */
export interface Origin {
  readonly operation: Operation.Any
  readonly input: object
  readonly status: number
  readonly requestId: string | undefined
}

/** The value of an output, undefined if it is absent. */
const valueOf = (output: object, key: string): unknown => {
  const value: unknown = Reflect.get(output, key)
  return Option.isOption(value) ? Option.getOrUndefined(value) : value
}

/** The outputs that hold the id of a new archive, job or upload. `Location` ends with the same id. */
const ids = ["archiveId", "jobId", "uploadId"]

/** The id at the end of a path such as `/-/vaults/photos/archives/ID`. */
const idOf = (location: unknown): string | undefined =>
  Predicate.isString(location) ? /\/(?:archives|jobs|multipart-uploads)\/([^/?]+)$/.exec(location)?.[1] : undefined

/** Fails when a response contradicts its request, or itself. */
export const check = (origin: Origin, output: object): Either.Either<object, GlacierError> => {
  const { input, operation, requestId, status } = origin
  for (const name of operation.echoes ?? []) {
    const received = valueOf(output, name)
    const sent: unknown = Reflect.get(input, name)
    if (received === undefined || received === sent) continue
    const message = `the response has ${name} ${show(received)}, but the request had ${show(sent)}`
    if (name !== "treeHash") {
      return Either.left(new MalformedResponse({ operation: operation.name, status, requestId, problem: message }))
    }
    // The output was decoded, so `archiveId` is an `ArchiveId`.
    const archiveId = valueOf(output, "archiveId") as ArchiveId | undefined
    return Either.left(new ChecksumMismatch({ operation: operation.name, status, requestId, message, archiveId }))
  }
  const located = idOf(valueOf(output, "location"))
  const id = ids.map((name) => valueOf(output, name)).find((id) => id !== undefined)
  return located === undefined || id === undefined || located === id
    ? Either.right(output)
    : Either.left(
      new MalformedResponse({
        operation: operation.name,
        status,
        requestId,
        problem: `the response has id ${show(id)}, but its location has ${show(located)}`
      })
    )
}

/**
 * Parses the body of InitiateJob in all forms that clients send. See InitiateJob (Amazon Glacier API Reference).
 *
 * @internal
 */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Jobs from "../../protocol/Jobs.ts"
import * as ErrorResponse from "./errorResponse.ts"
import * as ParameterError from "./parameterError.ts"
import type { Call } from "./router.ts"

const decodeArchive = Schema.decodeUnknownEither(Jobs.ArchiveRetrieval)

const decodeInventory = Schema.decodeUnknownEither(Jobs.InventoryRetrieval)

// Clients send null or an empty text for a parameter that is not set.
const withoutEmpty = (parameters: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== null && value !== ""))

// An old page of the guide wraps the parameters in an object `jobParameters`.
const parametersOf = (document: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  const { jobParameters, ...rest } = document
  return withoutEmpty(
    Predicate.isReadonlyRecord(jobParameters) && Object.keys(rest).length === 0 ? jobParameters : document
  )
}

/** Parses the parameters of a job. */
export const parse = ({ document }: Call): Either.Either<Jobs.JobParameters, ErrorResponse.ErrorResponse> =>
  Either.gen(function*() {
    if (document === undefined) return yield* Either.left(ErrorResponse.missing("Job Parameters"))
    const parameters = parametersOf(document)
    const type = parameters["Type"]
    if (type === undefined) return yield* Either.left(ErrorResponse.missing("Type"))
    const orErrorResponse = Either.mapLeft((error: Parameters<typeof ParameterError.ofDocument>[1]) =>
      ParameterError.ofDocument(parameters, error)
    )
    switch (type) {
      case "archive-retrieval":
        return yield* orErrorResponse(decodeArchive(parameters))
      case "inventory-retrieval": {
        for (const name of ["ArchiveId", "RetrievalByteRange"]) {
          if (name in parameters) {
            return yield* Either.left(ErrorResponse.invalid(`${name} is not valid for jobs of type ${type}`))
          }
        }
        const selection = parameters["InventoryRetrievalParameters"]
        return yield* orErrorResponse(decodeInventory(
          Predicate.isReadonlyRecord(selection)
            ? { ...parameters, InventoryRetrievalParameters: withoutEmpty(selection) }
            : parameters
        ))
      }
      default:
        return yield* Either.left(ParameterError.invalid("Type", type))
    }
  })

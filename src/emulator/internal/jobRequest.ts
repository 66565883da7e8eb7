/**
 * The body of InitiateJob, with all that real clients send (spec section 12.4).
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

// An explicit null or an empty text means absent.
const given = (parameters: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== null && value !== ""))

/** Reads the bare parameters, or those under a lone `jobParameters`, as an old syntax box of the guide has them. */
const parametersOf = (document: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  const { jobParameters, ...rest } = document
  return given(Predicate.isReadonlyRecord(jobParameters) && Object.keys(rest).length === 0 ? jobParameters : document)
}

/** What a job is asked for. */
export const parse = ({ document }: Call): Either.Either<Jobs.JobParameters, ErrorResponse.ErrorResponse> =>
  Either.gen(function*() {
    if (document === undefined) return yield* Either.left(ErrorResponse.missing("Job Parameters"))
    const parameters = parametersOf(document)
    const type = parameters["Type"]
    if (type === undefined) return yield* Either.left(ErrorResponse.missing("Type"))
    const refuse = Either.mapLeft((error: Parameters<typeof ParameterError.ofDocument>[1]) =>
      ParameterError.ofDocument(parameters, error)
    )
    switch (type) {
      case "archive-retrieval":
        return yield* refuse(decodeArchive(parameters))
      case "inventory-retrieval": {
        for (const name of ["ArchiveId", "RetrievalByteRange"]) {
          if (name in parameters) {
            return yield* Either.left(ErrorResponse.invalid(`${name} is not valid for jobs of type ${type}`))
          }
        }
        const selection = parameters["InventoryRetrievalParameters"]
        return yield* refuse(decodeInventory(
          Predicate.isReadonlyRecord(selection)
            ? { ...parameters, InventoryRetrievalParameters: given(selection) }
            : parameters
        ))
      }
      default:
        return yield* Either.left(ParameterError.invalid("Type", type))
    }
  })

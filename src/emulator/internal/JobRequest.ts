/**
 * The body of InitiateJob, with all that real clients send (spec section 12.4).
 *
 * @internal
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Jobs from "../../protocol/Jobs.ts"
import * as Catalogue from "./Catalogue.ts"
import * as Refusal from "./Refusal.ts"

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const decodeArchive = Schema.decodeUnknownEither(Jobs.ArchiveRetrieval)

const decodeInventory = Schema.decodeUnknownEither(Jobs.InventoryRetrieval)

// An explicit null or an empty text means absent.
const given = (parameters: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== null && value !== ""))

/** Reads the bare parameters, or those under a lone `jobParameters`, as an old syntax box of the guide has them. */
const parametersOf = (text: string): Either.Either<Readonly<Record<string, unknown>>, Refusal.Refusal> =>
  Either.gen(function*() {
    if (text.trim() === "") return yield* Either.left(Refusal.missing("Job Parameters"))
    const json: unknown = yield* Either.try({ try: () => JSON.parse(text), catch: () => Catalogue.unreadable })
    if (!isObject(json)) return yield* Either.left(Catalogue.unreadable)
    const { jobParameters, ...rest } = json
    return given(isObject(jobParameters) && Object.keys(rest).length === 0 ? jobParameters : json)
  })

/** What a job is asked for. */
export const parse = (text: string): Either.Either<Jobs.JobParameters, Refusal.Refusal> =>
  Either.gen(function*() {
    const parameters = yield* parametersOf(text)
    const type = parameters["Type"]
    if (type === undefined) return yield* Either.left(Refusal.missing("Type"))
    const refuse = Either.mapLeft((error: Parameters<typeof Catalogue.culprit>[1]) =>
      Catalogue.culprit(parameters, error)
    )
    switch (type) {
      case "archive-retrieval":
        return yield* refuse(decodeArchive(parameters))
      case "inventory-retrieval": {
        for (const name of ["ArchiveId", "RetrievalByteRange"]) {
          if (name in parameters) {
            return yield* Either.left(Refusal.invalid(`${name} is not valid for jobs of type ${type}`))
          }
        }
        const selection = parameters["InventoryRetrievalParameters"]
        return yield* refuse(decodeInventory(
          isObject(selection) ? { ...parameters, InventoryRetrievalParameters: given(selection) } : parameters
        ))
      }
      default:
        return yield* Either.left(Catalogue.invalid("Type", type))
    }
  })

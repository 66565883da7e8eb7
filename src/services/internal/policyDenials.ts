/**
 * Finds the statements of a vault's policies that deny, or may deny, the deletion of its archives or of the vault. A statement
 * that cannot be evaluated here may deny: only the service knows.
 *
 * @internal
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/** The actions of a program that empties and deletes a vault. */
export const actions = ["DeleteArchive", "DeleteVault"] as const

/** A statement that denies an action. */
export interface Found {
  readonly action: (typeof actions)[number]
  /** Whether the statement denies the action to everybody. If false, it may deny it. */
  readonly certain: boolean
  /** The age in days from which archives can be deleted, for a statement that denies the deletion of younger ones. */
  readonly youngerThanDays: number | undefined
  /** The statement as JSON. */
  readonly statement: string
}

const Document = Schema.parseJson(Schema.Struct({ Statement: Schema.Unknown }))

const listOf = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : [value]

/** Whether a text matches one of the patterns of an element, in which `*` stands for any characters and `?` for one. */
const matches = (element: unknown, text: string, flags = ""): boolean =>
  listOf(element).some((pattern) => {
    const source = String(pattern).replace(/\*+/g, "*").replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")
    return new RegExp(`^${source.replaceAll("?", ".")}$`, flags).test(text)
  })

type Statement = Readonly<Record<string, unknown>>

const isAbout = ({ Action, NotAction, NotResource, Resource }: Statement, action: string, vaultArn: string): boolean =>
  (Action === undefined ? !matches(NotAction, action, "i") : matches(Action, action, "i")) &&
  (Resource === undefined ? !matches(NotResource, vaultArn) : matches(Resource, vaultArn))

const isEverybody = ({ NotPrincipal, Principal }: Statement): boolean =>
  NotPrincipal === undefined &&
  (Principal === "*" || Predicate.isRecord(Principal) && listOf(Principal["AWS"]).includes("*"))

/** The days of a condition that only compares the age of an archive. */
const ageOf = (condition: unknown): number | undefined => {
  if (!Predicate.isRecord(condition)) return undefined
  const [[operator = "", keys] = [], ...otherOperators] = Object.entries(condition)
  if (otherOperators.length > 0 || !Predicate.isRecord(keys)) return undefined
  const [[key = "", value] = [], ...otherKeys] = Object.entries(keys)
  if (otherKeys.length > 0 || key.toLowerCase() !== "glacier:archiveageindays") return undefined
  // Any one of several values is enough to deny.
  const days = Math.max(...listOf(value).map((text) => String(text).trim() === "" ? NaN : Number(text)))
  if (!Number.isInteger(days)) return undefined
  // The service compares whole days.
  switch (operator.toLowerCase()) {
    case "numericlessthan":
      return days
    case "numericlessthanequals":
      return days + 1
    default:
      return undefined
  }
}

const denialOf = (statement: Statement, action: Found["action"]): Option.Option<Found> => {
  const { Condition } = statement
  const age = ageOf(Condition)
  // A vault has no age, so such a condition is never true of it.
  if (age !== undefined && action === "DeleteVault") return Option.none()
  return Option.some({
    action,
    certain: isEverybody(statement) && (Condition === undefined || age !== undefined),
    youngerThanDays: age,
    statement: JSON.stringify(statement)
  })
}

/** Finds the denials of a policy. A policy that cannot be read may deny everything. */
export const find = (policy: string, vaultArn: string): ReadonlyArray<Found> =>
  Option.match(Schema.decodeOption(Document)(policy), {
    onNone: () => actions.map((action) => ({ action, certain: false, youngerThanDays: undefined, statement: policy })),
    onSome: ({ Statement }) =>
      listOf(Statement).flatMap((statement) =>
        Predicate.isRecord(statement) && statement["Effect"] === "Deny"
          ? actions.flatMap((action) =>
            isAbout(statement, `glacier:${action}`, vaultArn) ? Option.toArray(denialOf(statement, action)) : []
          )
          : []
      )
  })

/**
 * What a policy allows and denies (spec section 16).
 *
 * A statement matches when each of its elements does. One with a condition that is not known here, by its operator or
 * its key, does not match.
 *
 * A policy is rejected when its version is not one of AWS's policy language, or when one of its actions matches no
 * operation: a misspelled action in a lock would protect nothing, for good. For policies of other services AWS rejects
 * both; that Glacier does so is a guess.
 *
 * @internal
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { operations } from "../../protocol/Operations.ts"

/** What a statement is about to do. */
export type Effect = "Allow" | "Deny"

/** What a policy is asked. */
export interface AccessRequest {
  /** For instance `glacier:DeleteArchive`. */
  readonly action: string
  readonly accountId: string
  /** The ARN of the vault. */
  readonly resource: string
  /** Of the archive that is to be deleted or retrieved, if there is one: full days since it was stored. */
  readonly archiveAgeInDays: number | undefined
  readonly tags: ReadonlyMap<string, string>
}

const OneOrMany = Schema.Union(Schema.String, Schema.NonEmptyArray(Schema.String))

const oneOrMany = (isOne: (text: string) => boolean) => {
  const one = Schema.String.pipe(Schema.filter(isOne))
  return Schema.Union(one, Schema.NonEmptyArray(one))
}

const knownActions = Object.values(operations).map(({ name }) => `glacier:${name.toLowerCase()}`)

/** Whether a text is an action of the service, or a pattern that matches one. Letter case does not matter. */
const isAction = (text: string): boolean => {
  const pattern = text.toLowerCase()
  return pattern === "*" ||
    (pattern.startsWith("glacier:") && knownActions.some((action) => matchesPattern(pattern, action)))
}

const Actions = oneOrMany(isAction)

const Resources = oneOrMany((text) => /^(\*|arn:[^:]*:glacier:.+)$/.test(text))

const Principal = Schema.Union(
  Schema.Literal("*"),
  Schema.Record({ key: Schema.String, value: OneOrMany })
)

const Value = Schema.Union(Schema.String, Schema.Number, Schema.Boolean)

const Statement = Schema.Struct({
  Effect: Schema.Literal("Allow", "Deny"),
  Principal: Schema.optional(Principal),
  NotPrincipal: Schema.optional(Principal),
  Action: Schema.optional(Actions),
  NotAction: Schema.optional(Actions),
  Resource: Schema.optional(Resources),
  NotResource: Schema.optional(Resources),
  Condition: Schema.optional(Schema.Record({
    key: Schema.String,
    value: Schema.Record({ key: Schema.String, value: Schema.Union(Value, Schema.Array(Value)) })
  }))
})

type Statement = typeof Statement.Type

// One that named nobody, or nothing to do, would lock a vault for good and protect nothing.
const Whole = Statement.pipe(
  Schema.filter((statement) =>
    (statement.Principal === undefined) !== (statement.NotPrincipal === undefined) &&
    (statement.Action === undefined) !== (statement.NotAction === undefined) &&
    (statement.Resource === undefined) !== (statement.NotResource === undefined)
  )
)

const Document = Schema.parseJson(
  Schema.Struct({
    Version: Schema.optional(Schema.Literal("2012-10-17", "2008-10-17")),
    Statement: Schema.Union(Whole, Schema.NonEmptyArray(Whole))
  })
)

const decode = Schema.decodeOption(Document)

/** Whether a text is a policy: an object of JSON with whole statements about Glacier. */
export const isPolicy = (text: string): boolean => Option.isSome(decode(text))

const list = <A>(value: A | ReadonlyArray<A>): ReadonlyArray<A> => isList(value) ? value : [value]

const isList = <A>(value: A | ReadonlyArray<A>): value is ReadonlyArray<A> => Array.isArray(value)

/** Whether a text is of a pattern in which `*` stands for any characters and `?` for one. */
export const matchesPattern = (pattern: string, text: string): boolean => {
  let at = 0
  let p = 0
  // Where to go on when the last star has to take one more character.
  let star = -1
  let taken = 0
  while (at < text.length) {
    if (pattern[p] === "*") {
      star = p++
      taken = at
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[at])) {
      p++
      at++
    } else if (star !== -1) {
      p = star + 1
      at = ++taken
    } else return false
  }
  while (pattern[p] === "*") p++
  return p === pattern.length
}

const names = (principal: typeof Principal.Type, accountId: string): boolean =>
  principal === "*" ||
  Object.entries(principal).some(([kind, values]) =>
    kind === "AWS" && list(values).some((value) =>
      value === "*" || value === accountId ||
      (value.startsWith("arn:") && /^arn:[^:]+:iam::([0-9]{12}):root$/.exec(value)?.[1] === accountId)
    )
  )

// One of an element and its opposite must be there.
const matches = <A>(element: A | undefined, opposite: A | undefined, test: (value: A) => boolean): boolean =>
  element !== undefined ? test(element) : opposite !== undefined && !test(opposite)

/** How one value of the request compares with one of the policy. */
type Comparison = (actual: string, given: string) => boolean

const numeric = (compare: (actual: number, given: number) => boolean): Comparison => (actual, given) =>
  actual.trim() !== "" && given.trim() !== "" && compare(Number(actual), Number(given))

const same: Comparison = (actual, given) => actual === given

const sameIgnoringCase: Comparison = (actual, given) => actual.toLowerCase() === given.toLowerCase()

const like: Comparison = (actual, given) => matchesPattern(given, actual)

const equal = numeric((actual, given) => actual === given)

/** By the operator's name in lower case; a negated one holds when no value compares. */
const operators: ReadonlyMap<string, { readonly compare: Comparison; readonly negated?: true }> = new Map([
  ["stringequals", { compare: same }],
  ["stringnotequals", { compare: same, negated: true }],
  ["stringequalsignorecase", { compare: sameIgnoringCase }],
  ["stringnotequalsignorecase", { compare: sameIgnoringCase, negated: true }],
  ["stringlike", { compare: like }],
  ["stringnotlike", { compare: like, negated: true }],
  ["bool", { compare: sameIgnoringCase }],
  ["numericequals", { compare: equal }],
  ["numericnotequals", { compare: equal, negated: true }],
  ["numericlessthan", { compare: numeric((actual, given) => actual < given) }],
  ["numericlessthanequals", { compare: numeric((actual, given) => actual <= given) }],
  ["numericgreaterthan", { compare: numeric((actual, given) => actual > given) }],
  ["numericgreaterthanequals", { compare: numeric((actual, given) => actual >= given) }]
])

const tagPrefix = "glacier:resourcetag/"

/** The values that a condition key has in a request, none if it does not apply; undefined if the key is not known. */
const valuesOf = (key: string, request: AccessRequest): ReadonlyArray<string> | undefined => {
  const name = key.toLowerCase()
  if (name === "glacier:archiveageindays") {
    return request.archiveAgeInDays === undefined ? [] : [String(request.archiveAgeInDays)]
  }
  if (!name.startsWith(tagPrefix)) return undefined
  const tag = name.slice(tagPrefix.length)
  return Array.from(request.tags).filter(([key]) => key.toLowerCase() === tag).map(([, value]) => value)
}

const holds = (condition: Exclude<Statement["Condition"], undefined>, request: AccessRequest): boolean =>
  Object.entries(condition).every(([name, keys]) => {
    const operator = operators.get(name.toLowerCase())
    return operator !== undefined && Object.entries(keys).every(([key, given]) => {
      const actual = valuesOf(key, request)
      if (actual === undefined) return false
      const found = actual.some((value) => list(given).some((one) => operator.compare(value, String(one))))
      return found !== (operator.negated ?? false)
    })
  })

const applies = (statement: Statement, request: AccessRequest): boolean => {
  const action = request.action.toLowerCase()
  return matches(statement.Principal, statement.NotPrincipal, (value) => names(value, request.accountId)) &&
    matches(
      statement.Action,
      statement.NotAction,
      (value) => list(value).some((pattern) => matchesPattern(pattern.toLowerCase(), action))
    ) &&
    matches(
      statement.Resource,
      statement.NotResource,
      (value) => list(value).some((pattern) => matchesPattern(pattern, request.resource))
    ) &&
    holds(statement.Condition ?? {}, request)
}

/** Whether a policy says explicitly that what is asked is allowed or denied. A text that is no policy says nothing. */
export const hasMatch = (effect: Effect, policy: string, request: AccessRequest): boolean =>
  Option.match(decode(policy), {
    onNone: () => false,
    onSome: (document) =>
      list<Statement>(document.Statement).some((statement) =>
        statement.Effect === effect && applies(statement, request)
      )
  })

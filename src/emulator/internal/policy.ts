/**
 * Evaluates vault policies. A statement matches a request when all its elements match. A statement with an unknown
 * condition operator or key never matches. See Access Control with Vault Access Policies (Amazon Glacier Developer
 * Guide).
 *
 * A policy is invalid when its version is not a version of AWS's policy language, or when one of its actions matches no
 * operation: in a completed lock, a misspelled action could never be corrected. For other services AWS rejects such
 * policies; that Glacier rejects them too is a guess.
 *
 * @internal
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { operations } from "../../protocol/Operations.ts"

/** The effect of a statement. */
export type Effect = "Allow" | "Deny"

/** A request as policies see it. */
export interface AccessRequest {
  /** The action, such as `glacier:DeleteArchive`. */
  readonly action: string
  /** The account of the caller. */
  readonly accountId: string
  /** The ARN of the vault. */
  readonly resource: string
  /** The age in full days of the archive that the request deletes or retrieves; undefined for other requests. */
  readonly archiveAgeInDays: number | undefined
  readonly tags: ReadonlyMap<string, string>
}

const OneOrMany = Schema.Union(Schema.String, Schema.NonEmptyArray(Schema.String))

const oneOrMany = (isOne: (text: string) => boolean) => {
  const one = Schema.String.pipe(Schema.filter(isOne))
  return Schema.Union(one, Schema.NonEmptyArray(one))
}

const knownActions = Object.values(operations).map(({ name }) => `glacier:${name.toLowerCase()}`)

/** Returns whether a text is an action of Glacier or a pattern that matches one, ignoring case. */
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

// A statement must have exactly one of each element and its `Not` form. A statement without principal, action or
// resource would match no request, and in a completed lock it could never be corrected.
const CompleteStatement = Statement.pipe(
  Schema.filter((statement) =>
    (statement.Principal === undefined) !== (statement.NotPrincipal === undefined) &&
    (statement.Action === undefined) !== (statement.NotAction === undefined) &&
    (statement.Resource === undefined) !== (statement.NotResource === undefined)
  )
)

const Document = Schema.parseJson(
  Schema.Struct({
    Version: Schema.optional(Schema.Literal("2012-10-17", "2008-10-17")),
    Statement: Schema.Union(CompleteStatement, Schema.NonEmptyArray(CompleteStatement))
  })
)

const decode = Schema.decodeOption(Document)

/** Returns whether a text is a valid policy: a JSON object with complete statements about Glacier. */
export const isPolicy = (text: string): boolean => Option.isSome(decode(text))

const list = <A>(value: A | ReadonlyArray<A>): ReadonlyArray<A> => isList(value) ? value : [value]

const isList = <A>(value: A | ReadonlyArray<A>): value is ReadonlyArray<A> => Array.isArray(value)

/** Returns whether a text matches a pattern, in which `*` stands for any characters and `?` for a single one. */
export const matchesPattern = (pattern: string, text: string): boolean => {
  let at = 0
  let p = 0
  // The position of the last star in the pattern, and the position in the text where its characters end so far. On a
  // mismatch the star takes one more character.
  let star = -1
  let starEnd = 0
  while (at < text.length) {
    if (pattern[p] === "*") {
      star = p++
      starEnd = at
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[at])) {
      p++
      at++
    } else if (star !== -1) {
      p = star + 1
      at = ++starEnd
    } else return false
  }
  while (pattern[p] === "*") p++
  return p === pattern.length
}

const isPrincipal = (principal: typeof Principal.Type, accountId: string): boolean =>
  principal === "*" ||
  Object.entries(principal).some(([kind, values]) =>
    kind === "AWS" && list(values).some((value) =>
      value === "*" || value === accountId ||
      (value.startsWith("arn:") && /^arn:[^:]+:iam::([0-9]{12}):root$/.exec(value)?.[1] === accountId)
    )
  )

// A valid statement has either an element or its opposite, such as `Action` or `NotAction`.
const elementMatches = <A>(element: A | undefined, opposite: A | undefined, test: (value: A) => boolean): boolean =>
  element !== undefined ? test(element) : opposite !== undefined && !test(opposite)

/** Compares a value of the request with a value of the policy. */
type Comparison = (actual: string, expected: string) => boolean

const numeric = (compare: (actual: number, expected: number) => boolean): Comparison => (actual, expected) =>
  actual.trim() !== "" && expected.trim() !== "" && compare(Number(actual), Number(expected))

const same: Comparison = (actual, expected) => actual === expected

const sameIgnoringCase: Comparison = (actual, expected) => actual.toLowerCase() === expected.toLowerCase()

const like: Comparison = (actual, expected) => matchesPattern(expected, actual)

const equal = numeric((actual, expected) => actual === expected)

/** The operators by their names in lower case. A negated operator matches when no value compares. */
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
  ["numericlessthan", { compare: numeric((actual, expected) => actual < expected) }],
  ["numericlessthanequals", { compare: numeric((actual, expected) => actual <= expected) }],
  ["numericgreaterthan", { compare: numeric((actual, expected) => actual > expected) }],
  ["numericgreaterthanequals", { compare: numeric((actual, expected) => actual >= expected) }]
])

const tagPrefix = "glacier:resourcetag/"

/** Returns the values of a condition key in a request, empty if it has none. Returns undefined for an unknown key. */
const valuesOf = (key: string, request: AccessRequest): ReadonlyArray<string> | undefined => {
  const name = key.toLowerCase()
  if (name === "glacier:archiveageindays") {
    return request.archiveAgeInDays === undefined ? [] : [String(request.archiveAgeInDays)]
  }
  if (!name.startsWith(tagPrefix)) return undefined
  const tag = name.slice(tagPrefix.length)
  return Array.from(request.tags).filter(([key]) => key.toLowerCase() === tag).map(([, value]) => value)
}

const conditionsMatch = (condition: Exclude<Statement["Condition"], undefined>, request: AccessRequest): boolean =>
  Object.entries(condition).every(([name, keys]) => {
    const operator = operators.get(name.toLowerCase())
    return operator !== undefined && Object.entries(keys).every(([key, expected]) => {
      const actual = valuesOf(key, request)
      if (actual === undefined) return false
      const found = actual.some((value) => list(expected).some((other) => operator.compare(value, String(other))))
      return found !== (operator.negated ?? false)
    })
  })

const statementMatches = (statement: Statement, request: AccessRequest): boolean => {
  const action = request.action.toLowerCase()
  return elementMatches(
    statement.Principal,
    statement.NotPrincipal,
    (value) => isPrincipal(value, request.accountId)
  ) &&
    elementMatches(
      statement.Action,
      statement.NotAction,
      (value) => list(value).some((pattern) => matchesPattern(pattern.toLowerCase(), action))
    ) &&
    elementMatches(
      statement.Resource,
      statement.NotResource,
      (value) => list(value).some((pattern) => matchesPattern(pattern, request.resource))
    ) &&
    conditionsMatch(statement.Condition ?? {}, request)
}

/** Returns whether a statement with this effect matches the request. An invalid policy has no statements. */
export const hasMatch = (effect: Effect, policy: string, request: AccessRequest): boolean =>
  Option.match(decode(policy), {
    onNone: () => false,
    onSome: (document) =>
      list<Statement>(document.Statement).some((statement) =>
        statement.Effect === effect && statementMatches(statement, request)
      )
  })

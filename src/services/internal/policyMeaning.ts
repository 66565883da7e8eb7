/**
 * Compares policies by their meaning: the service may return a policy in another form than it was given. The order of
 * statements and of lists, a list of one value, the case of actions and condition keys, and the two forms of a principal make
 * no difference.
 *
 * @internal
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

const Document = Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Unknown }))

const listOf = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : [value]

/** A set of texts in one form: sorted, without repetitions. */
const setOf = (value: unknown, formOf: (text: string) => string = (text) => text): ReadonlyArray<string> =>
  Array.from(new Set(listOf(value).map((item) => formOf(String(item))))).sort()

const lowerCase = (text: string): string => text.toLowerCase()

/** The entries of an object by their keys in one form, sorted. */
const entriesOf = (value: unknown, formOf: (key: string, value: unknown) => readonly [string, unknown]) =>
  Predicate.isRecord(value)
    ? Object.entries(value).map(([key, inner]) => formOf(key, inner)).sort(([a], [b]) => a < b ? -1 : 1)
    : value

/** The account `123456789012` is the same principal as `arn:aws:iam::123456789012:root`. */
const accountOf = (principal: string): string => /^arn:[^:]+:iam::([0-9]{12}):root$/.exec(principal)?.[1] ?? principal

const principalOf = (value: unknown) =>
  entriesOf(value === "*" ? { AWS: "*" } : value, (kind, names) => [kind, setOf(names, accountOf)])

const conditionOf = (value: unknown) =>
  entriesOf(value, (operator, keys) => [
    lowerCase(operator),
    entriesOf(keys, (key, values) => [lowerCase(key), setOf(values)])
  ])

const forms: Readonly<Record<string, (value: unknown) => unknown>> = {
  Principal: principalOf,
  NotPrincipal: principalOf,
  Action: (value) => setOf(value, lowerCase),
  NotAction: (value) => setOf(value, lowerCase),
  Resource: (value) => setOf(value),
  NotResource: (value) => setOf(value),
  Condition: conditionOf
}

/** A statement in one form. Its `Sid` is only a name. */
const statementOf = (statement: unknown): string => {
  if (!Predicate.isRecord(statement)) return JSON.stringify(statement)
  const { Sid: _, ...elements } = statement
  return JSON.stringify(entriesOf(elements, (name, value) => [name, forms[name]?.(value) ?? value]))
}

const meaningOf = (policy: string): Option.Option<string> =>
  Option.map(
    Schema.decodeOption(Document)(policy),
    ({ Statement, Version = "2008-10-17" }) => JSON.stringify([Version, setOf(listOf(Statement).map(statementOf))])
  )

/** Whether two policies mean the same. A text that is no JSON object means the same as an equal text only. */
export const isSame = (one: string, other: string): boolean =>
  one === other || Option.exists(Option.zipWith(meaningOf(one), meaningOf(other), (a, b) => a === b), Boolean)

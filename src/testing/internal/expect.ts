/**
 * Expectations without a test runner: what is not met is thrown, with the place of the first difference.
 *
 * @internal
 */
import * as Equal from "effect/Equal"
import * as Inspectable from "effect/Inspectable"
import * as Predicate from "effect/Predicate"
import { structuralRegion } from "effect/Utils"

/** What was expected and is not so. */
export class Unexpected extends Error {
  override readonly name = "Unexpected"
}

const shown = (value: unknown): string =>
  value instanceof Uint8Array
    ? `${value.length} bytes`
    : value instanceof RegExp
    ? String(value)
    : String(Inspectable.toStringUnknown(value, 0))

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  Predicate.isReadonlyRecord(value) && Object.getPrototypeOf(value) === Object.prototype

const firstOf = <A>(
  items: ReadonlyArray<A>,
  find: (item: A, index: number) => string | undefined
): string | undefined => {
  for (const [index, item] of items.entries()) {
    const found = find(item, index)
    if (found !== undefined) return found
  }
  return undefined
}

const isSame = (actual: unknown, expected: unknown): boolean => {
  if (expected instanceof RegExp) return Predicate.isString(actual) && expected.test(actual)
  if (!(expected instanceof Uint8Array)) return structuralRegion(() => Equal.equals(actual, expected))
  return actual instanceof Uint8Array && actual.length === expected.length &&
    actual.every((byte, index) => byte === expected[index])
}

/**
 * The first difference between two values, if there is one. A pattern stands for every text that matches it. `partial`:
 * of objects only the fields that are expected count.
 */
const difference = (actual: unknown, expected: unknown, partial: boolean, path: string): string | undefined => {
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length) {
    return firstOf(expected, (value, index) => difference(actual[index], value, partial, `${path}[${index}]`))
  }
  if (isPlain(expected) && Predicate.isRecord(actual)) {
    const keys = Object.keys(partial ? expected : { ...actual, ...expected })
    return firstOf(keys, (key) => difference(actual[key], expected[key], partial, `${path}.${key}`))
  }
  return isSame(actual, expected) ? undefined : `${path} expected ${shown(expected)}, was ${shown(actual)}`.trim()
}

const check = (problem: string | undefined): void => {
  if (problem !== undefined) throw new Unexpected(problem)
}

/** What can be expected of a value. */
export const expect = (actual: unknown) => ({
  toEqual: (expected: unknown): void => check(difference(actual, expected, false, "")),
  toMatchObject: (expected: object): void => check(difference(actual, expected, true, ""))
})

/**
 * Expectations that need no test runner. They throw the first difference and its place.
 *
 * @internal
 */
import * as Equal from "effect/Equal"
import * as Inspectable from "effect/Inspectable"
import * as Predicate from "effect/Predicate"
import { structuralRegion } from "effect/Utils"

/** An expectation that was not met. */
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
 * Finds the first difference between two values. A regular expression stands for every text that it matches. With `partial`
 * only the expected fields of objects are compared.
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

/** Compares a value with the expected one. Throws `Unexpected` if they differ. */
export const expect = (actual: unknown) => ({
  toEqual: (expected: unknown): void => check(difference(actual, expected, false, "")),
  toMatchObject: (expected: object): void => check(difference(actual, expected, true, ""))
})

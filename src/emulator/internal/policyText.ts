/**
 * The policy in the body of a request: kept as the text it is, once it can be read.
 *
 * @internal
 */
import * as Either from "effect/Either"
import * as Operation from "../../protocol/Operation.ts"
import * as Policies from "../../protocol/Policies.ts"
import * as ErrorResponse from "./errorResponse.ts"
import * as ParameterError from "./parameterError.ts"
import * as Policy from "./policy.ts"
import * as Router from "./router.ts"

const { policy } = Policies.SetVaultAccessPolicy.input

/** Reads the text of an access or a lock policy. */
export const of = (call: Router.Call, kind: "access" | "lock"): Either.Either<string, ErrorResponse.ErrorResponse> => {
  const refusal = ErrorResponse.invalid(
    `The vault ${kind} policy is not valid. Please provide a valid vault ${kind} policy.`
  )
  return Operation.decode({ policy }, Router.read(call)).pipe(
    Either.mapLeft((undecodable) => {
      const general = ParameterError.ofField(undecodable)
      return general.code === refusal.code ? refusal : general
    }),
    Either.map(({ policy }) => policy),
    Either.filterOrLeft(Policy.isPolicy, () => refusal)
  )
}

/**
 * Reads the policy in the body of a request. It is stored as the text of the request, but only if it is valid.
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

/** Returns the text of an access or lock policy. Fails when it is missing or not a valid policy. */
export const of = (call: Router.Call, kind: "access" | "lock"): Either.Either<string, ErrorResponse.ErrorResponse> => {
  const invalidPolicy = ErrorResponse.invalid(
    `The vault ${kind} policy is not valid. Please provide a valid vault ${kind} policy.`
  )
  return Operation.decode({ policy }, Router.read(call)).pipe(
    Either.mapLeft((undecodable) => {
      const general = ParameterError.ofField(undecodable)
      return general.code === invalidPolicy.code ? invalidPolicy : general
    }),
    Either.map(({ policy }) => policy),
    Either.filterOrLeft(Policy.isPolicy, () => invalidPolicy)
  )
}

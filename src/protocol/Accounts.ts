/**
 * The operations on an account: its data retrieval policy in a region, and the provisioned capacity that it has bought.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { oneOf, optional, required } from "./internal/wire.ts"
import { id } from "./Names.ts"
import * as Operation from "./Operation.ts"
import * as ServiceError from "./ServiceError.ts"

// JavaScript reads the service's largest rate, 2^63 - 1, as 2^63, which must not be written back.
const maximumRate = 2 ** 63 - 1_024

/**
 * A limit to Standard retrievals: no limit (`None`), the free tier (`FreeTier`), or `bytesPerHour`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const DataRetrievalRule = Schema.Struct({
  bytesPerHour: optional(
    "BytesPerHour",
    Schema.transform(
      Schema.Number,
      Schema.Number.pipe(
        Schema.filter((bytes) => Number.isInteger(bytes) && bytes >= 1 && bytes <= maximumRate, {
          message: () => "must be a whole number of 1 or more",
          arbitrary: () => (fc) => fc.integer({ min: 1 })
        })
      ),
      { strict: true, decode: (bytes) => bytes === 2 ** 63 ? maximumRate : bytes, encode: (bytes) => bytes }
    )
  ),
  strategy: required("Strategy", oneOf("BytesPerHour", "FreeTier", "None"))
}).pipe(
  Schema.filter((rule) => (rule.strategy === "BytesPerHour") === (rule.bytesPerHour !== undefined), {
    message: () => "must have bytesPerHour with the strategy BytesPerHour, and with no other"
  })
)

/**
 * The data retrieval policy of an account in a region: exactly one rule.
 *
 * @since 0.1.0
 * @category schemas
 */
export const DataRetrievalPolicy = Schema.Struct({
  rules: required(
    "Rules",
    Schema.Tuple(DataRetrievalRule).annotations({
      // An error within the rule has a message of its own.
      message: ({ actual }) => ({
        message: "must be exactly one rule",
        override: Array.isArray(actual) && actual.length !== 1
      })
    })
  )
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type DataRetrievalPolicy = typeof DataRetrievalPolicy.Type

/**
 * The id of a unit of provisioned capacity.
 *
 * @since 0.1.0
 * @category schemas
 */
export const CapacityId = id("CapacityId")

/**
 * @since 0.1.0
 * @category schemas
 */
export type CapacityId = typeof CapacityId.Type

/**
 * A unit of provisioned capacity, which guarantees Expedited retrievals for a month.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ProvisionedCapacity = Schema.Struct({
  capacityId: required("CapacityId", CapacityId),
  expirationDate: required("ExpirationDate", Schema.DateTimeUtc),
  startDate: required("StartDate", Schema.DateTimeUtc)
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type ProvisionedCapacity = typeof ProvisionedCapacity.Type

/** Rejects a number that is not a safe integer: it may have been rounded. */
const SafePolicy = DataRetrievalPolicy.pipe(
  Schema.filter(({ rules: [{ bytesPerHour = 1 }] }) => Number.isSafeInteger(bytesPerHour), {
    message: () => "must have a bytesPerHour of 9,007,199,254,740,991 or less"
  })
)

/** The policy as the only member of the body. */
const body = <I>(policy: Schema.Schema<DataRetrievalPolicy, I>) =>
  Operation.json(Schema.pluck(Schema.Struct({ Policy: policy }), "Policy"))

const account = { accountId: Operation.vault.accountId }

/**
 * Sets the data retrieval policy. It takes effect after minutes, and does not change jobs in progress. See
 * SetDataRetrievalPolicy (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const SetDataRetrievalPolicy = Operation.make({
  name: "SetDataRetrievalPolicy",
  method: "PUT",
  path: "/{accountId}/policies/data-retrieval",
  input: {
    ...account,
    // Other clients can send integers that are exact beyond JavaScript's.
    policy: { ...body(DataRetrievalPolicy), encode: body(SafePolicy).encode }
  },
  success: [204],
  headers: {},
  body: "none",
  errors: [ServiceError.Serialization, ...ServiceError.common],
  repeatable: true
})

/**
 * Gets the data retrieval policy. See GetDataRetrievalPolicy (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const GetDataRetrievalPolicy = Operation.make({
  name: "GetDataRetrievalPolicy",
  method: "GET",
  path: "/{accountId}/policies/data-retrieval",
  input: account,
  success: [200],
  headers: {},
  body: Operation.jsonBody(Schema.Struct({ policy: required("Policy", DataRetrievalPolicy) })),
  errors: [...ServiceError.common],
  repeatable: true
})

/**
 * Buys a unit of provisioned capacity for a month. Each call buys one and costs money; an account can have 2. See
 * PurchaseProvisionedCapacity (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const PurchaseProvisionedCapacity = Operation.make({
  name: "PurchaseProvisionedCapacity",
  method: "POST",
  path: "/{accountId}/provisioned-capacity",
  input: account,
  success: [201],
  headers: { capacityId: Operation.header("x-amz-capacity-id", CapacityId) },
  body: "none",
  errors: [ServiceError.LimitExceeded, ...ServiceError.common],
  repeatable: false,
  lookUp: "ListProvisionedCapacity tells which units the account has"
})

/**
 * Lists the units of provisioned capacity of an account. See ListProvisionedCapacity (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category operations
 */
export const ListProvisionedCapacity = Operation.make({
  name: "ListProvisionedCapacity",
  method: "GET",
  path: "/{accountId}/provisioned-capacity",
  input: account,
  success: [200],
  headers: {},
  body: Operation.jsonBody(
    Schema.Struct({ units: required("ProvisionedCapacityList", Schema.Array(ProvisionedCapacity)) })
  ),
  errors: [...ServiceError.common],
  repeatable: true
})

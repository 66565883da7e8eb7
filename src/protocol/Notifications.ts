/**
 * Who is told when a job of a vault has ended, and what (spec sections 12.5 and 13.4).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { oneOf, required } from "./internal/wire.ts"
import { JobDescription } from "./Jobs.ts"
import { SnsTopic } from "./Names.ts"
import * as Operation from "./Operation.ts"
import * as ServiceError from "./ServiceError.ts"

/**
 * What there is to be told.
 *
 * @since 0.1.0
 * @category schemas
 */
export const NotificationEvent = oneOf("ArchiveRetrievalCompleted", "InventoryRetrievalCompleted")

/**
 * The topic of SNS that is told, by its ARN, and of what.
 *
 * @since 0.1.0
 * @category schemas
 */
export const NotificationConfiguration = Schema.Struct({
  events: required("Events", Schema.Array(NotificationEvent)),
  snsTopic: required("SNSTopic", Schema.String)
})

/**
 * @since 0.1.0
 * @category schemas
 */
export type NotificationConfiguration = typeof NotificationConfiguration.Type

const Envelope = Schema.Struct({
  Type: Schema.Literal("Notification"),
  Message: Schema.parseJson(JobDescription)
})

/**
 * What is told of a job that has ended, as text: the job, as DescribeJob shows it, or SNS's envelope round that, in which
 * it comes through a queue without raw delivery.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Message: Schema.Schema<JobDescription, string> = Schema.parseJson(Schema.Union(
  JobDescription,
  Schema.transform(Envelope, Schema.typeSchema(JobDescription), {
    strict: true,
    decode: ({ Message }) => Message,
    encode: (job) => ({ Type: "Notification" as const, Message: job })
  })
))

const NewConfiguration = Schema.Struct({
  events: required(
    "Events",
    Schema.Array(NotificationEvent).pipe(
      Schema.filter((events) => events.length > 0 && new Set(events).size === events.length, {
        message: () => "must be 1 event or more, none of them twice"
      })
    )
  ),
  snsTopic: required("SNSTopic", SnsTopic)
})

/**
 * Sets whom a vault tells, in place of who was told before.
 *
 * @since 0.1.0
 * @category operations
 */
export const SetVaultNotifications = Operation.make({
  name: "SetVaultNotifications",
  method: "PUT",
  path: "/{accountId}/vaults/{vaultName}/notification-configuration",
  input: { ...Operation.vault, configuration: Operation.json(NewConfiguration) },
  success: [204],
  headers: {},
  body: "none",
  errors: [ServiceError.Serialization, ...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: true
})

/**
 * Gets the notification configuration of a vault. Fails with `NotificationsNotSet` when there is none.
 *
 * @since 0.1.0
 * @category operations
 */
export const GetVaultNotifications = Operation.make({
  name: "GetVaultNotifications",
  method: "GET",
  path: "/{accountId}/vaults/{vaultName}/notification-configuration",
  input: Operation.vault,
  success: [200],
  headers: {},
  body: Operation.jsonBody(NotificationConfiguration),
  errors: [ServiceError.NotificationsNotSet, ...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: true
})

/**
 * Lets a vault tell nobody.
 *
 * @since 0.1.0
 * @category operations
 */
export const DeleteVaultNotifications = Operation.make({
  name: "DeleteVaultNotifications",
  method: "DELETE",
  path: "/{accountId}/vaults/{vaultName}/notification-configuration",
  input: Operation.vault,
  success: [204],
  headers: {},
  body: "none",
  errors: [...ServiceError.vaultMissing, ...ServiceError.common],
  repeatable: true
})

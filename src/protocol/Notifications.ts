/**
 * The notification configuration of a vault, and the messages that the service publishes when a job ends.
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
 * The events that the service can publish.
 *
 * @since 0.1.0
 * @category schemas
 */
export const NotificationEvent = oneOf("ArchiveRetrievalCompleted", "InventoryRetrievalCompleted")

/**
 * The ARN of the SNS topic, and the events to publish.
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
 * The text of a message about a job that has ended: the description of the job, or the SNS envelope around it, which a queue
 * without raw delivery receives.
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
 * Sets the notification configuration of a vault, and replaces the previous one. See SetVaultNotifications (Amazon Glacier API
 * Reference).
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
 * Gets the notification configuration of a vault. Fails with `NotificationsNotSet` when the vault has none. See
 * GetVaultNotifications (Amazon Glacier API Reference).
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
 * Deletes the notification configuration of a vault. See DeleteVaultNotifications (Amazon Glacier API Reference).
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

/**
 * The settings of a vault: tags, notification configuration, access policy and vault lock.
 *
 * @internal
 */
import type { NotificationConfiguration } from "../../protocol/Notifications.ts"
import type { LockId } from "../../protocol/Policies.ts"
import type * as Event from "./event.ts"

/**
 * A vault lock. Its policy is in force from the start: until the lock is aborted or expires, or permanently once the
 * lock is completed. See InitiateVaultLock (Amazon Glacier API Reference).
 */
export interface Lock {
  readonly id: LockId
  readonly policy: string
  readonly createdAt: number
  /** When the lock expires unless it is completed. Undefined once it is completed. */
  readonly expiresAt: number | undefined
}

export interface Settings {
  readonly tags: Map<string, string>
  notifications: NotificationConfiguration | undefined
  accessPolicy: string | undefined
  lock: Lock | undefined
}

export const make = (): Settings => ({
  tags: new Map(),
  notifications: undefined,
  accessPolicy: undefined,
  lock: undefined
})

/** Removes the lock if it has expired. Returns the time at which it expires otherwise; infinity when it never does. */
export const expireLock = (settings: Settings, now: number): number => {
  const expiresAt = settings.lock?.expiresAt ?? Number.POSITIVE_INFINITY
  if (now < expiresAt) return expiresAt
  settings.lock = undefined
  return Number.POSITIVE_INFINITY
}

/** Applies an event that changes settings. */
export const apply = (settings: Settings, event: typeof Event.SettingsChanged.Type): void => {
  switch (event._tag) {
    case "TagsAdded":
      for (const [key, value] of Object.entries(event.tags)) settings.tags.set(key, value)
      break
    case "TagsRemoved":
      for (const key of event.keys) settings.tags.delete(key)
      break
    case "NotificationsSet":
      settings.notifications = { events: event.events, snsTopic: event.snsTopic }
      break
    case "NotificationsDeleted":
      settings.notifications = undefined
      break
    case "AccessPolicySet":
      settings.accessPolicy = event.policy
      break
    case "AccessPolicyDeleted":
      settings.accessPolicy = undefined
      break
    case "LockInitiated":
      settings.lock = { id: event.lockId, policy: event.policy, createdAt: event.at, expiresAt: event.expiresAt }
      break
    case "LockCompleted":
      if (settings.lock !== undefined) settings.lock = { ...settings.lock, expiresAt: undefined }
      break
    case "LockAborted":
      settings.lock = undefined
  }
}

/**
 * The access keys of the emulator. `Keys` of the client's `Credentials` is a type of its own: the emulator shares only
 * `protocol` with the client, and no request or response contains a whole key.
 *
 * @internal
 */
import type * as DateTime from "effect/DateTime"
import type * as Redacted from "effect/Redacted"

/** Credentials that the emulator accepts. With a `sessionToken`, requests must have that token; without it, none. */
export interface Key {
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken?: Redacted.Redacted | undefined
  /** The time after which requests signed with the key are rejected with 403 `ExpiredTokenException`. Default: never. */
  readonly expiration?: DateTime.Utc | undefined
  /** The account of the key: 12 digits. Default: the `accountId` of the options. */
  readonly accountId?: string | undefined
}

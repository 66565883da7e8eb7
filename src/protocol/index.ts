/**
 * The wire protocol of Amazon Glacier (REST API 2012-06-01): each operation as data, with its input, its output and its
 * errors, and the rules for their values. The client and the emulator are both built on these modules.
 *
 * @since 0.1.0
 * @module effect-glacier/protocol
 */
export * as Accounts from "./Accounts.ts"
export * as Archives from "./Archives.ts"
export * as Jobs from "./Jobs.ts"
export * as Limits from "./Limits.ts"
export * as Names from "./Names.ts"
export * as Notifications from "./Notifications.ts"
export * as Operation from "./Operation.ts"
export * as Operations from "./Operations.ts"
export * as Policies from "./Policies.ts"
export * as Regions from "./Regions.ts"
export * as Sha256 from "./Sha256.ts"
export * as Tags from "./Tags.ts"
export * as Uploads from "./Uploads.ts"
export * as Vaults from "./Vaults.ts"

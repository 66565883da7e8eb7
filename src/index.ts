/**
 * Amazon Glacier for Effect. Start with `Vault` and `Job`; `GlacierClient` has the bare operations.
 *
 * @since 0.1.0
 * @module effect-glacier
 */

// Vaults, jobs and plans over many archives
export * as BackupPlan from "./services/BackupPlan.ts"
export * as Decommission from "./services/Decommission.ts"
export * as DecommissionEvent from "./services/DecommissionEvent.ts"
export * as DeletionPlan from "./services/DeletionPlan.ts"
export * as Destination from "./services/Destination.ts"
export * as Job from "./services/Job.ts"
export * as JobInventory from "./services/JobInventory.ts"
export * as JobWaiting from "./services/JobWaiting.ts"
export * as RetrievalPlan from "./services/RetrievalPlan.ts"
export * as Vault from "./services/Vault.ts"
export * as VaultLock from "./services/VaultLock.ts"

// All operations of the service
export * as GlacierClient from "./client/GlacierClient.ts"
export * as Pages from "./client/Pages.ts"

// Bytes in and out
export * as Checkpoint from "./transfer/Checkpoint.ts"
export * as Download from "./transfer/Download.ts"
export * as FileLock from "./transfer/FileLock.ts"
export * as Progress from "./transfer/Progress.ts"
export * as ProgressBar from "./transfer/ProgressBar.ts"
export * as RegularFile from "./transfer/RegularFile.ts"
export * as SafePath from "./transfer/SafePath.ts"
export * as Source from "./transfer/Source.ts"
export * as Target from "./transfer/Target.ts"
export * as Upload from "./transfer/Upload.ts"
export * as Uploader from "./transfer/Uploader.ts"
export * as UploadKept from "./transfer/UploadKept.ts"
export * as UploadPlan from "./transfer/UploadPlan.ts"

// Names, inventories and hashes
export * as ArchiveName from "./protocol/ArchiveName.ts"
export * as ByteRange from "./protocol/ByteRange.ts"
export * as Inventory from "./protocol/Inventory.ts"
export * as InventoryReader from "./protocol/InventoryReader.ts"
export * as TreeHash from "./protocol/TreeHash.ts"

// Errors
export * as GlacierError from "./protocol/GlacierError.ts"
export * as ServiceError from "./protocol/ServiceError.ts"

// Policies: retries, rates, costs and time limits
export * as Bandwidth from "./policy/Bandwidth.ts"
export * as RatePolicy from "./policy/RatePolicy.ts"
export * as RetrievalBudget from "./policy/RetrievalBudget.ts"
export * as RetryPolicy from "./policy/RetryPolicy.ts"
export * as RetryQuota from "./policy/RetryQuota.ts"
export * as Timeouts from "./policy/Timeouts.ts"
export * as Waiting from "./policy/Waiting.ts"

// The way to the service
export * as CallPolicies from "./transport/CallPolicies.ts"
export * as Credentials from "./transport/Credentials.ts"
export * as Endpoint from "./transport/Endpoint.ts"
export * as Hasher from "./transport/Hasher.ts"
export * as HttpAttempt from "./transport/HttpAttempt.ts"
export * as HttpHooks from "./transport/HttpHooks.ts"
export * as Method from "./transport/Method.ts"
export * as Metrics from "./transport/Metrics.ts"
export * as ResponseBody from "./transport/ResponseBody.ts"
export * as Signer from "./transport/Signer.ts"
export * as Transport from "./transport/Transport.ts"

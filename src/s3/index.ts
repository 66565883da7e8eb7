/**
 * Archives in S3, or in an object store that speaks its API.
 *
 * @since 0.1.0
 * @module effect-glacier/s3
 */
export * as ArchiveMetadata from "./ArchiveMetadata.ts"
export * as ObjectStore from "./ObjectStore.ts"
export * as S3Destination from "./S3Destination.ts"
export * as S3DestinationError from "./S3DestinationError.ts"
export * as S3ObjectStore from "./S3ObjectStore.ts"

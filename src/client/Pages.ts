/**
 * Lists as Streams. Each follows the markers of its operation to the last page, and requests a page only when its entries
 * are pulled.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { JobDescription } from "../protocol/Jobs.ts"
import type * as Operation from "../protocol/Operation.ts"
import { operations } from "../protocol/Operations.ts"
import type { Part, PartPage, UploadDescription } from "../protocol/Uploads.ts"
import type { VaultDescription } from "../protocol/Vaults.ts"
import type { Failure } from "../transport/Method.ts"
import { GlacierClient } from "./GlacierClient.ts"
import { pages } from "./internal/pages.ts"

type Operations = typeof operations
type Input<O extends Operation.Any> = Omit<Operation.Input<O>, "marker" | "limit">

/**
 * Lists the vaults of an account in the region of the endpoint, by name. See ListVaults (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category streams
 */
export const vaults = (
  input: Input<Operations["listVaults"]> = {}
): Stream.Stream<VaultDescription, Failure<Operations["listVaults"]>, GlacierClient> =>
  pages(
    operations.listVaults,
    (marker) => Effect.flatMap(GlacierClient, (glacier) => glacier.listVaults({ ...input, marker })),
    (page) => page.vaults
  )

/**
 * Lists the jobs of a vault that run or whose output has not expired. See ListJobs (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category streams
 */
export const jobs = (
  input: Input<Operations["listJobs"]>
): Stream.Stream<JobDescription, Failure<Operations["listJobs"]>, GlacierClient> =>
  pages(
    operations.listJobs,
    (marker) => Effect.flatMap(GlacierClient, (glacier) => glacier.listJobs({ ...input, marker })),
    (page) => page.jobs
  )

/**
 * Lists the open multipart uploads of a vault. See ListMultipartUploads (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category streams
 */
export const uploads = (
  input: Input<Operations["listMultipartUploads"]>
): Stream.Stream<UploadDescription, Failure<Operations["listMultipartUploads"]>, GlacierClient> =>
  pages(
    operations.listMultipartUploads,
    (marker) => Effect.flatMap(GlacierClient, (glacier) => glacier.listMultipartUploads({ ...input, marker })),
    (page) => page.uploads
  )

/**
 * Lists the complete parts of a multipart upload, by their position. See ListParts (Amazon Glacier API Reference).
 *
 * @since 0.1.0
 * @category streams
 */
export const parts = (
  input: Input<Operations["listParts"]>
): Stream.Stream<Part, Failure<Operations["listParts"]>, GlacierClient> =>
  pages(
    operations.listParts,
    (marker) => Effect.flatMap(GlacierClient, (glacier) => glacier.listParts({ ...input, marker })),
    (page) => page.parts
  )

/**
 * Lists the pages of ListParts: each describes the upload and has up to 50 complete parts.
 *
 * @since 0.1.0
 * @category streams
 */
export const partPages = (
  input: Input<Operations["listParts"]>
): Stream.Stream<typeof PartPage.Type, Failure<Operations["listParts"]>, GlacierClient> =>
  pages(
    operations.listParts,
    (marker) => Effect.flatMap(GlacierClient, (glacier) => glacier.listParts({ ...input, marker })),
    (page) => [page]
  )

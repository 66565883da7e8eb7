/** The headers by which a simulation recognizes what a request or a response is about. */
export type Headers = Readonly<Record<string, string | undefined>>

export const archiveId = "x-amz-archive-id"
export const jobId = "x-amz-job-id"
export const treeHash = "x-amz-sha256-tree-hash"
export const uploadId = "x-amz-multipart-upload-id"

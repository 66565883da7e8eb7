/**
 * Recognizes an archive or a job that does not exist.
 *
 * @internal
 */
import { type ArchiveNotFound, type JobNotFound, ResourceNotFound } from "../../protocol/ServiceError.ts"

/**
 * Whether an error says that the resource with this id does not exist: by its class, or by the id in a message of unknown
 * form. The id has 92 or 138 characters, so it cannot be part of the name of the vault.
 */
export const isMissing = (Class: typeof ArchiveNotFound | typeof JobNotFound, id: string) =>
(
  error: unknown
): error is ArchiveNotFound | JobNotFound | ResourceNotFound =>
  error instanceof Class || (error instanceof ResourceNotFound && error.message.includes(id))

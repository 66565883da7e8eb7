/** An id in the form of the service's: 138 characters. */
export const archiveId = (index: number): string => String(index).padStart(138, "A")

/**
 * The base of the error classes, for the rooms that have errors of their own.
 *
 * @internal
 */
export { errorClass } from "./internal/errorClass.ts"

/**
 * Describes errors of the configuration.
 *
 * @internal
 */
import type * as ConfigError from "effect/ConfigError"

/** Describes a configuration error by the names of its variables: `AWS_REGION is not set`. */
export const problemOf = (error: ConfigError.ConfigError): string => {
  switch (error._op) {
    case "And":
    case "Or":
      return `${problemOf(error.left)} and ${problemOf(error.right)}`
    case "MissingData":
      return `${error.path.join(".")} is not set`
    case "InvalidData":
      return `${error.path.join(".")} cannot be used (${error.message})`
    case "SourceUnavailable":
    case "Unsupported":
      return `${error.path.join(".")} cannot be read (${error.message})`
  }
}

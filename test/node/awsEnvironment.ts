/** The environment, the files and the servers from which AWS's provider chain takes keys. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type RequestListener, type Server } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { vi } from "vitest"
import * as NodeCredentials from "../../src/node/NodeCredentials.ts"
import type { CredentialsError } from "../../src/protocol/GlacierError.ts"
import * as Credentials from "../../src/transport/Credentials.ts"

export const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

/** Replaces the variables of AWS in the environment, and points AWS's files to an empty folder, which it returns. */
export const setEnvironment = (
  variables: Readonly<Record<string, string>>
): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const folder = mkdtempSync(join(tmpdir(), "credentials-"))
      for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) vi.stubEnv(name, undefined)
      const isolated = {
        AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials"),
        AWS_CONFIG_FILE: join(folder, "config"),
        AWS_EC2_METADATA_DISABLED: "true",
        ...variables
      }
      for (const [name, value] of Object.entries(isolated)) vi.stubEnv(name, value)
      return folder
    }),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  )

/** Starts a server on this machine and returns its URL. */
export const listen = (handle: RequestListener): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<Server>((resume) => {
      const server = createServer(handle)
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  ).pipe(Effect.map((server) => {
    const address = server.address()
    return `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : address}`
  }))

/** The keys as plain values. */
export const plain = ({ accessKeyId, expiration, secretAccessKey, sessionToken }: Credentials.Keys) => [
  accessKeyId,
  Redacted.value(secretAccessKey),
  sessionToken && Redacted.value(sessionToken),
  expiration && DateTime.formatIso(expiration)
]

export const keys = Effect.provide(
  Effect.flatMap(Credentials.Credentials, ({ keys }) => keys),
  NodeCredentials.layer
)

/** The keys of a profile, in the syntax of the credentials file. */
export const profile = (accessKeyId: string) =>
  `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secret}\n`

/** A profile whose credentials are printed by a program of Node.js. */
export const withProcess = (folder: string, program: string) => {
  const script = join(folder, "print.cjs")
  writeFileSync(script, program)
  return `[default]\ncredential_process = "${process.execPath}" "${script}"\n`
}

export const printed = (error: CredentialsError) =>
  [inspect(error, { depth: Infinity, showHidden: true }), JSON.stringify(error), String(error)].join()

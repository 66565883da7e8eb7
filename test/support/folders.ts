/** Temporary folders for tests. */
import * as Effect from "effect/Effect"
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Makes a folder, and removes it when the scope closes. Returns its real path. */
export const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => realpathSync(mkdtempSync(join(tmpdir(), "effect-glacier-")))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** OpenStack Swift and its API of S3, from the packages of Debian: a store that checks signatures and the hashes of bodies. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { temporaryFolder } from "./folders.ts"

const script = fileURLToPath(new URL("./serveSwift.py", import.meta.url))

/** The servers of all packages. */
const modules = ["proxy", "account", "container", "obj"].map((name) => `swift.${name}.server`)

// The packages belong to the system's Python.
const python = "/usr/bin/python3"

/** Whether Swift is installed. */
export const isInstalled = spawnSync(python, ["-c", `import ${modules.join(", ")}`]).status === 0

/** The keys and the region of its requests. */
export const options = {
  region: "eu-west-1",
  pathStyle: true,
  keys: { accessKeyId: "test:tester", secretAccessKey: Redacted.make("testing") }
}

/** Starts Swift until the Scope closes. Returns its URL. */
export const start = Effect.gen(function*() {
  const folder = yield* temporaryFolder
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(python, [script, folder], { stdio: ["pipe", "pipe", "inherit"] })),
    (child) =>
      Effect.promise(async () => {
        const ended = once(child, "exit")
        child.kill("SIGKILL")
        await ended
      })
  )
  const port = yield* Effect.promise(async () => {
    const [line] = await Promise.race([once(createInterface(child.stdout), "line"), once(child, "exit")])
    return String(line)
  })
  if (!/^\d+$/.test(port)) return yield* Effect.dieMessage(`Swift has not started: its process ended with ${port}`)
  return `http://127.0.0.1:${port}`
})

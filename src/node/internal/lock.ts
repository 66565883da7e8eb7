/**
 * A file that says which process has something to itself.
 *
 * @internal
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"

/** Another has it. */
export class Locked extends Data.TaggedError("Locked")<{
  /** Who. */
  readonly owner: string
  /** The file to be removed should the owner be none of ours: a lock file cannot tell. */
  readonly path: string | undefined
}> {
  override get message(): string {
    return this.path === undefined
      ? `${this.owner} uses it already`
      : `${this.owner} uses it (if not, remove ${this.path})`
  }
}

/** The lock cannot be had, nobody knows whether another has it. */
export class LockFailed extends Data.TaggedError("LockFailed")<{ readonly message: string }> {}

/** The locks that this process holds: a lock file cannot tell them apart. */
const held = new Set<string>()

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code

const isAlive = (pid: number): boolean => {
  // Not held by one of this process, so its own number is that of an earlier one: in a container each may have the same.
  if (pid === process.pid || !Number.isInteger(pid) || pid <= 0) return false
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return hasCode(error, "EPERM")
  }
}

/** The number in a lock file, 0 if there is none. */
const ownerOf = (path: string): number => {
  try {
    return Number(readFileSync(path, "utf8"))
  } catch (error) {
    if (hasCode(error, "ENOENT")) return 0
    throw error
  }
}

/** Does that while no other process does: of two that find the lock of a dead one, both would take it. */
const alone = (path: string, run: () => void) => {
  const guard = `${path}.taking`
  try {
    writeFileSync(guard, "", { flag: "wx" })
  } catch (error) {
    throw hasCode(error, "EEXIST") ? new Locked({ owner: "another process", path: guard }) : error
  }
  try {
    run()
  } finally {
    rmSync(guard, { force: true })
  }
}

const take = (path: string): string => {
  const real = join(realpathSync(dirname(path)), basename(path))
  if (held.has(real)) throw new Locked({ owner: "this process", path: undefined })
  alone(path, () => {
    const pid = ownerOf(path)
    if (isAlive(pid)) throw new Locked({ owner: `process ${pid}`, path })
    writeFileSync(path, String(process.pid))
  })
  held.add(real)
  return real
}

/**
 * Has the file at `path` say that this process has it, until the Scope ends. Fails with `Locked` when another one has; the
 * lock of a process that is no more is taken over.
 */
export const lock = (path: string): Effect.Effect<void, Locked | LockFailed, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.try({
      try: () => take(path),
      catch: (error) =>
        error instanceof Locked
          ? error
          : new LockFailed({ message: error instanceof Error ? error.message : String(error) })
    }),
    (real) =>
      Effect.sync(() => {
        rmSync(path, { force: true })
        held.delete(real)
      })
  ))

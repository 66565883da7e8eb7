/**
 * A lock between processes: a folder with one entry, whose name identifies the process that owns it. The lock of a dead
 * process can be taken over.
 *
 * A process becomes the owner by renaming a prepared folder to the name of the lock. Renaming cannot replace a folder that
 * has an entry, so exactly one of several processes succeeds, also when they take over the lock of a dead process. Before
 * that they remove the entry of the dead process, whose name no other process ever has, and the folder if it is empty. So
 * only a live process keeps others out, wherever its predecessor died.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import { createHash } from "node:crypto"
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { hostname } from "node:os"
import { dirname, join } from "node:path"
import { FileInUse, FileLockFailed, type Service } from "../../transfer/FileLock.ts"

/** The identity of a process, unique over all machines and times. */
export interface Owner {
  readonly pid: number
  /** Its start time since the boot of the machine, because process numbers are reused. Empty when it is unknown. */
  readonly start: string
  /** The machine and container in which the number is valid. */
  readonly place: string
  readonly host: string
}

/** Calls a function of Node.js. Undefined when it throws. */
const attempt = <A>(run: () => A): A | undefined => {
  try {
    return run()
  } catch {
    return undefined
  }
}

const hasCode = (error: unknown, ...codes: ReadonlyArray<string>): boolean =>
  error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code)

const text = (path: string): string => attempt(() => readFileSync(path, "utf8"))?.trim() ?? ""

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return hasCode(error, "EPERM")
  }
}

/** The start time of a process: empty when it runs and its start is unknown, undefined when it does not run. */
const startOf = (pid: number): string | undefined => {
  // After the name of the program, which can contain any text: the state, and 18 fields later the start.
  const [state = "", ...fields] = text(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? []
  // A dead process whose parent has not noticed.
  if (/^[ZXx]$/.test(state)) return undefined
  const ticks = fields[18]
  if (ticks !== undefined) return `${text("/proc/sys/kernel/random/boot_id").slice(0, 8)}.${ticks}`
  return isRunning(pid) ? "" : undefined
}

const self = (): Owner => {
  const container = attempt(() => readlinkSync("/proc/self/ns/pid")) ?? ""
  const place = createHash("sha256").update(`${text("/etc/machine-id")} ${container}`).digest()
  return {
    pid: process.pid,
    start: startOf(process.pid) ?? "",
    place: Encoding.encodeHex(place).slice(0, 12),
    host: encodeURIComponent(hostname()).slice(0, 100)
  }
}

const print = ({ host, pid, place, start }: Owner): string => `${pid}-${start}-${place}-${host}`

const parse = (entry: string): Owner | undefined => {
  const [, pid, start = "", place = "", host = ""] = /^([1-9]\d*)-([^-]*)-([^-]*)-(.*)$/.exec(entry) ?? []
  return pid === undefined ? undefined : { pid: Number(pid), start, place, host }
}

/** A process, and its way to find the start time of another process. */
export interface Viewer {
  readonly me: Owner
  readonly startOf: (pid: number) => string | undefined
}

/** Describes the process that owns the lock by this entry. Undefined if it is dead. */
const living = (entry: string, { me, startOf }: Viewer): string | undefined => {
  const owner = parse(entry)
  if (owner === undefined) return `something that left ${JSON.stringify(entry)} there`
  if (owner.host !== me.host) return `process ${owner.pid} on host ${owner.host}`
  if (owner.place !== me.place) return `process ${owner.pid} in another container or machine named ${owner.host}`
  const start = startOf(owner.pid)
  if (start === undefined || (start !== "" && owner.start !== "" && start !== owner.start)) return undefined
  // Without a start time, an earlier process with our number looks the same.
  return start !== "" && owner.pid === me.pid ? "this process" : `process ${owner.pid}`
}

/** The entries of a lock. Empty if it was released meanwhile. */
const entriesOf = (lock: string): ReadonlyArray<string> => {
  try {
    return readdirSync(lock)
  } catch (error) {
    if (hasCode(error, "ENOENT")) return []
    throw error
  }
}

/** Removes a lock without an entry. If another process takes it meanwhile, it has an entry again, and stays. */
const removeEmpty = (lock: string): void => {
  attempt(() => rmdirSync(lock))
}

/** The maximum number of attempts to take over a lock that other processes take and release meanwhile. */
const maximumAttempts = 100

/** Steps that can interleave with those of other processes. Tests run them in any order, and stop them anywhere. */
type Steps<A> = Generator<void, A>

/** Renames the folder `prepared`, which has our entry, to the name of the lock, once that has no living owner. */
function* replacing(prepared: string, path: string, lock: string, viewer: Viewer): Steps<void> {
  for (let attempts = 1;; attempts++) {
    try {
      return renameSync(prepared, lock)
    } catch (error) {
      // On Windows any existing folder causes EPERM.
      if (attempts === maximumAttempts || !hasCode(error, "ENOTEMPTY", "EEXIST", "EPERM")) throw error
    }
    yield
    for (const entry of entriesOf(lock)) {
      const owner = living(entry, viewer)
      if (owner === "this process") throw new FileInUse({ path, owner })
      if (owner !== undefined) throw new FileInUse({ path, owner, lock })
      yield
      rmSync(join(lock, entry), { force: true })
    }
    yield
    removeEmpty(lock)
    yield
  }
}

/** Takes a lock. */
export function* taking(path: string, lock: string, viewer: Viewer): Steps<void> {
  mkdirSync(dirname(lock), { recursive: true })
  const prepared = mkdtempSync(`${lock}.`)
  try {
    yield
    // Other users can read the owner.
    chmodSync(prepared, 0o755)
    writeFileSync(join(prepared, print(viewer.me)), "")
    yield
    yield* replacing(prepared, path, lock, viewer)
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true })
    throw error
  }
}

/** Releases a lock. Leaves it if it is no longer ours. */
export function* releasing(lock: string, { me }: Viewer): Steps<void> {
  attempt(() => rmSync(join(lock, print(me)), { force: true }))
  yield
  removeEmpty(lock)
}

/** Runs the steps one after the other. */
const run = (steps: Steps<void>): void => {
  while (steps.next().done !== true);
}

/**
 * Locks the file at `path` by a folder at `lock`, until the Scope closes. Takes over the lock of a dead process, but not of
 * another host or container, because this process cannot see whether that owner lives.
 */
export const acquire: Service["acquire"] = (path, lock) =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.try({
      try: () => {
        const viewer = { me: self(), startOf }
        run(taking(path, lock, viewer))
        return viewer
      },
      catch: (error) =>
        error instanceof FileInUse
          ? error
          : new FileLockFailed({ path, problem: error instanceof Error ? error.message : String(error) })
    }),
    (viewer) => Effect.sync(() => run(releasing(lock, viewer)))
  ))

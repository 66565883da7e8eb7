/**
 * A lock that all processes see, and that is worth nothing once its owner is dead: a folder with one entry, whose name says
 * which process owns it.
 *
 * Only the renaming of a prepared folder to the lock's name makes an owner. A folder that has an entry cannot be replaced
 * by that, so of several processes one succeeds, also when they take over the lock of a dead one. What they remove before
 * are the entry of that dead process, whose name no other process ever has, and the folder if it is empty. So nothing
 * but a live process keeps others out, wherever its predecessor died.
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

/** A process, such that no other process of any machine at any time is the same. */
export interface Owner {
  readonly pid: number
  /** When it started, in this life of its machine: numbers of processes come again. Empty when that is not known. */
  readonly start: string
  /** The machine and container in which the number means this process. */
  readonly place: string
  readonly host: string
}

/** What a function of Node.js gives, or undefined when it throws. */
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

/** When a process started; empty when it runs and that is not known, undefined when it does not run. */
const startOf = (pid: number): string | undefined => {
  // Behind the name of the program, which may hold anything: the state, and 18 fields later the start.
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

/** A process, and how it finds out when others started: empty when they run and that is not known, undefined when not. */
export interface Viewer {
  readonly me: Owner
  readonly startOf: (pid: number) => string | undefined
}

/** The process that owns the lock by that entry; undefined if it is dead. */
const living = (entry: string, { me, startOf }: Viewer): string | undefined => {
  const owner = parse(entry)
  if (owner === undefined) return `something that left ${JSON.stringify(entry)} there`
  if (owner.host !== me.host) return `process ${owner.pid} on host ${owner.host}`
  if (owner.place !== me.place) return `process ${owner.pid} in another container or machine named ${owner.host}`
  const start = startOf(owner.pid)
  if (start === undefined || (start !== "" && owner.start !== "" && start !== owner.start)) return undefined
  // Without its start, an earlier process that had our number looks the same.
  return start !== "" && owner.pid === me.pid ? "this process" : `process ${owner.pid}`
}

/** What is in a lock. One that was released meanwhile has nothing in it. */
const entriesOf = (lock: string): ReadonlyArray<string> => {
  try {
    return readdirSync(lock)
  } catch (error) {
    if (hasCode(error, "ENOENT")) return []
    throw error
  }
}

/** Removes a lock that has no entry. One that another process takes meanwhile has an entry again, and stays. */
const removeEmpty = (lock: string): void => {
  attempt(() => rmdirSync(lock))
}

/** How often the lock of a dead process may be taken by another one that dies, too, or releases it, before we give up. */
const maximumAttempts = 100

/** Steps between which other processes may do theirs: tests put them in any order, and end them anywhere. */
type Steps<A> = Generator<void, A>

/** Gives the folder `prepared`, which holds our entry, the name of the lock, once that has no living owner. */
function* replacing(prepared: string, path: string, lock: string, viewer: Viewer): Steps<void> {
  for (let attempts = 1;; attempts++) {
    try {
      return renameSync(prepared, lock)
    } catch (error) {
      // What Windows says of any folder that is there is EPERM.
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
    // Other users may see whose it is.
    chmodSync(prepared, 0o755)
    writeFileSync(join(prepared, print(viewer.me)), "")
    yield
    yield* replacing(prepared, path, lock, viewer)
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true })
    throw error
  }
}

/** Releases a lock. If it is not ours any more, it stays. */
export function* releasing(lock: string, { me }: Viewer): Steps<void> {
  attempt(() => rmSync(join(lock, print(me)), { force: true }))
  yield
  removeEmpty(lock)
}

/** Takes the steps one after the other. */
const run = (steps: Steps<void>): void => {
  while (steps.next().done !== true);
}

/**
 * Owns the file at `path` by the lock, a folder at `lock`, until the Scope ends. Takes over the lock of a process that is
 * dead, but not one of another host or container: whether that process lives cannot be seen from here.
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

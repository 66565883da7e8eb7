/**
 * A file lock between processes. The lock of a dead process can be taken over. A lock is a folder with one entry, whose name
 * identifies the process that owns the lock.
 *
 * To take a lock, a process prepares a folder with its entry and renames it to the name of the lock. The rename fails if the
 * lock has an entry already, so only one of several processes succeeds. To take over the lock of a dead process, a process
 * removes the entry of the dead one, whose name no other process can have, then the folder if it is empty, and renames
 * again. So only a live process blocks others, at whatever step another process died.
 *
 * A process that dies while it prepares a folder leaves it there. The process that takes over a lock of the dead one removes
 * all folders beside that lock that the dead one had prepared.
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

/** The identity of a process, unique among all processes of all machines at all times. */
export interface Owner {
  readonly pid: number
  /** The start time since the boot of the machine, because process numbers are reused. Empty if it is unknown. */
  readonly start: string
  /** A hash of the machine and the container, in which process numbers are unique. */
  readonly place: string
  readonly host: string
}

/** Runs a function. Returns undefined if it throws. */
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

/** Returns the start time of a process: empty if it is unknown, undefined if the process does not run. */
const startOf = (pid: number): string | undefined => {
  // The fields after the name of the program, which may contain any characters: the state, and later the start time.
  const [state = "", ...fields] = text(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? []
  // A zombie: a dead process for which its parent has not waited.
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

/** The names in a folder. A lock that was just released is no folder any more. */
const entriesOf = (folder: string): ReadonlyArray<string> => {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (hasCode(error, "ENOENT")) return []
    throw error
  }
}

/** The start of the name of each folder that the owner of an entry prepares for a lock. A hash, because the entry is long. */
const preparedBy = (entry: string): string => `.${createHash("sha256").update(entry).digest("hex").slice(0, 8)}-`

/** Removes the folders that a dead process had prepared for the locks in a folder. */
const removePrepared = (folder: string, entry: string): void => {
  for (const name of entriesOf(folder)) {
    if (name.slice(0, -"XXXXXX".length).endsWith(preparedBy(entry))) {
      attempt(() => rmSync(join(folder, name), { recursive: true, force: true }))
    }
  }
}

/** A process that takes or releases a lock. */
export interface Viewer {
  readonly me: Owner
  /** Returns the start time of a process: empty if it is unknown, undefined if the process does not run. */
  readonly startOf: (pid: number) => string | undefined
}

/** Describes the owner of an entry. Returns undefined if the owner is dead. */
const liveOwner = (entry: string, { me, startOf }: Viewer): string | undefined => {
  const owner = parse(entry)
  if (owner === undefined) return `something that left ${JSON.stringify(entry)} there`
  if (owner.host !== me.host) return `process ${owner.pid} on host ${owner.host}`
  if (owner.place !== me.place) return `process ${owner.pid} in another container or machine named ${owner.host}`
  const start = startOf(owner.pid)
  if (start === undefined || (start !== "" && owner.start !== "" && start !== owner.start)) return undefined
  // If the start time is unknown, the owner may be an earlier process that had our number.
  return start !== "" && owner.pid === me.pid ? "this process" : `process ${owner.pid}`
}

/** Removes a lock if it has no entry. If another process takes it at the same time, it has one and stays. */
const removeEmpty = (lock: string): void => {
  attempt(() => rmdirSync(lock))
}

/** The maximum number of attempts to take a lock. An attempt fails if another process takes the lock and dies or releases it. */
const maximumAttempts = 100

/** The steps of an operation. Tests interleave the steps of several processes and stop them at any step. */
type Steps<A> = Generator<void, A>

/** Renames the folder `prepared`, which has our entry, to the name of the lock. Removes the entries of dead owners. */
function* replaceDead(prepared: string, path: string, lock: string, viewer: Viewer): Steps<void> {
  for (let attempts = 1;; attempts++) {
    try {
      return renameSync(prepared, lock)
    } catch (error) {
      // Windows reports EPERM for every folder that exists.
      if (attempts === maximumAttempts || !hasCode(error, "ENOTEMPTY", "EEXIST", "EPERM")) throw error
    }
    yield
    for (const entry of entriesOf(lock)) {
      const owner = liveOwner(entry, viewer)
      if (owner === "this process") throw new FileInUse({ path, owner })
      if (owner !== undefined) throw new FileInUse({ path, owner, lock })
      yield
      // Before the entry is removed: if this process dies in between, the next one finds the entry and does the same.
      removePrepared(dirname(lock), entry)
      yield
      rmSync(join(lock, entry), { force: true })
    }
    yield
    removeEmpty(lock)
    yield
  }
}

/** Takes a lock, step by step. */
export function* taking(path: string, lock: string, viewer: Viewer): Steps<void> {
  mkdirSync(dirname(lock), { recursive: true })
  const prepared = mkdtempSync(`${lock}${preparedBy(print(viewer.me))}`)
  try {
    yield
    // Readable for other users, so that they can see the owner.
    chmodSync(prepared, 0o755)
    writeFileSync(join(prepared, print(viewer.me)), "")
    yield
    yield* replaceDead(prepared, path, lock, viewer)
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true })
    throw error
  }
}

/** Releases a lock, step by step. A lock that another process owns by now stays. */
export function* releasing(lock: string, { me }: Viewer): Steps<void> {
  attempt(() => rmSync(join(lock, print(me)), { force: true }))
  yield
  removeEmpty(lock)
}

/** Runs all steps. */
const run = (steps: Steps<void>): void => {
  while (steps.next().done !== true);
}

/**
 * Takes the lock of the file at `path`, a folder at `lock`, until the Scope closes. Takes over the lock of a dead process, but
 * not that of another host or container, because this process cannot check whether its owner lives.
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

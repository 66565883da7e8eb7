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
interface Owner {
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

/** Who an entry says owns the lock; undefined if that process is dead. */
const living = (entry: string, me: Owner): string | undefined => {
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

/** Removes a lock that is nobody's. One that another process takes meanwhile has an entry again, and stays. */
const removeEmpty = (lock: string): void => {
  attempt(() => rmdirSync(lock))
}

/** How often the lock of a dead process is taken over by another one that dies, or is released, before we give up. */
const maximumAttempts = 100

/** Gives the folder `prepared`, which holds our entry, the name of the lock, once it has no living owner. */
const rename = (prepared: string, path: string, lock: string, me: Owner): void => {
  for (let attempts = 1;; attempts++) {
    try {
      return renameSync(prepared, lock)
    } catch (error) {
      // What Windows says of any folder that is there is EPERM.
      if (attempts === maximumAttempts || !hasCode(error, "ENOTEMPTY", "EEXIST", "EPERM")) throw error
    }
    for (const entry of entriesOf(lock)) {
      const owner = living(entry, me)
      if (owner === "this process") throw new FileInUse({ path, owner })
      if (owner !== undefined) throw new FileInUse({ path, owner, lock })
      rmSync(join(lock, entry), { force: true })
    }
    removeEmpty(lock)
  }
}

/** Gives the entry that says that this process owns the lock. */
const take = (path: string, lock: string): string => {
  const me = self()
  const entry = print(me)
  mkdirSync(dirname(lock), { recursive: true })
  const prepared = mkdtempSync(`${lock}.`)
  try {
    // Other users may see who has it.
    chmodSync(prepared, 0o755)
    writeFileSync(join(prepared, entry), "")
    rename(prepared, path, lock, me)
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true })
    throw error
  }
  return entry
}

const release = (lock: string, entry: string) =>
  Effect.sync(() => {
    attempt(() => rmSync(join(lock, entry), { force: true }))
    removeEmpty(lock)
  })

/**
 * Owns the file at `path` by the lock, a folder at `lock`, until the Scope ends. Takes over the lock of a process that is
 * dead, but not one of another host or container: whether that process lives cannot be seen from here.
 */
export const acquire: Service["acquire"] = (path, lock) =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.try({
      try: () => take(path, lock),
      catch: (error) =>
        error instanceof FileInUse
          ? error
          : new FileLockFailed({ path, problem: error instanceof Error ? error.message : String(error) })
    }),
    (entry) => release(lock, entry)
  ))

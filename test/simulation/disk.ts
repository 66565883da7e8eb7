/**
 * A disk in memory. A power cut may lose bytes that were not fsynced. A write takes time, and a process that dies meanwhile
 * leaves half of it. As with POSIX, an open file is the file it was when it was opened, even if another gets its name.
 */
import * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

interface Entry {
  bytes: Uint8Array
  size: number
  /** The bytes that were fsynced. They share the memory of `bytes` until the next write. */
  synced: Uint8Array
  mtime: number
  /** Its number, which no other file has. */
  readonly ino: number
}

/** The effect of a power cut on bytes that were not fsynced. */
export type Fate = "kept" | "lost" | "zeros"

const fates: ReadonlyArray<Fate> = ["kept", "lost", "zeros"]

/** Picks a fate by a number below 3. */
export const fate = (number: number): Fate => fates[number] ?? "kept"

const failed = (method: string, path: string, reason: PlatformError.SystemErrorReason) =>
  new PlatformError.SystemError({ module: "FileSystem", method, reason, pathOrDescriptor: path })

const notFound = (method: string, path: string) => failed(method, path, "NotFound")

/** The steps in which the memory of a file grows (bytes). */
const [small, large] = [16_384, 4_194_304]

/** Folders need not be created. */
const isFolder = (path: string) => /(^|\/)\.{0,2}$/.test(path)

export const make = () => {
  const entries = new Map<string, Entry>()
  let descriptors = 0
  let inodes = 0

  const found = (method: string, path: string) =>
    Effect.suspend(() => {
      const entry = entries.get(path)
      return entry === undefined ? notFound(method, path) : Effect.succeed(entry)
    })

  const content = ({ bytes, size }: Entry) => bytes.subarray(0, size)

  const put = (entry: Entry, at: number, bytes: Uint8Array, now: number) => {
    const end = at + bytes.length
    const isShared = entry.synced.buffer === entry.bytes.buffer
    if (isShared || end > entry.bytes.length) {
      const needed = Math.max(end, entry.size)
      const grown = new Uint8Array(needed <= small ? small : Math.ceil(needed / large) * large)
      grown.set(content(entry))
      entry.bytes = grown
    }
    entry.bytes.set(bytes, at)
    entry.size = Math.max(entry.size, end)
    entry.mtime = now
  }

  /** The disk as a process sees it. `alive` fails after its death. */
  const seenBy = (alive: Effect.Effect<void>): FileSystem.FileSystem => {
    const step = Effect.zipRight(Effect.sleep(1), alive)

    const info = ({ ino, mtime, size }: Entry): FileSystem.File.Info => ({
      type: "File",
      mtime: Option.some(new Date(mtime)),
      atime: Option.none(),
      birthtime: Option.none(),
      dev: 0,
      ino: Option.some(ino),
      mode: 0o644,
      nlink: Option.none(),
      uid: Option.none(),
      gid: Option.none(),
      rdev: Option.none(),
      size: FileSystem.Size(size),
      blksize: Option.none(),
      blocks: Option.none()
    })

    const opened = (entry: Entry, appends: boolean): FileSystem.File => {
      let position = 0
      const write = Effect.fnUntraced(function*(bytes: Uint8Array) {
        for (const half of [bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)]) {
          yield* step
          const at = appends ? entry.size : position
          put(entry, at, half, yield* Clock.currentTimeMillis)
          position = at + half.length
        }
      })
      const read = (memory: Uint8Array) =>
        Effect.map(alive, () => {
          const piece = content(entry).subarray(position, position + memory.length)
          memory.set(piece)
          position += piece.length
          return piece.length
        })
      return {
        [FileSystem.FileTypeId]: FileSystem.FileTypeId,
        fd: FileSystem.FileDescriptor(descriptors++),
        stat: Effect.map(alive, () => info(entry)),
        seek: (offset, from) =>
          Effect.sync(() => {
            position = from === "start" ? Number(offset) : position + Number(offset)
          }),
        sync: Effect.map(step, () => {
          entry.synced = content(entry)
        }),
        read: (memory) => Effect.map(read(memory), FileSystem.Size),
        readAlloc: (size) => {
          const memory = new Uint8Array(Number(size))
          return Effect.map(
            read(memory),
            (length) => length === 0 ? Option.none() : Option.some(memory.subarray(0, length))
          )
        },
        truncate: (length = 0) =>
          Effect.map(step, () => {
            const size = Number(length)
            put(entry, size, new Uint8Array(), entry.mtime)
            entry.bytes.fill(0, size)
            entry.size = size
          }),
        write: (bytes) => Effect.as(write(bytes), FileSystem.Size(bytes.length)),
        writeAll: write
      }
    }

    const open: FileSystem.FileSystem["open"] = (path, { flag = "r" } = {}) =>
      Effect.zipRight(
        alive,
        Effect.suspend(() => {
          const empty = { bytes: new Uint8Array(), size: 0, synced: new Uint8Array(), mtime: 0, ino: inodes++ }
          if (isFolder(path)) return Effect.succeed(opened(empty, false))
          const existing = entries.get(path)
          if (flag.startsWith("r") && existing === undefined) return notFound("open", path)
          if (flag.includes("x") && existing !== undefined) return failed("open", path, "AlreadyExists")
          const entry = existing ?? empty
          if (flag.startsWith("w")) Object.assign(entry, { bytes: new Uint8Array(), size: 0 })
          entries.set(path, entry)
          return Effect.succeed(opened(entry, flag.startsWith("a")))
        })
      )

    return FileSystem.make({
      ...FileSystem.makeNoop({}),
      open,
      realPath: Effect.succeed,
      readLink: (path) => notFound("readLink", path),
      access: (path) => isFolder(path) ? Effect.void : Effect.asVoid(found("access", path)),
      stat: (path) => Effect.map(Effect.zipRight(alive, found("stat", path)), info),
      makeDirectory: () => Effect.void,
      readFile: (path) =>
        Effect.map(Effect.zipRight(alive, found("readFile", path)), (entry) => content(entry).slice()),
      writeFile: (path, bytes, options) =>
        Effect.scoped(Effect.flatMap(open(path, { flag: "w", ...options }), (file) => file.writeAll(bytes))),
      rename: (from, to) =>
        Effect.flatMap(Effect.zipRight(step, found("rename", from)), (entry) =>
          Effect.sync(() => {
            entries.delete(from)
            entries.set(to, entry)
          })),
      remove: (path, options) =>
        Effect.flatMap(step, () => entries.delete(path) || options?.force ? Effect.void : notFound("remove", path))
    })
  }

  return {
    seenBy,
    names: () => Array.from(entries.keys()),
    /** The bytes of a file. */
    read: (path: string): Uint8Array | undefined => {
      const entry = entries.get(path)
      return entry && content(entry)
    },
    /** Creates or replaces a file. */
    write: (path: string, bytes: Uint8Array, now: number): void => {
      entries.set(path, { bytes, size: bytes.length, synced: bytes, mtime: now, ino: inodes++ })
    },
    /** Cuts the power of a host. For each file `fate` decides on the bytes that were not fsynced. */
    cutPower: (folder: string, fate: () => Fate): void => {
      for (const [path, entry] of entries) {
        if (!path.startsWith(folder)) continue
        switch (fate()) {
          case "kept":
            break
          case "lost":
            entry.bytes = entry.synced
            entry.size = entry.synced.length
            break
          case "zeros": {
            const size = Math.max(entry.size, entry.synced.length)
            entry.bytes = new Uint8Array(size)
            entry.bytes.set(entry.synced)
            entry.size = size
          }
        }
      }
    }
  }
}

export type Disk = ReturnType<typeof make>

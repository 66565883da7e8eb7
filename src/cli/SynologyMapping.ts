/**
 * The names of archives that Synology's Glacier Backup has stored. It writes no names into descriptions, but keeps a SQLite
 * database in a second vault, `NAME_mapping`. Synology does not document it. These columns of the table `file_info_tb` are
 * known from programs of people who restored their files without a NAS.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { Database } from "sql.js"

const table = "file_info_tb"

const columns = ["archiveID", "basePath", "shareName"]

/**
 * A file that is not the database of Glacier Backup, or that cannot be read.
 *
 * @since 0.1.0
 * @category errors
 */
export class MappingRejected extends Data.TaggedError("MappingRejected")<{
  readonly file: string
  /** The content or the error that was found instead. */
  readonly found: string
}> {
  override get message(): string {
    return `Cannot read Synology's names from ${JSON.stringify(this.file)}: ${this.found}. ` +
      `Give the archive of the vault NAME_mapping: a SQLite database with the columns ${columns.join(", ")} ` +
      `in the table ${table}.`
  }
}

const magic = "SQLite format 3\0"

const reason = (error: unknown): string => error instanceof Error ? error.message : String(error)

/** The text values in the first column of a query. */
const texts = (database: Database, query: string): ReadonlyArray<string> =>
  database.exec(query).flatMap(({ values }) => values.map(([value]) => String(value)))

/** Describes the table or the columns that are missing, if any. */
const flaw = (database: Database): string | undefined => {
  const found = texts(database, `SELECT name FROM pragma_table_info('${table}')`)
  if (found.length === 0) {
    const tables = texts(database, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    return `it has no table ${table}, its tables are: ${tables.join(", ") || "none"}`
  }
  // SQLite compares the names of columns in this way, too.
  const missing = columns.filter((name) => !found.some((column) => column.toLowerCase() === name.toLowerCase()))
  return missing.length === 0
    ? undefined
    : `its table ${table} has no ${missing.join(", ")}, its columns are: ${found.join(", ")}`
}

/**
 * Rows without an archive or a path have no name to give. SQLite concatenates the path, because JavaScript would keep its
 * pieces, too.
 */
const query = `
  SELECT CAST(archiveID AS TEXT), ltrim(coalesce(shareName, '') || '/' || ltrim(basePath, '/'), '/') AS path
  FROM ${table} WHERE archiveID <> '' AND basePath <> ''`

const names = (database: Database): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  const rows = database.prepare(query)
  while (rows.step()) {
    const [archiveId, path] = rows.get()
    if (typeof archiveId === "string" && typeof path === "string") found.set(archiveId, path)
  }
  return found
}

/**
 * Reads the path of each archive, by its id: the name of the shared folder, a slash, and the path of the file in it. Fails
 * with `MappingRejected` if the file is not the database. Holds the whole file in memory until the paths are read: for
 * 1,000,000 archives the program needs up to 700 MiB, and about 400 MiB afterwards.
 *
 * @since 0.1.0
 * @category reading
 */
export const read = Effect.fn("SynologyMapping.read")(function*(file: string) {
  const rejected = (found: string) => new MappingRejected({ file, found })
  const attempt = <A>(evaluate: () => A) =>
    Effect.try({ try: evaluate, catch: (error) => rejected(`SQLite reports: ${reason(error)}`) })
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* Effect.mapError(fs.readFile(file), (error) => rejected(error.message))
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, magic.length))
  if (start !== magic) {
    return yield* rejected(
      bytes.length === 0 ? "it is empty" : `it is not a SQLite database, it begins with ${JSON.stringify(start)}`
    )
  }
  // Other commands do not load SQLite.
  const { Database } = yield* Effect.promise(async () => (await import("sql.js/dist/sql-wasm-inline.js")).default())
  return yield* Effect.acquireUseRelease(
    attempt(() => new Database(bytes)),
    (database) =>
      Effect.flatMap(
        attempt(() => flaw(database)),
        (found) => found === undefined ? attempt(() => names(database)) : rejected(found)
      ),
    (database) => Effect.sync(() => database.close())
  )
})

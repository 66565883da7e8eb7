/** Databases as Synology's Glacier Backup keeps them. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import initSqlJs from "sql.js"

/** Writes a database that the statements make, and returns its path. */
export const databaseOf = (...statements: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const { Database } = yield* Effect.promise(() => initSqlJs())
    const database = new Database()
    for (const statement of statements) database.run(statement)
    const file = `${yield* fs.makeTempDirectoryScoped()}/mapping.sqlite`
    yield* fs.writeFile(file, database.export())
    database.close()
    return file
  })

/** The table with its columns as programs of users show them. */
export const table = `CREATE TABLE file_info_tb (
  key INTEGER PRIMARY KEY AUTOINCREMENT, shareName TEXT, basePath TEXT, archiveID TEXT, lastBkpTime INTEGER,
  fileSize INTEGER, archiveVersion INTEGER, current INTEGER)`

const literal = (value: string | null): string => value === null ? "NULL" : `'${value.replaceAll("'", "''")}'`

export const row = (archiveId: string | null, shareName: string | null, basePath: string | null): string =>
  `INSERT INTO file_info_tb (archiveID, shareName, basePath) VALUES (${
    [archiveId, shareName, basePath].map(literal).join()
  })`

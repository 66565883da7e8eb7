/** The tasks and the report of a process that runs one of them. */
import * as Schema from "effect/Schema"

export const Task = Schema.Literal("upload", "delete", "list", "plan", "resume", "parts", "jobs", "emulator")

export type Task = typeof Task.Type

/** The time of a task, and the growth of its memory. */
export const Measured = Schema.parseJson(Schema.Struct({ seconds: Schema.Number, mebibytes: Schema.Number }))

/**
 * Deliberate bugs: edits of our own source that the oracle must find. Each is as small as a slip of the hand; one whose text
 * is not in the source any more does not apply, and fails.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

export interface Mutant {
  readonly name: string
  readonly file: string
  readonly edits: ReadonlyArray<readonly [text: string, instead: string]>
  /** What the oracle says of it. */
  readonly found: RegExp
}

const wrong = /wrong bytes/
const twice = /archives too many/
const orphan = /orphans/
const leftOnDisk = /left on disk/
const hangs = /still at work/
const paidTwice = /jobs too many/
const lost = /is not in the vault|gave up/

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "a window is passed on unchecked",
    file: "src/transfer/Download.ts",
    edits: [["if (treeHash !== promised.value) return", "if (treeHash === \"\") return"]],
    found: wrong
  },
  {
    name: "windows are passed on as they come",
    file: "src/transfer/Download.ts",
    edits: [["        }), { concurrency }),", "        }), { concurrency, unordered: true }),"]],
    found: wrong
  },
  {
    name: "a window that was kept is believed without reading it",
    file: "src/transfer/internal/PartialFile.ts",
    edits: [
      ["Source.file(partial).read(range).pipe(", "Effect.succeed(recorded.get(keyOf(range))).pipe("],
      ["          Effect.flatMap(hasher.treeHash),\n", ""]
    ],
    found: wrong
  },
  {
    name: "a download gets its name before it is fsynced",
    file: "src/transfer/internal/PartialFile.ts",
    edits: [["Effect.zipRight(file.truncate(size), file.sync)", "file.truncate(size)"]],
    found: wrong
  },
  {
    name: "what a download remembers is left when it is done",
    file: "src/transfer/internal/PartialFile.ts",
    edits: [["yield* Effect.ignore(fs.remove(checkpoint))", ""]],
    found: leftOnDisk
  },
  {
    name: "a file is read one byte behind the part",
    file: "src/transfer/Source.ts",
    edits: [["handle.seek(first + start, \"start\")", "handle.seek(first + start + Math.sign(start), \"start\")"]],
    found: lost
  },
  {
    name: "the memory of a part is filled again while it is sent",
    file: "src/transfer/internal/writer.ts",
    edits: [["    slab = none\n    filled = 0", "    filled = 0"]],
    found: /wrong bytes|is not in the vault|gave up/
  },
  {
    name: "an upload that has failed is not dropped",
    file: "src/transfer/internal/multipart.ts",
    edits: [["pending && !keep\n", "!pending && !keep\n"]],
    found: orphan
  },
  {
    name: "the id of an upload is not written down",
    file: "src/transfer/internal/uploadLog.ts",
    edits: [[
      "initiated: (uploadId: UploadId) => record({ _tag: \"Opened\", uploadId })",
      "initiated: () => Effect.void"
    ]],
    found: orphan
  },
  {
    name: "that an archive is about to be completed is not written down",
    file: "src/transfer/internal/uploadLog.ts",
    edits: [[
      "completing: (treeHash: TreeHash) => record({ _tag: \"Completing\", treeHash })",
      "completing: () => Effect.void"
    ]],
    found: twice
  },
  {
    name: "an upload that is gone begins anew though it may be complete",
    file: "src/transfer/internal/uploadLog.ts",
    edits: [["if (isGone && requested.size === 0)", "if (isGone)"]],
    found: twice
  },
  {
    name: "a checkpoint stays after its work is done",
    file: "src/transfer/Upload.ts",
    edits: [["    yield* log.clear\n", ""]],
    found: leftOnDisk
  },
  {
    name: "a checkpoint is not fsynced",
    file: "src/transfer/internal/logFile.ts",
    edits: [["        yield* file.sync\n", ""]],
    found: /orphans|archives too many/
  },
  {
    name: "what is torn at the end of a checkpoint stays in it",
    file: "src/transfer/internal/logFile.ts",
    edits: [["if (!settled) yield* file.truncate(end)", ""]],
    found: /orphans|archives too many/
  },
  {
    name: "an archive is sent again when its reply was lost",
    file: "src/transport/internal/retrying.ts",
    edits: [["if (recover === undefined) return yield* unknown", "if (recover === undefined) return yield* loop"]],
    found: twice
  },
  {
    name: "what is of no use is tried again",
    file: "src/policy/RetryPolicy.ts",
    edits: [["error.retry !== \"never\" && (operation.repeatable", "(operation.repeatable"]],
    found: /a part was sent \d+ times/
  },
  {
    name: "an answer is waited for as long as it takes",
    file: "src/transport/Transport.ts",
    edits: [["{ duration: limit, onTimeout", "{ duration: Duration.infinity, onTimeout"]],
    found: hangs
  },
  {
    name: "a body that pauses is waited for as long as it takes",
    file: "src/transport/internal/answer.ts",
    edits: [[
      "Stream.timeoutFail(idled(attempt), attempt.idle)",
      "Stream.timeoutFail(idled(attempt), Duration.infinity)"
    ]],
    found: hangs
  },
  {
    name: "the time of the service is not learnt",
    file: "src/transport/internal/skew.ts",
    edits: [["if (Math.abs(seen - offset) > tolerance) offset = seen", ""]],
    found: lost
  },
  {
    name: "a job that is gone looks like any error",
    file: "src/services/internal/describe.ts",
    edits: [["error.message.includes(jobId)", "error.message.includes(\"nothing\")"]],
    found: /gave up/
  },
  {
    name: "the jobs that run are not asked for after a restart",
    file: "src/services/RetrievalPlan.ts",
    edits: [["if (left.length > 0) {", "if (left.length === 0) {"]],
    found: paidTwice
  },
  {
    name: "a job that can be read is taken for one that is gone",
    file: "src/services/RetrievalPlan.ts",
    edits: [["if (yield* live) return job", "if (!(yield* live)) return job"]],
    found: /jobs too many|gave up/
  },
  {
    name: "a job whose answer was lost is not looked for",
    file: "src/client/internal/lost.ts",
    edits: [["parameters.description?.trim() && isAsked(job)", "parameters.description?.trim() && !isAsked(job)"]],
    found: /jobs too many|wrong bytes/
  },
  {
    name: "a file that is in its place is not known",
    file: "src/services/RetrievalPlan.ts",
    edits: [["found.size === BigInt(size)", "found.size !== BigInt(size)"]],
    found: /gave up/
  },
  {
    name: "an archive is noted as retrieved before it is",
    file: "src/services/RetrievalPlan.ts",
    edits: [
      [
        "      const onProgress = tells()\n",
        "      yield* append({ _tag: \"Retrieved\", archiveId })\n      const onProgress = tells()\n"
      ]
    ],
    found: /not on disk/
  },
  {
    name: "an archive is noted as deleted before it is",
    file: "src/services/DeletionPlan.ts",
    edits: [[
      "Effect.matchEffect(remove(archive), {",
      "Effect.matchEffect(Effect.zipRight(append({ _tag: \"Deleted\", archiveId: archive.archiveId }), remove(archive)), {"
    ]],
    found: /still in the vault/
  },
  {
    name: "what is left beside a file that is in its place stays",
    file: "src/services/RetrievalPlan.ts",
    edits: [["yield* Target.settle(target, archive.treeHash)", ""]],
    found: leftOnDisk
  }
]

/** A copy of the source with the bug in it, and of the simulation beside it. Gives the program to run. */
export const apply = ({ edits, file }: Mutant, root: string, folder: string): string => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const part of ["src", "test/simulation", "test/support"]) {
    cpSync(join(root, part), join(folder, part), { recursive: true })
  }
  let text = readFileSync(join(root, file), "utf8")
  for (const [before, instead] of edits) {
    const parts = text.split(before)
    if (parts.length !== 2) throw new Error(`${JSON.stringify(before)} is there ${parts.length - 1} times in ${file}`)
    text = parts.join(instead)
  }
  writeFileSync(join(folder, file), text)
  return join(folder, "test/simulation/run.ts")
}

/**
 * Deliberate bugs that the oracle must find. Each is a small edit of our own source. A mutant whose text is no longer in the
 * source fails.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

export interface Mutant {
  readonly name: string
  /** The program that must find the bug. Default: `run.ts`. */
  readonly program?: string
  readonly file: string
  readonly edits: ReadonlyArray<readonly [text: string, instead: string]>
  /** The problems that the oracle reports, of which one is enough. */
  readonly found: RegExp
  /**
   * The seed that the search starts at, by default 1. A search from 1 takes minutes when the first seed that finds the bug is
   * high, so such a mutant starts at that seed. The search still covers 2,000 seeds from there.
   */
  readonly from?: number
}

const wrong = /wrong bytes/
const twice = /archives too many/
const orphan = /orphans/
const leftOnDisk = /left on disk/
const hangs = /still at work/
const paidTwice = /jobs too many/
const lost = /is not in the vault|gave up/
const storedTwice = /is stored \d+ times/
const leftOpen = /uploads left open/

/** Bugs that the simulation of backups finds. */
const ofBackups: ReadonlyArray<Omit<Mutant, "simulation">> = [
  {
    name: "records the archive of a file after its checkpoint is cleared",
    file: "src/services/internal/backupRun.ts",
    edits: [[
      "    onStored: onStored(run, path)\n  })\n",
      `  })
  yield* record(run, path, { archiveId, size, treeHash, version: source.version && (yield* source.version) })
`
    ]],
    found: storedTwice
  },
  {
    name: "clears the checkpoint of a file before its archive is recorded",
    file: "src/transfer/internal/uploadLog.ts",
    edits: [[
      "  if (onStored !== undefined) yield* onStored(",
      "  yield* log.clear\n  if (onStored !== undefined) yield* onStored("
    ]],
    found: storedTwice
  },
  {
    name: "forgets the upload of a file that has changed",
    file: "src/services/internal/backupRun.ts",
    edits: [[
      "(error) => isStale(error) ? discard(run, file.path) : Effect.void",
      "(error) => isStale(error) ? Checkpoint.clear(checkpointOf(run.name, file.path)) : Effect.void"
    ]],
    found: leftOpen,
    from: 10
  },
  {
    name: "forgets the upload of a file that is removed",
    file: "src/services/BackupPlan.ts",
    edits: [[".filter((path) => !seen.has(path))", ".filter((path) => seen.has(path) && path === \"\")"]],
    found: /left open|left on disk/,
    from: 50
  },
  {
    name: "forgets that a discarded upload may be complete",
    file: "src/transfer/internal/discardedUpload.ts",
    edits: [["Effect.succeed(requested.size > 0)", "Effect.succeed(requested.size < 0)"]],
    found: storedTwice,
    from: 225
  },
  {
    name: "takes files of the same size for the same file",
    file: "src/services/internal/backupRun.ts",
    edits: [["archive.treeHash === treeHash)", "archive.treeHash !== \"\" && treeHash !== \"\")"]],
    found: /is not in the vault/
  },
  {
    name: "does not record that the upload of a file begins",
    file: "src/services/internal/backupRun.ts",
    edits: [["    yield* append({ _tag: \"Begun\", path })\n", ""]],
    found: /left open|left on disk/,
    from: 36
  }
]

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "emits a window without verifying it",
    file: "src/transfer/Download.ts",
    edits: [["if (treeHash !== expected.value) return", "if (treeHash === \"\") return"]],
    found: wrong,
    from: 183
  },
  {
    name: "emits windows in the order of their arrival",
    file: "src/transfer/Download.ts",
    edits: [["        }), { concurrency }),", "        }), { concurrency, unordered: true }),"]],
    found: wrong,
    from: 27
  },
  {
    name: "trusts a kept window without reading it",
    file: "src/transfer/internal/partialFile.ts",
    edits: [
      ["Source.file(partial).read(range).pipe(", "Effect.succeed(recorded.get(keyOf(range))).pipe("],
      ["          Effect.flatMap(hasher.treeHash),\n", ""]
    ],
    found: wrong,
    from: 585
  },
  {
    name: "renames a download before fsyncing it",
    file: "src/transfer/internal/partialFile.ts",
    edits: [["          Effect.zipRight(file.sync)\n", ""]],
    found: wrong
  },
  {
    name: "leaves the window log of a finished download on disk",
    file: "src/transfer/internal/partialFile.ts",
    edits: [["yield* Effect.ignore(fs.remove(windowLog))", ""]],
    found: leftOnDisk
  },
  {
    name: "reads a file 1 byte behind the part",
    file: "src/transfer/Source.ts",
    edits: [["handle.seek(first + start, \"start\")", "handle.seek(first + start + Math.sign(start), \"start\")"]],
    found: lost
  },
  {
    name: "refills the memory of a part while it is sent",
    file: "src/transfer/internal/writer.ts",
    edits: [["  writer.slab = noMemory\n", ""]],
    found: /wrong bytes|is not in the vault|gave up/
  },
  {
    name: "does not abort a failed upload",
    file: "src/transfer/internal/multipart.ts",
    edits: [["if (state._tag === \"Open\" && !keep)", "if (keep && !keep)"]],
    found: orphan,
    from: 141
  },
  {
    name: "does not record the id of an upload",
    file: "src/transfer/internal/uploadLog.ts",
    edits: [[
      "onInitiated: (uploadId: UploadId) => record({ _tag: \"Opened\", uploadId })",
      "onInitiated: () => Effect.void"
    ]],
    found: orphan
  },
  {
    name: "does not record that an upload is about to be completed",
    file: "src/transfer/internal/uploadLog.ts",
    edits: [[
      "onCompleting: (treeHash: TreeHash) => record({ _tag: \"Completing\", treeHash })",
      "onCompleting: () => Effect.void"
    ]],
    found: twice
  },
  {
    name: "restarts an upload that may be complete",
    file: "src/transfer/internal/uploadLog.ts",
    edits: [["if (isGone && requested.size === 0)", "if (isGone)"]],
    found: twice
  },
  {
    name: "leaves the checkpoint of a finished upload",
    file: "src/transfer/internal/uploadLog.ts",
    edits: [["  yield* ignoring(log.clear)\n", ""]],
    found: leftOnDisk
  },
  {
    name: "clears a checkpoint before the program has noted the archive",
    file: "src/transfer/internal/uploadLog.ts",
    edits: [[
      "  if (onStored !== undefined) yield* onStored(",
      "  yield* log.clear\n  if (onStored !== undefined) yield* onStored("
    ]],
    found: twice
  },
  {
    name: "does not fsync a checkpoint",
    file: "src/transfer/internal/logFile.ts",
    edits: [["        yield* file.sync\n", ""]],
    found: /orphans|archives too many/,
    from: 78
  },
  {
    name: "keeps a torn line at the end of a checkpoint",
    file: "src/transfer/internal/logFile.ts",
    edits: [["if (!isClean) yield* file.truncate(end)", ""]],
    found: /orphans|archives too many/,
    from: 119
  },
  {
    name: "resends an archive after its response was lost",
    file: "src/transport/internal/retrying.ts",
    edits: [["if (recover === undefined) return yield* unknown", "if (recover === undefined) return yield* loop"]],
    found: twice,
    from: 34
  },
  {
    name: "retries errors that no retry can fix",
    file: "src/policy/RetryPolicy.ts",
    edits: [["error.retry !== \"never\" && (operation.repeatable", "(operation.repeatable"]],
    found: /a part was sent \d+ times/,
    from: 172
  },
  {
    name: "waits for a response without a limit",
    file: "src/transport/internal/timeLimits.ts",
    edits: [["    duration: context.limit,\n", "    duration: Duration.infinity,\n"]],
    found: hangs
  },
  {
    name: "waits for a stalled body without a limit",
    file: "src/transport/internal/response.ts",
    edits: [[
      "Stream.timeoutFail(() => TimeLimits.idleTimeout(context), context.idle)",
      "Stream.timeoutFail(() => TimeLimits.idleTimeout(context), \"1000 days\")"
    ]],
    found: hangs,
    from: 37
  },
  {
    name: "does not learn the time of the service",
    file: "src/transport/internal/clockSkew.ts",
    edits: [["if (Math.abs(seen - offset) > tolerance) offset = seen", ""]],
    found: lost
  },
  {
    name: "does not recognize an expired job",
    file: "src/services/internal/describeJob.ts",
    edits: [["isMissing(JobNotFound, jobId)(error)", "false"]],
    found: /gave up/,
    from: 55
  },
  {
    name: "does not list the running jobs after a restart",
    file: "src/services/RetrievalPlan.ts",
    edits: [["log.done.size === made.segments.length", "log.done.size < made.segments.length"]],
    found: paidTwice,
    from: 148
  },
  {
    name: "takes a live job for an expired one",
    file: "src/services/internal/retrievalRun.ts",
    edits: [["if (yield* live) return job", "if (!(yield* live)) return job"]],
    found: /jobs too many|gave up/,
    from: 130
  },
  {
    name: "does not look for a job whose response was lost",
    file: "src/client/internal/lostResponses.ts",
    edits: [["parameters.description?.trim() && isAsked(job)", "parameters.description?.trim() && !isAsked(job)"]],
    found: /jobs too many|wrong bytes/,
    from: 200
  },
  {
    name: "does not recognize a file that is complete",
    file: "src/services/internal/directory.ts",
    edits: [["found.size === BigInt(size)", "found.size !== BigInt(size)"]],
    found: /gave up/,
    from: 672
  },
  {
    name: "records an archive as retrieved before it is",
    file: "src/services/internal/retrievalRun.ts",
    edits: [
      [
        "  const { progress, waiting } = reporter()\n",
        "  yield* item.finished()\n  const { progress, waiting } = reporter()\n"
      ]
    ],
    found: /not on disk/,
    from: 130
  },
  {
    name: "records an archive as deleted before it is",
    file: "src/services/DeletionPlan.ts",
    edits: [[
      "Effect.matchEffect(remove(archive), {",
      "Effect.matchEffect(Effect.zipRight(finished(), remove(archive)), {"
    ]],
    found: /still in the vault/,
    from: 819
  },
  {
    name: "adopts another's upload",
    file: "src/transfer/internal/multipart.ts",
    edits: [[
      "glacier.initiateMultipartUpload({ ...vault, description, partSize })",
      `Effect.flatMap(glacier.listMultipartUploads(vault), ({ uploads }) => {
        const found = uploads.find((upload) =>
          upload.partSize === partSize && Option.getOrElse(upload.archiveDescription, () => "") === (description ?? "")
        )
        return found === undefined
          ? glacier.initiateMultipartUpload({ ...vault, description, partSize })
          : Effect.succeed(found)
      })`
    ]],
    found: /share an upload/
  },
  {
    name: "does not compare the tree hash of a response with the one that was sent",
    file: "src/transport/internal/echoes.ts",
    edits: [[
      "received === undefined || received === sent",
      "received === undefined || received === sent || name === \"treeHash\""
    ]],
    found: /has another tree hash/
  },
  {
    name: "follows a repeated marker",
    file: "src/client/internal/pages.ts",
    edits: [["(marker) => seen.has(marker))", "(marker) => marker !== \"\" && !seen)"]],
    found: /caught in a loop/,
    from: 34
  },
  {
    name: "lets two processes write one partial file",
    file: "src/transfer/internal/partialFile.ts",
    edits: [
      ["  yield* lockTarget(target)\n  const { partial", "  const { partial"],
      ["a.dev === b.dev && Option", "a.dev === b.dev || Option"]
    ],
    found: wrong,
    from: 494
  },
  {
    name: "leaves the partial file beside a complete file",
    file: "src/services/internal/directory.ts",
    edits: [["yield* Target.finish(rejection.path, archive.treeHash)", ""]],
    found: leftOnDisk,
    from: 540
  },
  ...ofBackups.map((mutant): Mutant => ({ ...mutant, program: "backups.ts" }))
]

/** Returns the text of the file with the bug. Fails unless each text to replace is in the file exactly once. */
export const edited = ({ edits, file }: Mutant, root: string): string =>
  edits.reduce((text, [before, instead]) => {
    const parts = text.split(before)
    if (parts.length !== 2) throw new Error(`${file} has ${JSON.stringify(before)} ${parts.length - 1} times`)
    return parts.join(instead)
  }, readFileSync(join(root, file), "utf8"))

/** Copies the simulation and the source with the bug into a folder. Returns the path of the program to run. */
export const apply = (mutant: Mutant, root: string, folder: string): string => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (
    const part of [
      "src",
      ...["simulation", "support", "policy", "services", "transfer"].map((name) => `test/${name}`)
    ]
  ) {
    cpSync(join(root, part), join(folder, part), { recursive: true })
  }
  writeFileSync(join(folder, mutant.file), edited(mutant, root))
  return join(folder, "test/simulation", mutant.program ?? "run.ts")
}

/** Deliberate bugs of a decommission that its oracle must find. */
import type { Mutant } from "./mutants.ts"

const program = "runDecommission.ts"
const deletion = "src/services/internal/decommissionDeletion.ts"
const run = "src/services/internal/decommissionRun.ts"

const hangs = /does not end|still runs/

export const decommissionMutants: ReadonlyArray<Mutant> = [
  {
    name: "deletes an archive before its proof",
    program,
    file: "src/services/DeletionPlan.ts",
    edits: [[
      "Effect.flatMap(isProven(archive), (proven)",
      "Effect.flatMap(Effect.zipRight(Effect.ignore(remove(archive)), isProven(archive)), (proven)"
    ]],
    found: /without a proof/
  },
  {
    name: "forgets the stragglers",
    program,
    file: run,
    edits: [["const isEmpty = foundEmpty ||", "const isEmpty = foundEmpty || state.round > 1 ||"]],
    found: hangs
  },
  {
    name: "uses an inventory that is older than the last deletion",
    program,
    file: run,
    edits: [["const longestLag = \"3 days\"", "const longestLag = \"2 hours\""]],
    found: /deletions too many/
  },
  {
    name: "starts an inventory job without looking for one",
    program,
    file: run,
    edits: [["vault.retrieveInventory({ reuse: { lasts: \"1 hour\", maxAge: 0 } })", "vault.retrieveInventory()"]],
    found: /jobs too many/,
    from: 157
  },
  {
    name: "aborts an open upload that must be kept",
    program,
    file: run,
    edits: [["    yield* stopped(run, Look.reasons({ denials: [], runningJobs: running, uploads }, run))\n", ""]],
    found: /an upload was aborted/
  },
  {
    name: "does not record that it deletes the vault",
    program,
    file: run,
    edits: [["  yield* log.append({ _tag: \"Deleting\" })\n", ""]],
    found: /failed with VaultNotFound/,
    from: 1305
  },
  {
    name: "ends a round although archives have no proof",
    program,
    file: deletion,
    edits: [["if (counts.unproven.archives > 0)", "if (counts.unproven.archives < 0)"]],
    found: hangs
  },
  {
    name: "deletes young archives that must be kept",
    program,
    file: deletion,
    edits: [[
      "const [reason] = Tally.reasons(tally, youngArchives)",
      "const [reason] = Tally.reasons(tally, \"delete\")"
    ]],
    found: /a young archive was deleted/
  },
  {
    name: "loses the plan when the next run starts",
    program,
    file: run,
    edits: [[
      "yield* DecommissionLog.clearPlans(log.name, round - 1)",
      "yield* DecommissionLog.clearPlans(log.name, round)"
    ]],
    found: /deletions too many|jobs too many/
  }
]

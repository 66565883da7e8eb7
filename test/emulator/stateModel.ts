/** A model of a vault's archives, jobs and inventories. It copies the whole list of archives for each inventory. */
import { FastCheck, Schema } from "effect"
import { Event } from "../../src/emulator/internal/event.ts"
import * as State from "../../src/emulator/internal/state.ts"

export const vault = "arn:aws:glacier:us-east-1:123456789012:vaults/photos"

export const hour = 3_600_000

const day = 24 * hour

/** An action, `wait` milliseconds after the previous one. `pick` chooses one of the archives. */
const action = FastCheck.record({
  kind: FastCheck.constantFrom("store", "store", "delete", "job"),
  wait: FastCheck.oneof(FastCheck.constant(0), FastCheck.integer({ min: 1, max: 30 }).map((hours) => hours * hour)),
  pick: FastCheck.nat(1000)
})

const archiveId = (n: number) => `archive-${n}`

const decode = Schema.decodeUnknownSync(Event)

interface Archive {
  readonly n: number
  deletedAt: number | undefined
  readonly jobs: Array<number>
}

/** Runs actions on the state and on a model, which copies the whole list for each inventory. */
export const run = (
  actions: ReadonlyArray<{ readonly kind: string; readonly wait: number; readonly pick: number }>,
  delays: { readonly inventory: number; readonly job: number }
) => {
  const state = State.make()
  const events: Array<Event> = []
  const commit = (event: unknown) => {
    events.push(decode(event))
    State.apply(state, decode(event))
  }
  const all: Array<Archive> = []
  const live = () => all.filter(({ deletedAt }) => deletedAt === undefined)
  let shown: ReadonlyArray<Archive> | undefined
  let changed = false
  let due: number | undefined
  const advance = (now: number) => {
    if (due === undefined || due > now) return
    shown = live()
    changed = false
    due = undefined
  }

  let now = 0
  commit({ _tag: "VaultCreated", at: 0, vault })
  for (const { kind, pick, wait } of actions) {
    now += wait
    advance(now)
    const candidates = live()
    const picked = candidates[pick % Math.max(1, candidates.length)]
    const write = () => {
      changed = true
      due ??= now + delays.inventory
      advance(now)
    }
    const inventoryAt = now + delays.inventory
    if (kind === "store") {
      const n = all.length
      const blob = { id: `blob-${n}`, size: n + 1, treeHash: "0".repeat(64) }
      commit({ _tag: "ArchiveStored", at: now, vault, archiveId: archiveId(n), blob, inventoryAt })
      all.push({ n, deletedAt: undefined, jobs: [] })
      write()
    } else if (picked !== undefined && kind === "delete") {
      commit({ _tag: "ArchiveDeleted", at: now, vault, archiveId: archiveId(picked.n), inventoryAt })
      picked.deletedAt = now
      write()
    } else if (picked !== undefined) {
      const completesAt = now + delays.job
      const task = { _tag: "ArchiveRetrieval", archiveId: archiveId(picked.n), start: 0, end: picked.n, tier: "Bulk" }
      const jobId = `job-${events.length}`
      commit({ _tag: "JobInitiated", at: now, vault, jobId, completesAt, expiresAt: completesAt + day, task })
      picked.jobs.push(completesAt)
    }
  }
  return {
    state,
    events,
    now,
    at: (time: number) => {
      advance(time)
      const needed = ({ deletedAt, jobs }: Archive) =>
        deletedAt === undefined || jobs.some((completesAt) => completesAt <= deletedAt && completesAt + day > time)
      return {
        listed: (shown ?? []).map(({ n }) => archiveId(n)),
        archives: shown?.length,
        bytes: shown?.reduce((sum, { n }) => sum + n + 1 + 32_768, 0),
        isDeletable: (shown ?? []).length === 0 && !changed,
        released: all.filter((archive) => !needed(archive)).map(({ n }) => `blob-${n}`)
      }
    }
  }
}

/** The facts about the vault that both the state and the model have at a time. */
export const view = (state: State.State, now: number) => {
  const found = state.vaults.get(vault)
  if (found === undefined) throw new Error("the vault does not exist")
  State.advance(state, found, now)
  return {
    listed: Array.from(State.inventoriedArchives(found), ({ id }) => String(id)),
    archives: found.inventory?.archives,
    bytes: found.inventory?.bytes,
    isDeletable: State.isDeletable(found),
    released: [...state.released].sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)))
  }
}

export const delays = FastCheck.record({
  inventory: FastCheck.constantFrom(0, hour, day),
  job: FastCheck.constantFrom(0, 4 * hour)
})

export const actions = FastCheck.array(action, { maxLength: 40 })

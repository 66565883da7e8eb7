import { describe, expect, it } from "@effect/vitest"
import { Either, FastCheck, Schema } from "effect"
import { Event } from "../../src/emulator/internal/event.ts"
import * as State from "../../src/emulator/internal/state.ts"
import { actions, delays, hour, run, vault, view } from "./stateModel.ts"

describe("State", () => {
  it.prop("lists the archives that a copy of the list at each inventory has, and releases bytes once and in time", [
    actions,
    delays,
    FastCheck.integer({ min: 0, max: 60 })
  ], ([actions, delays, later]) => {
    const { at, now, state } = run(actions, delays)
    const time = now + later * hour
    expect(view(state, time)).toEqual(at(time))
  }, { fastCheck: { numRuns: 500 } })

  it.prop("is the same when its events are written, read and replayed", [actions, delays], ([actions, delays]) => {
    const { events, now, state } = run(actions, delays)
    const codec = Schema.parseJson(Event)
    const replayed = State.make()
    for (const event of events) {
      State.apply(replayed, Either.getOrThrow(Schema.decodeEither(codec)(Schema.encodeSync(codec)(event))))
    }
    expect(view(replayed, now)).toEqual(view(state, now))
    expect(replayed).toEqual(state)
  })

  it.prop("never releases the bytes of an archive or job that exists", [actions, delays], ([actions, delays]) => {
    const { state } = run(actions, delays)
    const referenced = State.referenced(state)
    const found = state.vaults.get(vault)
    for (const { blobs, deleted } of found?.archives.values() ?? []) {
      if (deleted === undefined) { for (const { id } of blobs) expect(referenced.has(id)).toBe(true) }
    }
    for (const id of state.released) {
      const archive = [...(found?.archives.values() ?? [])].find(({ blobs }) => blobs.some((blob) => blob.id === id))
      expect(archive?.deleted ?? true).toBeTruthy()
    }
  })
})

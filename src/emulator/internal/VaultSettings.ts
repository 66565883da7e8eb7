/**
 * What is set on a vault besides its archives: it goes with the vault.
 *
 * @internal
 */
import type * as Event from "./Event.ts"

export interface Settings {
  readonly tags: Map<string, string>
}

export const make = (): Settings => ({ tags: new Map() })

/** Applies an event that changes settings. */
export const apply = (settings: Settings, event: typeof Event.SettingsChanged.Type): void => {
  switch (event._tag) {
    case "TagsAdded":
      for (const [key, value] of Object.entries(event.tags)) settings.tags.set(key, value)
      break
    case "TagsRemoved":
      for (const key of event.keys) settings.tags.delete(key)
  }
}

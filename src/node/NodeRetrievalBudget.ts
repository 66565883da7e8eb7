/**
 * Retrieval budgets in files of Node.js.
 *
 * @since 0.1.0
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeKeyValueStore from "@effect/platform-node/NodeKeyValueStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { join } from "node:path"
import * as RetrievalBudget from "../policy/RetrievalBudget.ts"
import { type InvalidInput, LedgerError } from "../protocol/GlacierError.ts"
import * as RegularFile from "../transfer/RegularFile.ts"
import { acquire } from "./internal/lock.ts"

const failed = ({ message }: { readonly message: string }) => new LedgerError({ message: `The ledger ${message}` })

/**
 * A budget for a whole program, whose ledger is in files of a folder: it holds across restarts and crashes, and one
 * program at a time has it. Fails with `LedgerError` while another program, or another Layer of this one, uses the ledger
 * of that `key` in that folder.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { NodeRetrievalBudget } from "effect-glacier/node"
 *
 * // 100 GiB in any day, of which not more than 10 in any hour
 * const careful = NodeRetrievalBudget.layerWith("retrievals", { bytesPerHour: 10 * 2 ** 30, bytesPerDay: 100 * 2 ** 30 })
 */
export const layerWith = (
  directory: string,
  options: RetrievalBudget.Options
): Layer.Layer<never, InvalidInput | LedgerError> => {
  const path = join(directory, encodeURIComponent(options.key ?? RetrievalBudget.defaultKey))
  const owned = Effect.mapError(acquire(path, `${path}.lock`), failed)
  const store = Layer.mapError(
    NodeKeyValueStore.layerFileSystem(directory),
    ({ message }) => failed({ message: `${path} cannot be opened: ${message}` })
  )
  // The pages of the ledger: to read a pipe would block.
  const files = Effect.forEach([`${path}-1`, `${path}-2`], (page) =>
    RegularFile.check(page).pipe(
      Effect.catchIf((error) => error._tag === "SystemError" && error.reason === "NotFound", () => Effect.void),
      Effect.mapError(({ message }) => failed({ message: `cannot be opened: ${message}` }))
    ))
  return Layer.scoped(
    RetrievalBudget.RetrievalBudget,
    owned.pipe(Effect.zipRight(files), Effect.zipRight(RetrievalBudget.make(options)))
  ).pipe(
    Layer.provide(Layer.merge(store, NodeFileSystem.layer))
  )
}

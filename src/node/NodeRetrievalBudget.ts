/**
 * Retrieval budgets whose ledgers are files.
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
 * A budget for a whole program. Its ledger is stored in files of a folder, so it holds across restarts and crashes. Fails with
 * `LedgerError` while another program, or another Layer of this program, uses the ledger with that `key` in that folder.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { NodeRetrievalBudget } from "effect-glacier/node"
 *
 * // At most 100 GiB in any 24 hours, and at most 10 GiB in any hour
 * const careful = NodeRetrievalBudget.layerWith("retrievals", { bytesPerHour: 10 * 2 ** 30, bytesPerDay: 100 * 2 ** 30 })
 */
export const layerWith = (
  directory: string,
  options: RetrievalBudget.Options
): Layer.Layer<never, InvalidInput | LedgerError> => {
  const path = join(directory, encodeURIComponent(options.key ?? RetrievalBudget.defaultKey))
  const owned = Effect.mapError(acquire(path, `${path}.lock`), (error) => {
    const { message } = failed(error)
    return error._tag === "FileInUse" ? new LedgerError({ message, owner: error.owner }) : new LedgerError({ message })
  })
  const store = Layer.mapError(
    NodeKeyValueStore.layerFileSystem(directory),
    ({ message }) => failed({ message: `${path} cannot be opened: ${message}` })
  )
  // The files of the ledger. Reading a named pipe in their place would block.
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

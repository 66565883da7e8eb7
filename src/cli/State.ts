/**
 * The state folder. It has one folder for each account, region and vault, of plain files that can be copied. In the folder of
 * a vault, each capital letter of its name is a small letter after a plus sign: `+photos` for `Photos`.
 *
 * - `ACCOUNT/REGION/VAULT/inventories`: the last two inventories as they came, compressed
 * - `ACCOUNT/REGION/VAULT/plans`: what each plan is for
 * - `ACCOUNT/REGION/VAULT/checkpoints`: the archives and the progress of the plans
 * - `ACCOUNT/REGION/VAULT/records`: what was done with archives, as JSON lines
 * - `ACCOUNT/REGION/VAULT/wrong.jsonl`: the copies that a check has found wrong
 * - `ACCOUNT/REGION/VAULT/running`: what the commands that run now are doing
 * - `ACCOUNT/REGION/@ledger`: what was spent on retrievals
 * - `prices.json`: the prices of each region, to edit
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { homedir } from "node:os"
import type { VaultNotFound } from "../protocol/ServiceError.ts"
import * as Vault from "../services/Vault.ts"
import { StateError, Usage, VaultElsewhere } from "./Failures.ts"
import { Globals } from "./Globals.ts"

/**
 * The folders of a vault.
 *
 * @since 0.1.0
 * @category models
 */
export interface VaultState {
  readonly account: string
  readonly region: string
  readonly vaultName: string
  readonly folder: string
  readonly inventories: string
  readonly plans: string
  readonly checkpoints: string
  readonly records: string
  readonly running: string
  /** The ledger of the account in the region. */
  readonly ledger: string
}

/** No vault can have this name. */
const ledgerName = "@ledger"

/**
 * The folder of a vault. Some file systems do not distinguish `Photos` from `photos`, and Windows ignores a period at the end,
 * but these are different vaults. No vault has a plus sign in its name.
 */
const folderOf = (vaultName: string): string => vaultName.replace(/[A-Z]|\.$/g, (text) => `+${text.toLowerCase()}`)

const nameOf = (folder: string): string => folder.replace(/\+(.)/g, (_, text: string) => text.toUpperCase())

/**
 * The state folder: that of `--state`, else `effect-glacier` in the XDG state home.
 *
 * @since 0.1.0
 * @category getters
 */
export const root: Effect.Effect<string, never, Globals | Path.Path> = Effect.gen(function*() {
  const path = yield* Path.Path
  const { state } = yield* Globals
  return path.resolve(
    Option.getOrElse(
      state,
      () => path.join(process.env["XDG_STATE_HOME"] || path.join(homedir(), ".local", "state"), "effect-glacier")
    )
  )
})

const vaultStateOf = (account: string, region: string, vaultName: string) =>
  Effect.gen(function*() {
    const path = yield* Path.Path
    const parent = path.join(yield* root, account, region)
    const folder = path.join(parent, folderOf(vaultName))
    const state: VaultState = {
      account,
      region,
      vaultName,
      folder,
      inventories: path.join(folder, "inventories"),
      plans: path.join(folder, "plans"),
      checkpoints: path.join(folder, "checkpoints"),
      records: path.join(folder, "records"),
      running: path.join(folder, "running"),
      ledger: path.join(parent, ledgerName)
    }
    return state
  })

/**
 * The folder of the vault with this ARN. Fails if the options name another vault.
 *
 * @since 0.1.0
 * @category getters
 */
export const ofArn = Effect.fnUntraced(function*(arn: string) {
  const { account, region, vault } = yield* Globals
  const [, , , ofRegion = "", ofAccount = "", resource = ""] = arn.split(":")
  const name = resource.replace(/^vaults\//, "")
  const isOther = (wanted: Option.Option<string>, found: string) => Option.isSome(wanted) && wanted.value !== found
  if (isOther(vault, name) || isOther(account, ofAccount) || isOther(region, ofRegion)) {
    return yield* new Usage({ message: `The vault is ${arn}, not the one in the options` })
  }
  return yield* vaultStateOf(ofAccount, ofRegion, name)
})

/** The names in a folder. A folder that does not exist has none. */
const namesIn = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.catchIf(
    fs.readDirectory(folder),
    (error) => error._tag === "SystemError" && error.reason === "NotFound",
    () => Effect.succeed([])
  )
})

/**
 * Lists the vaults that have a folder, without a request.
 *
 * @since 0.1.0
 * @category getters
 */
export const known = Effect.gen(function*() {
  const path = yield* Path.Path
  const top = yield* root
  const accounts = (yield* namesIn(top)).filter((name) => /^\d{12}$/.test(name))
  const regions = yield* Effect.forEach(
    accounts,
    (account) => Effect.map(namesIn(path.join(top, account)), (names) => names.map((region) => ({ account, region })))
  )
  const vaults = yield* Effect.forEach(
    regions.flat(),
    ({ account, region }) =>
      Effect.map(
        namesIn(path.join(top, account, region)),
        (names) =>
          names.filter((name) => name !== ledgerName && folderOf(nameOf(name)) === name)
            .map((name) => vaultStateOf(account, region, nameOf(name)))
      )
  )
  return yield* Effect.all(vaults.flat())
}).pipe(Effect.mapError(({ message }) => new StateError({ message: `The state folder cannot be read: ${message}` })))

/**
 * The folder of the vault in use, without a request. Fails unless exactly one vault fits the options.
 *
 * @since 0.1.0
 * @category getters
 */
export const offline = Effect.gen(function*() {
  const { account, region, vault } = yield* Globals
  const fits = (wanted: Option.Option<string>, found: string) => Option.isNone(wanted) || wanted.value === found
  const all = yield* known
  const found = all.filter((state) =>
    fits(vault, state.vaultName) && fits(account, state.account) && fits(region, state.region)
  )
  const [first, ...others] = found
  if (first === undefined) {
    return yield* new StateError({
      message: `${yield* root} knows no vault${
        Option.match(vault, {
          onNone: () => "",
          onSome: (name) => ` ${name}`
        })
      }` +
        " yet. Run effect-glacier inventory --vault NAME"
    })
  }
  if (others.length > 0) {
    return yield* new Usage({
      message: `Several vaults fit: ${
        found.map(({ account, region, vaultName }) => `${vaultName} (${region}, ${account})`).join(", ")
      }. Choose one by --vault, --region and --account`
    })
  }
  return first
})

/** Fails with the region in which the vault was before, if there is one. */
const notFound = Effect.fnUntraced(function*(error: VaultNotFound) {
  const { vault } = yield* Globals
  const places = (yield* known).filter(({ vaultName }) => Option.contains(vault, vaultName))
  const others = places.filter(({ account, region }) => !error.message.includes(`:${region}:${account}:`))
  const [first] = others
  if (first === undefined) return yield* error
  const where = others.map(({ account, region }) => `${region} (account ${account})`).join(", ")
  const next = error.message.includes(`:${first.region}:`)
    ? "use the keys of that account, such as by --profile"
    : `use --region ${first.region}`
  return yield* new VaultElsewhere({
    message: `${error.message}\nThe state folder knows the vault ${first.vaultName} in ${where}: ${next}`
  })
})

/**
 * The vault in use and its folder. Asks the service for the vault, whose response shows that it exists, and its owner.
 *
 * @since 0.1.0
 * @category getters
 */
export const online = Effect.gen(function*() {
  const { account, vault: name } = yield* Globals
  if (Option.isNone(name)) {
    return yield* new Usage({ message: "Which vault? Use --vault NAME; effect-glacier vaults lists them" })
  }
  const { describe } = yield* Vault.make(name.value, { accountId: Option.getOrUndefined(account) })
  const description = yield* Effect.catchTag(describe, "VaultNotFound", notFound)
  const state = yield* ofArn(description.vaultArn)
  // Checkpoints record the account: a command resumes with and without --account.
  const vault = yield* Vault.make(name.value, { accountId: state.account })
  return { vault, description, state }
})

/**
 * Provides the vault in use to an effect, and its folder as an argument.
 *
 * @since 0.1.0
 * @category getters
 */
export const withVault = <A, E, R>(use: (state: VaultState) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(online, ({ state, vault }) => Effect.provideService(use(state), Vault.Vault, vault))

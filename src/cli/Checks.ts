/**
 * The checks of `effect-glacier doctor`. Each runs on its own, so that a problem that one finds does not stop the others.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Path from "@effect/platform/Path"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { constants } from "node:fs"
import { access, statfs } from "node:fs/promises"
import { GlacierClient } from "../client/GlacierClient.ts"
import * as Pages from "../client/Pages.ts"
import * as NodeGlacier from "../node/NodeGlacier.ts"
import * as NodeHttp from "../node/NodeHttp.ts"
import { formatBytes, formatCount } from "../policy/Format.ts"
import * as RetryPolicy from "../policy/RetryPolicy.ts"
import { ConnectionError } from "../protocol/GlacierError.ts"
import { Credentials, type Keys } from "../transport/Credentials.ts"
import { Endpoint } from "../transport/Endpoint.ts"
import * as Explain from "./Explain.ts"
import { type Failure, StateError } from "./Failures.ts"
import { Globals } from "./Globals.ts"
import * as Plans from "./Plans.ts"
import * as State from "./State.ts"

/**
 * The result of a check: a value that is good, bad or worth a note, and the remedy.
 *
 * @since 0.1.0
 * @category models
 */
export interface Finding {
  readonly verdict: "ok" | "bad" | "note"
  readonly found: string
  readonly next?: string | undefined
}

/**
 * A check. When it fails, the error is what it has found.
 *
 * @since 0.1.0
 * @category models
 */
export interface Check {
  readonly subject: string
  readonly find: Effect.Effect<Finding, Failure>
}

const ok = (found: string): Finding => ({ verdict: "ok", found })
const note = (found: string, next?: string): Finding => ({ verdict: "note", found, next })
const bad = (found: string, next: string | undefined): Finding => ({ verdict: "bad", found, next })

const accountOf = (arn: string): string => arn.split(":")[4] ?? ""

/** The account, from the ARN of any vault. */
const account = Effect.gen(function*() {
  const glacier = yield* GlacierClient
  const accountId = Option.getOrUndefined((yield* Globals).account)
  const { vaults: [vault] } = yield* glacier.listVaults({ accountId, limit: 1 })
  return vault === undefined ? "of an account without vaults in this region" : `of account ${accountOf(vault.vaultArn)}`
})

const validity = ({ expiration, sessionToken }: Keys): string =>
  expiration !== undefined
    ? `valid until ${DateTime.formatIso(expiration)}`
    : sessionToken === undefined
    ? "which does not expire"
    : "temporary: their end is not known"

const ofEndpoint = ["region", "endpoint", "proxy"]
const ofConnection = ["reachability"]
const ofCredentials = ["credentials"]

/** The checks that report an error, which most other checks would fail with as well. */
const reporters: Readonly<Record<string, ReadonlyArray<string>>> = {
  EndpointError: ofEndpoint,
  ConnectionError: ofConnection,
  ConnectionRejected: ofConnection,
  AttemptTimeout: ofConnection,
  CredentialsError: ofCredentials,
  ExpiredToken: ofCredentials,
  UnrecognizedClient: ofCredentials,
  InvalidSignature: ofCredentials
}

/** Makes a check. An error that another check reports is only noted. */
const make = (subject: string, find: Effect.Effect<Finding, Failure>): Check => ({
  subject,
  find: Effect.catchIf(
    find,
    ({ _tag }) => reporters[_tag]?.includes(subject) === false,
    () => Effect.succeed(note("unknown", "First correct what is bad"))
  )
})

/** Whose credentials they are, and whether the service accepts them. */
const credentials = Effect.fnUntraced(function*<R>(account: Effect.Effect<string, Failure, R>) {
  const keys = yield* Effect.flatMap(Credentials, ({ keys }) => keys)
  const valid = validity(keys)
  return yield* Effect.match(account, {
    onFailure: (error) => {
      if (reporters[error._tag]?.includes("credentials") === false) {
        return note(`${keys.accessKeyId}, ${valid}`, "Whether the service accepts them is unknown: it was not reached")
      }
      const { happened, next } = Explain.explain(error)
      return bad(`${keys.accessKeyId}, ${valid}: ${happened}`, next)
    },
    onSuccess: (account) => ok(`${keys.accessKeyId} ${account}, ${valid}`)
  })
})

/** The longest wait for the service. */
const patience = Duration.seconds(15)

/** The texts of an error and its causes. */
const textOf = (error: unknown): string => {
  if (!(error instanceof Error)) return ""
  const texts = error instanceof AggregateError ? error.errors.map(textOf) : [error.message, textOf(error.cause)]
  return texts.filter((text) => text !== "").join(": ")
}

/** Sends a request without a signature. Any response shows that the service is reached. */
const contact = Effect.gen(function*() {
  const { url } = yield* Endpoint
  const http = yield* HttpClient.HttpClient
  const fail = (message: string) => new ConnectionError({ operation: "GET", message })
  const before = yield* Clock.currentTimeMillis
  const { headers } = yield* http.get(url).pipe(
    Effect.mapError(({ cause, message }) => fail(textOf(cause) || message)),
    Effect.timeoutFail({
      duration: patience,
      onTimeout: () => fail(`${url} did not respond within ${Duration.format(patience)}`)
    })
  )
  const took = (yield* Clock.currentTimeMillis) - before
  return { url, took, ahead: before + took / 2 - Date.parse(headers["date"] ?? "") }
})

/** The service rejects signatures whose time is more than 5 minutes off. The program corrects it, other programs may not. */
const clock = ({ ahead }: { readonly ahead: number }): Finding => {
  if (Number.isNaN(ahead)) return note("unknown: the response has no date")
  const seconds = Math.round(Math.abs(ahead) / 1_000)
  const found = `${formatCount(seconds, "second")} ${ahead < 0 ? "behind" : "ahead of"} that of the service`
  const next = "Set the clock of this machine, for instance by NTP"
  return seconds > 300 ? bad(found, next) : seconds > 30 ? note(found, next) : ok(found)
}

/** A URL without the name and the password of a user. */
const withoutUser = (url: string): string => url.replace(/^([a-z]+:\/\/)?.*@/i, "$1")

const proxyVariables = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "AWS_CA_BUNDLE"]

/** The proxy and the authorities. The HTTP client has checked them. */
const proxy = Effect.as(
  HttpClient.HttpClient,
  ok(
    proxyVariables.flatMap((name) => {
      const value = process.env[name.toLowerCase()] || process.env[name]
      return value ? [`${name}=${withoutUser(value)}`] : []
    }).join(", ") || "none"
  )
)

const retrievalPolicy = Effect.gen(function*() {
  const glacier = yield* GlacierClient
  const accountId = Option.getOrUndefined((yield* Globals).account)
  const { policy: { rules: [{ bytesPerHour, strategy }] } } = yield* glacier.getDataRetrievalPolicy({ accountId })
  switch (strategy) {
    case "None":
      return ok("no limit")
    case "FreeTier":
      return note("FreeTier: the service rejects retrievals beyond the free ones", "See effect-glacier policy --help")
    case "BytesPerHour":
      return note(`${formatBytes(bytesPerHour ?? 0)} per hour: the service rejects retrievals beyond`)
  }
})

const lock = Effect.fnUntraced(function*(vaultName: string, accountId: string | undefined) {
  const glacier = yield* GlacierClient
  return yield* glacier.getVaultLock({ vaultName, accountId }).pipe(
    Effect.map(({ expirationDate, state }) =>
      state === "Locked"
        ? note("locked: its policy may forbid deletions, and cannot be changed")
        : note(
          "in progress",
          `Complete or abort it before ${
            Option.getOrElse(Option.map(expirationDate, DateTime.formatIso), () => "it expires")
          }`
        )
    ),
    Effect.catchTag("VaultLockNotSet", () => Effect.succeed(ok("none")))
  )
})

const uploads = Effect.fnUntraced(function*(vaultName: string, accountId: string | undefined) {
  const open = yield* Stream.runCollect(Pages.uploads({ vaultName, accountId }))
  const oldest = Array.from(open, ({ creationDate }) => DateTime.formatIso(creationDate)).sort()[0]
  return oldest === undefined
    ? ok("none")
    : note(`${open.length}, the oldest since ${oldest}`, "Resume them, or abort them by effect-glacier uploads --abort")
})

const vault = Effect.map(State.online, ({ description: { numberOfArchives, sizeInBytes, vaultArn } }) => {
  const counts = Option.all({ archives: numberOfArchives, bytes: sizeInBytes })
  return Option.match(counts, {
    onNone: () => note(`${vaultArn}, without an inventory yet`),
    onSome: ({ archives, bytes }) => ok(`${vaultArn}, ${formatCount(archives, "archive")}, ${formatBytes(bytes)}`)
  })
})

const attempt = <A>(what: string, promise: () => Promise<A>): Effect.Effect<A, StateError> =>
  Effect.tryPromise({ try: promise, catch: (error) => new StateError({ message: `${what}: ${textOf(error)}` }) })

/** The checkpoints of a vault, and the plans that are not finished. */
const checkpoints = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const found = yield* State.offline.pipe(
    Effect.asSome,
    Effect.catchTag("StateError", () => Effect.succeedNone)
  )
  if (Option.isNone(found)) return ok("none")
  const state = found.value
  const { checkpoints } = state
  const names = yield* Effect.orElseSucceed(fs.readDirectory(checkpoints), () => [])
  const logs = names.filter((name) => name.endsWith(".checkpoint"))
  const sizes = yield* Effect.forEach(logs, (name) => fs.stat(`${checkpoints}/${name}`))
  const bytes = sizes.reduce((sum, { size }) => sum + Number(size), 0)
  const size = `${formatCount(logs.length, "file")}, ${formatBytes(bytes)}`
  const { length } = yield* Plans.unfinished(state)
  if (length === 0) return ok(size)
  return note(`${size}, ${formatCount(length, "plan")} not finished`, "effect-glacier status shows how to continue")
})

/** Less space than this is bad, because inventories and checkpoints may not fit. */
const leastSpace = 256 * 1_048_576

/** The nearest folder that exists, from a path upwards. */
const existing = (folder: string): Effect.Effect<string, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const parent = path.dirname(folder)
    const exists = yield* Effect.orElseSucceed(fs.exists(folder), () => false)
    return exists || parent === folder ? folder : yield* existing(parent)
  })

const disk = Effect.gen(function*() {
  const root = yield* State.root
  const folder = yield* existing(root)
  yield* attempt(`${folder} cannot be written`, () => access(folder, constants.W_OK))
  const { bavail, bsize } = yield* attempt(`${folder} cannot be examined`, () => statfs(folder))
  const free = bavail * bsize
  const found = `${formatBytes(free)} free for the state folder ${root}`
  return free < leastSpace ? bad(found, "Make room, or choose another folder by --state") : ok(found)
})

/**
 * Makes the checks: those of a vault only if there is one.
 *
 * @since 0.1.0
 * @category constructors
 */
export const all = Effect.fnUntraced(function*(vaultName: Option.Option<string>) {
  const accountId = Option.getOrUndefined((yield* Globals).account)
  const endpoint = yield* Layer.memoize(NodeGlacier.layerEndpoint)
  const keys = yield* Layer.memoize(NodeGlacier.layerCredentials)
  const http = yield* Layer.memoize(NodeHttp.layerConfig)
  const client = yield* Layer.memoize(
    Layer.provide(NodeGlacier.layerClient, [endpoint, keys]).pipe(
      // A retry would only hide the problem.
      Layer.merge(RetryPolicy.layer(RetryPolicy.none))
    )
  )
  const context = yield* Effect.context<FileSystem.FileSystem | Path.Path | Globals>()
  const contacted = yield* Effect.cached(Effect.provide(contact, Layer.merge(endpoint, http)))
  const check = (
    subject: string,
    find: Effect.Effect<Finding, Failure, FileSystem.FileSystem | Path.Path | Globals>
  ): Check => make(subject, Effect.provide(find, context))
  const ofVault = (name: string) => [
    check("vault", Effect.provide(vault, client)),
    check("lock", Effect.provide(lock(name, accountId), client)),
    check("open uploads", Effect.provide(uploads(name, accountId), client)),
    check("checkpoints", checkpoints)
  ]
  return [
    check("credentials", Effect.provide(credentials(Effect.provide(account, client)), keys)),
    check("clock", Effect.map(contacted, clock)),
    check("region", Effect.provide(Effect.map(Endpoint, ({ region }) => ok(region)), endpoint)),
    check("endpoint", Effect.provide(Effect.map(Endpoint, ({ url }) => ok(url)), endpoint)),
    check("proxy", Effect.provide(proxy, http)),
    check("reachability", Effect.map(contacted, ({ took, url }) => ok(`${url} responds in ${took} ms`))),
    check("retrieval policy", Effect.provide(retrievalPolicy, client)),
    ...Option.match(vaultName, { onNone: () => [], onSome: ofVault }),
    check("disk", disk)
  ]
})

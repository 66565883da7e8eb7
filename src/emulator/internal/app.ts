/**
 * The HTTP application of the emulator: verifies a request in the order in which the service does, runs its handler, and
 * encodes the response.
 *
 * @internal
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { AccountId } from "../../protocol/Names.ts"
import * as Regions from "../../protocol/Regions.ts"
import * as Sha256 from "../../protocol/Sha256.ts"
import type { Delays } from "./delays.ts"
import * as ErrorResponse from "./errorResponse.ts"
import * as AccessPolicyRoutes from "./handlers/accessPolicies.ts"
import * as AccountRoutes from "./handlers/accounts.ts"
import * as ArchiveRoutes from "./handlers/archives.ts"
import * as JobOutputRoutes from "./handlers/jobOutput.ts"
import * as JobRoutes from "./handlers/jobs.ts"
import * as LockRoutes from "./handlers/locks.ts"
import * as NotificationRoutes from "./handlers/notifications.ts"
import * as TagRoutes from "./handlers/tags.ts"
import * as UploadRoutes from "./handlers/uploads.ts"
import * as VaultRoutes from "./handlers/vaults.ts"
import * as HttpResponse from "./httpResponse.ts"
import * as Ids from "./ids.ts"
import type { Key } from "./key.ts"
import * as RequestBody from "./requestBody.ts"
import * as Router from "./router.ts"
import * as Signature from "./signature.ts"
import type { Store } from "./store.ts"
import * as UploadBody from "./uploadBody.ts"

/** The options of the emulator with all defaults applied. */
export interface Settings {
  /** The account of keys without an `accountId`. */
  readonly accountId: string
  /** The region of requests whose signature names a region without Glacier. */
  readonly region: string
  readonly keys: ReadonlyArray<Key>
  readonly delays: Delays
  readonly maximumVaults: number
  /** The size in bytes above which Expedited retrievals of an archive need provisioned capacity. */
  readonly expeditedLimit: number
  /** The accounts that the service rejects because they have never stored anything. */
  readonly withoutStorage: ReadonlyArray<string>
  readonly bodyTimeout: Duration.Duration
  readonly onJobInitiated: JobRoutes.OnJobInitiated
}

const apiVersion = "2012-06-01"

const isAccountId = Schema.is(AccountId)

/** Makes the routes of all operations. */
export const routes = (
  store: Store,
  { delays, expeditedLimit, maximumVaults, onJobInitiated }: Pick<
    Settings,
    "delays" | "expeditedLimit" | "maximumVaults" | "onJobInitiated"
  >,
  sha256: Sha256.Create
): ReadonlyArray<Router.Route> => [
  ...VaultRoutes.routes(store, maximumVaults),
  ...ArchiveRoutes.routes(store, delays),
  ...UploadRoutes.routes(store, delays, sha256),
  ...JobRoutes.routes(store, delays, expeditedLimit, onJobInitiated),
  ...JobOutputRoutes.routes(store),
  ...TagRoutes.routes(store),
  ...NotificationRoutes.routes(store),
  ...AccessPolicyRoutes.routes(store),
  ...LockRoutes.routes(store, delays),
  ...AccountRoutes.routes(store)
]

const findKey = ({ keys }: Settings, id: string) =>
  Option.fromNullable(keys.find(({ accessKeyId }) => accessKeyId === id))

// Verifies the signature and, except for uploads, the hash of the body. The handler reads the body of an upload.
const verify = (
  request: HttpServerRequest.HttpServerRequest,
  target: Router.Target,
  { isUpload }: Router.Route,
  settings: Settings,
  sha256: Sha256.Create
) =>
  Effect.gen(function*() {
    const { headers, method } = request
    if (isUpload && headers["authorization"] && !headers["x-amz-content-sha256"]) {
      return yield* Effect.fail(ErrorResponse.missing("x-amz-content-sha256"))
    }
    const body = isUpload ? new Uint8Array() : yield* RequestBody.collect(request, settings.bodyTimeout)
    const bodySha256 = Sha256.hex(sha256, body)
    const { accessKeyId, payloadHash, region } = yield* Either.mapLeft(
      Signature.verify({
        sha256,
        now: yield* Clock.currentTimeMillis,
        keys: (id) => findKey(settings, id),
        bodySha256,
        request: { method, path: target.path, query: target.query, headers }
      }),
      ({ code, message, status }) => new ErrorResponse.ErrorResponse(code, status, message)
    )
    if (!isUpload && Option.isSome(payloadHash) && payloadHash.value !== bodySha256) {
      return yield* Effect.fail(UploadBody.hashMismatch(payloadHash.value, bodySha256))
    }
    return { accessKeyId, body, region }
  })

const checkVersion = (version: string | undefined): Either.Either<void, ErrorResponse.ErrorResponse> => {
  if (!version) return Either.left(ErrorResponse.missing("API version"))
  return version === apiVersion
    ? Either.void
    : Either.left(ErrorResponse.invalid(`Invalid API version: ${version}`))
}

// A vault's policy can share the operations on the vault and its contents with other accounts.
const isSharable = ({ operation: { input, name } }: Router.Route): boolean =>
  "vaultName" in input && name !== "CreateVault" && name !== "InitiateVaultLock"

// Returns the account of the key and the account in the path. Fails when the first may not use the second.
const accountsOf = (
  accessKeyId: string,
  accountInPath: string,
  route: Router.Route,
  settings: Settings
): Either.Either<Pick<Router.Call, "caller" | "accountId">, ErrorResponse.ErrorResponse> => {
  const caller = AccountId.make(
    Option.getOrUndefined(findKey(settings, accessKeyId))?.accountId ?? settings.accountId
  )
  const accountId = accountInPath === "-" ? caller : accountInPath
  if (!isAccountId(accountId) || (accountId !== caller && !isSharable(route))) {
    return Either.left(ErrorResponse.wrongAccount(accountInPath))
  }
  return settings.withoutStorage.includes(caller)
    ? Either.left(ErrorResponse.noLongerSupported)
    : Either.right({ caller, accountId })
}

const arnPrefix = (region: string, accountId: AccountId): string =>
  `arn:${Regions.partitionOf(region).name}:glacier:${region}:${accountId}:vaults/`

const handle = (routes: ReadonlyArray<Router.Route>, settings: Settings, sha256: Sha256.Create) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const target = yield* Router.parse(request.url)
    const { path, route } = yield* Router.find(routes, request.method, target)
    const { accessKeyId, body, region } = yield* verify(request, target, route, settings, sha256)
    yield* checkVersion(request.headers["x-amz-glacier-version"])
    const { accountId, caller } = yield* accountsOf(accessKeyId, path["accountId"] ?? "-", route, settings)
    return yield* route.run({
      request,
      operation: route.operation.name,
      caller,
      accountId,
      arnPrefix: arnPrefix(Option.isSome(Regions.get(region)) ? region : settings.region, accountId),
      path,
      query: target.parameters,
      document: route.takesJson ? yield* RequestBody.parse(body) : undefined,
      bodyTimeout: settings.bodyTimeout,
      sha256
    })
  })

/** Makes the application. */
export const make = (
  store: Store,
  settings: Settings
): Effect.Effect<HttpApp.Default<never, Scope.Scope>> =>
  Effect.gen(function*() {
    const sha256 = yield* Sha256.Sha256

    const handled = handle(routes(store, settings, sha256), settings, sha256).pipe(
      Effect.catchTag("ErrorResponse", (error) => Effect.succeed(HttpResponse.error(error))),
      Effect.zipLeft(store.flush),
      Effect.catchAllCause((cause) =>
        Cause.isInterruptedOnly(cause)
          ? Effect.interrupt
          : Effect.as(Effect.logError("The emulator failed", cause), HttpResponse.error(ErrorResponse.unavailable))
      ),
      // Servers run applications uninterruptibly, but the handler must end when its client disconnects.
      Effect.interruptible
    )

    return Effect.gen(function*() {
      const response = yield* handled
      return HttpServerResponse.setHeaders(response, {
        date: new Date(yield* Clock.currentTimeMillis).toUTCString(),
        "x-amzn-requestid": yield* Ids.random(Ids.length.request)
      })
    })
  })

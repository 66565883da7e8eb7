/**
 * From a request to its answer, in the order in which the service checks (spec section 6.4).
 *
 * @internal
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
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
import * as RequestBody from "./requestBody.ts"
import * as Router from "./router.ts"
import * as Signature from "./signature.ts"
import type { Store } from "./store.ts"
import * as UploadBody from "./uploadBody.ts"

/** The options of the emulator, none left out. */
export interface Settings {
  /** The account of keys that name none. */
  readonly accountId: string
  readonly region: string
  readonly keys: ReadonlyArray<{
    readonly accountId?: string | undefined
    readonly accessKeyId: string
    readonly secretAccessKey: Redacted.Redacted
    readonly sessionToken?: Redacted.Redacted | undefined
    readonly expiration?: DateTime.Utc | undefined
  }>
  readonly delays: Delays
  readonly maximumVaults: number
  /** In bytes: Expedited retrievals of larger archives need provisioned capacity. */
  readonly expeditedLimit: number
  /** The accounts to which the service is closed. */
  readonly withoutStorage: ReadonlyArray<string>
  readonly bodyTimeout: Duration.Duration
  readonly onJobInitiated: JobRoutes.OnJobInitiated
}

const version = "2012-06-01"

const isAccountId = Schema.is(AccountId)

const isSharable = ({ operation: { input, name } }: Router.Route): boolean =>
  "vaultName" in input && name !== "CreateVault" && name !== "InitiateVaultLock"

/** All routes there are. */
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

/** The application. */
export const make = (
  store: Store,
  settings: Settings
): Effect.Effect<HttpApp.Default<never, Scope.Scope>> =>
  Effect.gen(function*() {
    const sha256 = yield* Sha256.Sha256
    const { bodyTimeout, region } = settings
    const all = routes(store, settings, sha256)

    const keyOf = (id: string) => Option.fromNullable(settings.keys.find(({ accessKeyId }) => accessKeyId === id))

    const accountOf = (id: string): AccountId =>
      AccountId.make(Option.getOrUndefined(keyOf(id))?.accountId ?? settings.accountId)

    const keys: Signature.Keys = (id) =>
      Option.map(
        keyOf(id),
        ({ expiration, secretAccessKey, sessionToken }) => ({
          secretAccessKey,
          sessionToken: Option.fromNullable(sessionToken),
          expiration: Option.fromNullable(expiration)
        })
      )

    const handle = Effect.gen(function*() {
      const request = yield* HttpServerRequest.HttpServerRequest
      const { headers, method } = request
      const target = yield* Router.parse(request.url)
      const { path, route } = yield* Router.find(all, method, target)

      // An upload is signed with the hash it announces; without one there is nothing to check it against.
      if (route.isUpload && headers["authorization"] && !headers["x-amz-content-sha256"]) {
        return yield* Effect.fail(ErrorResponse.missing("x-amz-content-sha256"))
      }
      const body = route.isUpload ? new Uint8Array() : yield* RequestBody.collect(request, bodyTimeout)
      const bodySha256 = Sha256.hex(sha256, body)
      const { accessKeyId, payloadHash, region: scope } = yield* Either.mapLeft(
        Signature.verify({
          sha256,
          now: yield* Clock.currentTimeMillis,
          keys,
          bodySha256,
          request: { method, path: target.path, query: target.query, headers }
        }),
        ({ code, message, status }) => new ErrorResponse.ErrorResponse(code, status, message)
      )
      if (!route.isUpload && Option.isSome(payloadHash) && payloadHash.value !== bodySha256) {
        return yield* Effect.fail(UploadBody.hashMismatch(payloadHash.value, bodySha256))
      }
      const sent = headers["x-amz-glacier-version"]
      if (!sent) return yield* Effect.fail(ErrorResponse.missing("API version"))
      if (sent !== version) return yield* Effect.fail(ErrorResponse.invalid(`Invalid API version: ${sent}`))
      const caller = accountOf(accessKeyId)
      const named = path["accountId"] ?? "-"
      const accountId = named === "-" ? caller : named
      // What is in a vault can be shared with other accounts, by its policy.
      if (!isAccountId(accountId) || (accountId !== caller && !isSharable(route))) {
        return yield* Effect.fail(ErrorResponse.wrongAccount(named))
      }
      if (settings.withoutStorage.includes(caller)) return yield* Effect.fail(ErrorResponse.noLongerSupported)

      const place = Option.isSome(Regions.get(scope)) ? scope : region
      return yield* route.run({
        request,
        operation: route.operation.name,
        caller,
        accountId,
        arnPrefix: `arn:${Regions.partitionOf(place).name}:glacier:${place}:${accountId}:vaults/`,
        path,
        query: target.parameters,
        document: route.takesJson ? yield* RequestBody.parse(body) : undefined,
        bodyTimeout,
        sha256
      })
    })

    const answered = handle.pipe(
      Effect.catchTag("ErrorResponse", (refusal) => Effect.succeed(HttpResponse.error(refusal))),
      Effect.zipLeft(store.flush),
      Effect.catchAllCause((cause) =>
        Cause.isInterruptedOnly(cause)
          ? Effect.interrupt
          : Effect.as(Effect.logError("The emulator failed", cause), HttpResponse.error(ErrorResponse.unavailable))
      ),
      // A server runs its applications uninterruptible, but a client that is gone must not leave us waiting.
      Effect.interruptible
    )

    return Effect.gen(function*() {
      const response = yield* answered
      return HttpServerResponse.setHeaders(response, {
        date: new Date(yield* Clock.currentTimeMillis).toUTCString(),
        "x-amzn-requestid": yield* Ids.random(Ids.length.request)
      })
    })
  })

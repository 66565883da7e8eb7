/** Shared set-up: clients of the emulators, a record of their commands and errors, and waiting for jobs. */
import * as Aws from "@aws-sdk/client-glacier"
import type { HttpServer } from "@effect/platform"
import { expect, type Vitest } from "@effect/vitest"
import { Chunk, Context, Effect, Layer, Stream } from "effect"
import { NodeEmulator } from "../../../src/node/index.ts"
import * as Socket from "../../socket/support.ts"

export const account = "123456789012"

/** A client of an emulator whose jobs take part of a second and whose inventories are taken at once. */
export class Sdk extends Context.Tag("test/Sdk")<Sdk, Aws.Glacier>() {}

/** How an area adds its tests. */
export type It = Vitest.MethodsNonLive<Sdk | HttpServer.HttpServer | NodeEmulator.Address, true>

/** The names of the commands that have succeeded and of the classes of errors that have been caught. */
export const seen = new Set<string>()

/** A client of the emulator in the context. */
export const client = (key?: Socket.Key, region?: string) =>
  Effect.tap(
    Effect.flatMap(NodeEmulator.Address, (address) => Socket.sdk(address, key, region)),
    (glacier) =>
      Effect.sync(() =>
        glacier.middlewareStack.add((next, { commandName = "" }) => async (args) => {
          const result = await next(args)
          seen.add(commandName)
          return result
        }, { step: "initialize" })
      )
  )

/** A client of an emulator of its own. */
export const emulated = (options: NodeEmulator.Options) =>
  Effect.flatMap(Layer.build(NodeEmulator.layerServer(options)), (context) => Effect.provide(client(), context))

export const layer = (tls?: true) =>
  Layer.scoped(Sdk, client()).pipe(
    Layer.provideMerge(NodeEmulator.layerServer({ jobDelay: "100 millis", inventoryDelay: 0, tls }))
  )

export interface Request {
  readonly headers: Record<string, string>
  body?: unknown
}

type Change = (request: Request) => void

/** Alters all requests of a client, as a broken proxy would, but before they are signed or after. */
export const alter = (glacier: Aws.Glacier, when: "unsigned" | "signed", change: Change) => {
  const altered = <A extends { readonly request: unknown }>(args: A): A => {
    change(args.request as Request)
    return args
  }
  if (when === "signed") {
    glacier.middlewareStack.add((next) => (args) => next(altered(args)), { step: "deserialize", priority: "low" })
  } else glacier.middlewareStack.add((next) => (args) => next(altered(args)), { step: "build", priority: "low" })
}

/** A client of the emulator in the context whose requests are altered. */
export const altered = (when: "unsigned" | "signed", change: Change) =>
  Effect.tap(client(), (glacier) => Effect.sync(() => alter(glacier, when, change)))

export interface Vault {
  readonly accountId: string
  readonly vaultName: string
}

export const inVault = (vaultName: string): Vault => ({ accountId: "-", vaultName })

/** Makes a vault. */
export const created = (glacier: Aws.Glacier, vaultName: string) =>
  Effect.as(Socket.call(() => glacier.createVault(inVault(vaultName))), inVault(vaultName))

/** Stores an archive and gives its id. */
export const stored = (glacier: Aws.Glacier, vault: Vault, body: Uint8Array, archiveDescription?: string) =>
  Effect.map(
    Socket.call(() => glacier.uploadArchive({ ...vault, body, archiveDescription })),
    ({ archiveId }) => archiveId!
  )

/** Initiates a job and waits for it. */
export const finished = (vault: Vault, jobParameters: Aws.JobParameters) =>
  Effect.gen(function*() {
    const glacier = yield* Sdk
    const { jobId } = yield* Socket.call(() => glacier.initiateJob({ ...vault, jobParameters }))
    const job = { ...vault, jobId: jobId! }
    const description = yield* Socket.until(
      Socket.call(() => glacier.describeJob(job)),
      ({ Completed }) => Completed === true
    )
    return { job, description }
  })

/** The output of a job, with its bytes. */
export const output = (job: Aws.GetJobOutputInput) =>
  Effect.gen(function*() {
    const glacier = yield* Sdk
    return yield* Socket.call(async () => {
      const { body, ...rest } = await glacier.getJobOutput(job)
      return { ...rest, bytes: Buffer.from(await body!.transformToByteArray()) }
    })
  })

/** All pages of one of the client's paginators. */
export const pages = <A>(paginator: AsyncIterable<A>) =>
  Stream.fromAsyncIterable(paginator, (error) => error as Aws.GlacierServiceException).pipe(
    Stream.runCollect,
    Effect.map(Chunk.toReadonlyArray)
  )

/** Runs a call that the service rejects with an error of the client's own class or, if the client has none, with a code. */
export const refused = (
  run: () => Promise<unknown>,
  kind: (new(...args: ReadonlyArray<never>) => Aws.GlacierServiceException) | string,
  status: number,
  message: string | RegExp
) =>
  Effect.gen(function*() {
    const { $fault, $metadata, constructor, message: text, name } = yield* Effect.flip(Effect.asVoid(Socket.call(run)))
    const [own, code] = typeof kind === "string" ? [Aws.GlacierServiceException, kind] : [kind, kind.name]
    // Its parts and not the error itself, which holds the whole connection.
    expect({ $fault, attempts: $metadata.attempts, constructor, name, status: $metadata.httpStatusCode }).toEqual({
      $fault: status === 500 ? "server" : "client",
      attempts: 1,
      constructor: own,
      name: code,
      status
    })
    expect($metadata.requestId).toMatch(/^[\w-]{47}$/)
    expect(text).toMatch(message)
    seen.add(name)
  })

export const invalid = (run: () => Promise<unknown>, message: string | RegExp) =>
  refused(run, Aws.InvalidParameterValueException, 400, message)

export const missing = (run: () => Promise<unknown>, message: string | RegExp) =>
  refused(run, Aws.MissingParameterValueException, 400, message)

export const notFound = (run: () => Promise<unknown>, message: string | RegExp) =>
  refused(run, Aws.ResourceNotFoundException, 404, message)

export const denied = (run: () => Promise<unknown>, message: string | RegExp) =>
  refused(run, "AccessDeniedException", 403, message)

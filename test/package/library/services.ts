/**
 * The exports of a library that builds on the services: an Effect of every method of every service, without annotations.
 * A method without a line does not compile, and `npm run consume` fails when a service is missing.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import type { JobInventory } from "effect-glacier"
import {
  BackupPlan,
  Bandwidth,
  ByteRange,
  CallPolicies,
  Checkpoint,
  Credentials,
  Decommission,
  DeletionPlan,
  Destination,
  Download,
  Endpoint,
  FileLock,
  GlacierClient,
  GlacierError,
  Hasher,
  HttpAttempt,
  HttpHooks,
  InventoryReader,
  Job,
  JobWaiting,
  Pages,
  RatePolicy,
  RetrievalBudget,
  RetrievalPlan,
  RetryPolicy,
  RetryQuota,
  Signer,
  Source,
  Timeouts,
  Transport,
  Upload,
  Uploader,
  Vault,
  VaultLock,
  Waiting
} from "effect-glacier"
import { Emulator, Topics } from "effect-glacier/emulator"
import { NodeEmulator } from "effect-glacier/node"
import { Names, Sha256 } from "effect-glacier/protocol"
import { operations } from "effect-glacier/protocol/Operations"
import { ObjectStore, S3Destination } from "effect-glacier/s3"
import { Faults, ScriptedHttp, TestObjectStore } from "effect-glacier/testing"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"

/** One line for each member of a service, or of each part of a union. */
type EachOf<S> = S extends unknown ? { readonly [K in keyof S]-?: unknown } : never

const bytes = new Uint8Array(1)
const source = Source.bytes(bytes)
const address = { vaultName: "documents" }
const upload = { ...address, uploadId: "an-upload" }
const openUpload = { key: "a-key", uploadId: "an-upload" }
const partBody = { bytes, contentSha256: Names.ContentSha256.make("0".repeat(64)) }
const output = { vault: address, jobId: Names.JobId.make("a-job"), size: 1, treeHash: Option.none() }

export const vault = Effect.map(Vault.Vault, (vault) => ({
  name: vault.name,
  create: vault.create,
  describe: vault.describe,
  delete: vault.delete,
  upload: vault.upload(source),
  resumeUpload: vault.resumeUpload("an-upload", source),
  uploadWithCheckpoint: vault.uploadWithCheckpoint("a-checkpoint", source),
  discardUpload: vault.discardUpload("a-checkpoint"),
  uploader: vault.uploader(),
  sink: vault.sink(),
  deleteArchive: vault.deleteArchive("an-archive"),
  retrieveArchive: vault.retrieveArchive("an-archive"),
  retrieveInventory: vault.retrieveInventory(),
  job: vault.job("a-job"),
  jobs: vault.jobs(),
  uploads: vault.uploads,
  abandonedUploads: vault.abandonedUploads("1 day"),
  abortUpload: vault.abortUpload("an-upload")
} satisfies EachOf<Vault.Service>))

/** With `onFailure: "keep"` the error type has one more member. */
export const kept = Effect.map(Vault.Vault, (vault) => ({
  upload: vault.upload(Source.stream(Stream.fail("broken")), { onFailure: "keep" }),
  uploader: vault.uploader({ onFailure: "keep" }),
  sink: vault.sink({ onFailure: "keep" })
}))

export const uploader = Effect.map(Uploader.make(address), (uploader) => ({
  write: uploader.write(bytes),
  size: uploader.size,
  treeHash: uploader.treeHash,
  uploadId: uploader.uploadId,
  close: uploader.close
} satisfies EachOf<Uploader.Uploader>))

export const job = Effect.map(Job.Job, (job) => ({
  id: job.id,
  vault: job.vault,
  describe: job.describe,
  wait: job.wait(),
  output: job.output(),
  outputTo: job.outputTo(Sink.drain),
  outputToFile: job.outputToFile("a-file"),
  outputByWindow: job.outputByWindow(() => Effect.void),
  verification: job.verification(),
  inventory: job.inventory
} satisfies EachOf<Job.Service>))

export const inventory = Effect.map(Effect.flatMap(Job.Job, (job) => job.inventory), (inventory) => ({
  ...inventory,
  age: inventory.age,
  archives: inventory.archives()
} satisfies EachOf<JobInventory.JobInventory>))

export const renewed = Job.renewed(
  (reuse) => Effect.flatMap(Vault.Vault, (vault) => vault.retrieveArchive("an-archive", { reuse })),
  (job) => job.outputToFile("a-file")
)

export const inTiers = Job.inTiers(
  ["Expedited", "Standard"],
  (tier) => Effect.flatMap(Vault.Vault, (vault) => vault.retrieveArchive("an-archive", { tier }))
)

export const directory = Destination.directory("restored")

export const retrievalPlan = Effect.zipWith(RetrievalPlan.make("all", Stream.empty), directory, (plan, directory) => ({
  plan,
  quote: RetrievalPlan.quote(plan),
  run: RetrievalPlan.run(plan, directory),
  prover: RetrievalPlan.prover(plan, directory),
  revoke: RetrievalPlan.revoke(plan, () => Effect.succeed(false))
}))

export const vaultLock = Effect.map(VaultLock.begin("documents", "{}"), (lock) => ({
  lockId: lock.lockId,
  policy: lock.policy,
  expires: lock.expires,
  test: lock.test(Effect.void),
  complete: lock.complete
} satisfies EachOf<VaultLock.Lock>))

export const backup = {
  files: BackupPlan.files("documents"),
  checkpointOf: BackupPlan.checkpointOf("all", "a-file"),
  run: BackupPlan.run("all", BackupPlan.files("documents"))
}

export const decommission = {
  run: Decommission.run("documents"),
  dryRun: Decommission.dryRun("documents"),
  clear: Decommission.clear("documents")
}

export const deletionPlan = Effect.map(DeletionPlan.make("all", Stream.empty), (plan) => ({
  plan,
  run: DeletionPlan.run(plan)
}))

export const uploads = {
  upload: Upload.upload(address, source),
  resume: Upload.resume(address, "an-upload", source),
  uploadWithCheckpoint: Upload.uploadWithCheckpoint(address, "a-checkpoint", source),
  discard: Upload.discard(address, "a-checkpoint")
} satisfies EachOf<typeof Upload>

export const downloads = {
  verification: Download.verification(output),
  check: Download.check({}),
  stream: Download.stream(output),
  forEachWindow: Download.forEachWindow(output, () => Effect.void),
  toFile: Download.toFile(output, "a-file")
} satisfies EachOf<typeof Download>

export const pages = {
  vaults: Pages.vaults(),
  jobs: Pages.jobs(address),
  uploads: Pages.uploads(address),
  parts: Pages.parts(upload),
  partPages: Pages.partPages(upload)
} satisfies EachOf<typeof Pages>

export const checkpoint = Effect.map(Checkpoint.Checkpoint, (checkpoint) => ({
  open: checkpoint.open("a-checkpoint")
} satisfies EachOf<Checkpoint.Service>))

export const log = Effect.map(Effect.flatMap(Checkpoint.Checkpoint, ({ open }) => open("a-checkpoint")), (log) => ({
  entries: log.entries,
  append: log.append("an entry"),
  clear: log.clear
} satisfies EachOf<Checkpoint.Log>))

export const fileLock = Effect.map(FileLock.FileLock, (lock) => ({
  acquire: lock.acquire("a-file", "a-lock")
} satisfies EachOf<FileLock.Service>))

/** Retries a call: an Effect of the caller's, whose types must be kept. */
export const client = Effect.map(GlacierClient.GlacierClient, (glacier) => ({
  [GlacierClient.Retry]: glacier[GlacierClient.Retry]?.(
    glacier.describeVault(address),
    operations.describeVault,
    () => true
  )
} satisfies EachOf<Omit<GlacierClient.Service, keyof typeof operations>>))

export const transport = Effect.map(Transport.Transport, (transport) => ({
  execute: transport.execute(operations.describeVault, address),
  retry: transport.retry(transport.execute(operations.describeVault, address), operations.describeVault, () => true),
  time: transport.time
} satisfies EachOf<Transport.Service>))

export const hasher = Effect.map(Hasher.Hasher, (hasher) => ({
  hashes: hasher.hashes(bytes),
  treeHash: hasher.treeHash(bytes),
  allocate: hasher.allocate(1)
} satisfies EachOf<Hasher.Service>))

export const credentials = Effect.map(Credentials.Credentials, (credentials) => ({
  keys: credentials.keys,
  refreshed: Effect.flatMap(credentials.keys, credentials.refreshed)
} satisfies EachOf<Credentials.Service>))

export const endpoint = Effect.map(Endpoint.Endpoint, (endpoint) => endpoint)

export const budget = Effect.map(RetrievalBudget.RetrievalBudget, (budget) => ({
  spend: Effect.flatMap(GlacierClient.GlacierClient, (glacier) =>
    budget.spend(
      { bytes: 1, tier: "Bulk" },
      glacier.initiateJob({ ...address, parameters: { type: "archive-retrieval", archiveId: "an-archive" } })
    )),
  left: budget.left
} satisfies EachOf<RetrievalBudget.Budget>))

export const quota = Effect.map(RetryQuota.RetryQuota, (quota) => ({
  take: (error: Parameters<typeof quota.take>[0]) => quota.take(error),
  giveBack: quota.giveBack(1),
  tokens: quota.tokens
} satisfies EachOf<RetryQuota.Quota>))

export const objectStore = Effect.map(ObjectStore.ObjectStore, (store) => ({
  limits: store.limits,
  locationOf: store.locationOf("a-key"),
  head: store.head("a-key"),
  put: store.put({ key: "a-key", metadata: {} }, partBody, { replace: false }),
  begin: store.begin({ key: "a-key", metadata: {} }),
  part: store.part(openUpload, 1, partBody),
  parts: store.parts(openUpload),
  complete: store.complete(openUpload, [], { replace: false }),
  abort: store.abort(openUpload),
  uploads: store.uploads(""),
  get: store.get("a-key", ByteRange.make(0, 1))
} satisfies EachOf<ObjectStore.Service>))

const call: CallPolicies.Call = { operation: "PutItem", about: "a-table", class: "write", limit: "response" }

const attempt = Effect.fail(new GlacierError.ConnectionError({ operation: "PutItem", message: "no route" }))

export const callPolicies = Effect.map(CallPolicies.make("Table"), (policies) => ({
  call: policies.call(call, attempt),
  attempt: policies.attempt(call, attempt),
  retry: policies.retry(call, attempt)
} satisfies EachOf<CallPolicies.Service>))

export const send = Effect.map(
  HttpAttempt.make,
  (send) => send({ operation: "PutItem", method: "PUT", url: "https://example.com", headers: {}, body: bytes })
)

export const rate = Effect.map(RatePolicy.RatePolicy, (policy) => ({
  pace: Effect.flatMap(
    Transport.Transport,
    ({ execute }) => policy.pace(execute(operations.describeVault, address), "read")
  )
} satisfies EachOf<RatePolicy.Policy>))

/** Services that are values, functions or sets of optional members. */
export const values = Effect.all({
  bandwidth: Bandwidth.Bandwidth,
  fallback: RetryPolicy.Default,
  onRetry: RetryPolicy.OnRetry,
  onWait: Waiting.OnWait,
  retryPolicy: RetryPolicy.RetryPolicy,
  sendsShared: HttpHooks.SendsShared,
  sha256: Sha256.Sha256,
  timeouts: Timeouts.Timeouts,
  topics: Topics.Topics,
  waiting: JobWaiting.JobWaiting,
  warnings: Waiting.Warnings
})

export const signer = Effect.map(Signer.Signer, (signer) => ({
  sign: (request: Signer.Unsigned) => signer.sign(request)
} satisfies EachOf<Signer.Service>))

export const emulator = Effect.map(Emulator.Emulator, (emulator) => ({
  app: emulator.app,
  notifications: emulator.notifications,
  vaults: emulator.vaults
} satisfies EachOf<Emulator.Service>))

export const emulatorAddress = Effect.map(NodeEmulator.Address, (address) => ({
  url: address.url,
  ca: address.ca
} satisfies EachOf<Context.Tag.Service<typeof NodeEmulator.Address>>))

export const scripted = Effect.map(ScriptedHttp.ScriptedHttp, (script) => ({
  done: script.done
} satisfies EachOf<ScriptedHttp.Service>))

export const faults = Effect.map(Faults.Faults, (faults) => ({
  injected: faults.injected,
  counts: faults.counts,
  expired: faults.expired,
  wrapHttpClient: Effect.map(HttpClient.HttpClient, faults.wrapHttpClient),
  wrapFileSystem: Effect.map(FileSystem.FileSystem, faults.wrapFileSystem),
  clock: faults.clock
} satisfies EachOf<Faults.Service>))

export const saved = {
  head: InventoryReader.head(Stream.make(bytes)),
  entries: InventoryReader.entries(Stream.make(bytes), { format: "JSON", onMalformed: Effect.fail })
} satisfies EachOf<typeof InventoryReader>

export const destination = Effect.map(S3Destination.make(), (destination) => ({
  find: (archive: Destination.Archive) => destination.find(archive),
  store: (archive: Destination.Archive) =>
    Effect.flatMap(Job.Job, (job) => destination.store(archive, job, () => Effect.void)),
  verify: (archive: Destination.Archive, proof: Destination.Proof) => destination.verify(archive, proof)
} satisfies EachOf<Effect.Effect.Success<ReturnType<typeof S3Destination.make>>>))

export const abandoned = S3Destination.abortAbandoned({ prefix: "archives/" })

export const bucket = Effect.map(TestObjectStore.makeBucket(), (bucket) => ({
  name: bucket.name,
  limits: bucket.limits,
  objects: bucket.objects,
  uploads: bucket.uploads,
  attempts: bucket.attempts
} satisfies EachOf<TestObjectStore.Bucket>))

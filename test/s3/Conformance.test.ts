/** One suite over every way to reach an object store. */
import { S3 } from "@aws-sdk/client-s3"
import { FetchHttpClient, HttpClient } from "@effect/platform"
import { Effect, Layer, Redacted } from "effect"
import { startFauxqs } from "fauxqs"
import { NodeHttp } from "../../src/node/index.ts"
import { S3ObjectStore } from "../../src/s3/index.ts"
import * as TestObjectStore from "../../src/testing/TestObjectStore.ts"
import * as Swift from "../support/swift.ts"
import * as TlsServer from "../support/tlsServer.ts"
import { conformance, type Features } from "./conformance.ts"
import * as FakeS3 from "./fakeS3.ts"

const options = {
  bucket: "bucket",
  region: "eu-west-1",
  endpoint: "http://127.0.0.1:1",
  pathStyle: true,
  keys: { accessKeyId: "key", secretAccessKey: Redacted.make("secret") }
}

const features: Features = {
  isInstalled: true,
  partSize: 1_000,
  lists: true,
  checksHashes: true,
  hasSha256: true,
  keepsExisting: true,
  storageClass: "DEEP_ARCHIVE",
  completingTwice: "fails with ObjectUploadGone"
}

/** The store over a fake in the same process. */
const inProcess = (of: FakeS3.Features, more: Partial<S3ObjectStore.Options> = {}) =>
  S3ObjectStore.layer({ ...options, ...more }).pipe(
    Layer.provide(Layer.sync(HttpClient.HttpClient, () => FakeS3.clientOf(FakeS3.make(of).handle)))
  )

/** The store over a fake on a socket. */
const onSocket = <E>(secure: boolean, http: Layer.Layer<HttpClient.HttpClient, E>) =>
  Layer.unwrapScoped(Effect.map(
    FakeS3.serve(FakeS3.make({ pageSize: 2 }).handle, secure),
    (endpoint) => Layer.provide(S3ObjectStore.layer({ ...options, endpoint }), http)
  ))

const fauxqs = Layer.unwrapScoped(
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const server = await startFauxqs({ port: 0, logger: false })
        await server.createBucket("bucket")
        return server
      }),
      (server) => Effect.promise(() => server.stop())
    ),
    ({ port }) =>
      Layer.provide(
        S3ObjectStore.layer({ ...options, endpoint: `http://127.0.0.1:${port}`, checksums: "none" }),
        NodeHttp.layer
      )
  )
)

/** Creates the bucket of the tests. */
const createBucket = (endpoint: string) =>
  Effect.promise(async () => {
    const { accessKeyId, secretAccessKey } = Swift.options.keys
    const credentials = { accessKeyId, secretAccessKey: Redacted.value(secretAccessKey) }
    const client = new S3({ endpoint, region: Swift.options.region, credentials, forcePathStyle: true })
    await client.createBucket({ Bucket: "bucket" })
    client.destroy()
  })

const inMemory = Layer.unwrapEffect(
  Effect.map(
    TestObjectStore.makeBucket({ limits: { minimumPartSize: 1_000 } }),
    (bucket) => TestObjectStore.layer({ bucket })
  )
)

conformance("in memory", inMemory, { ...features, completingTwice: "returns the same checksums" })

conformance("in the same process", inProcess({ pageSize: 2 }), features)

conformance(
  "that rejects checksums and conditions",
  inProcess({ pageSize: 2, rejectsChecksums: true, rejectsConditions: true }, {
    checksums: "none",
    conditionalWrites: false
  }),
  { ...features, hasSha256: false, keepsExisting: false }
)

conformance("over TCP", onSocket(false, NodeHttp.layer), features)

conformance("over TCP and fetch", onSocket(false, FetchHttpClient.layer), features)

conformance("over TLS", onSocket(true, NodeHttp.layerWith({ ca: TlsServer.ca })), features)

// It has no storage classes and no lists of parts or uploads. It finds no parts in a document with checksums.
conformance("of fauxqs", fauxqs, {
  ...features,
  partSize: 5 * 2 ** 20,
  checksHashes: false,
  hasSha256: false,
  keepsExisting: false,
  lists: false,
  storageClass: undefined
})

/** The store over Swift. */
const swift = Layer.unwrapScoped(Effect.gen(function*() {
  const of = { ...Swift.options, endpoint: yield* Swift.start, bucket: "bucket" }
  yield* createBucket(of.endpoint)
  const store = S3ObjectStore.layer({ ...of, checksums: "none", conditionalWrites: false })
  return Layer.provide(store, NodeHttp.layer)
}))

conformance(
  Swift.isInstalled
    ? "of OpenStack Swift"
    : "of OpenStack Swift (skipped: install the packages swift-proxy, swift-account, swift-container and swift-object)",
  swift,
  {
    ...features,
    isInstalled: Swift.isInstalled,
    hasSha256: false,
    keepsExisting: false,
    storageClass: undefined,
    completingTwice: "returns the same checksums"
  }
)

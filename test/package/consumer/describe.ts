/** A program of one operation, to see how little of the package comes along. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { Credentials, Endpoint, GlacierClient } from "effect-glacier"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const glacier = GlacierClient.layer.pipe(
  Layer.provide([FetchHttpClient.layer, Credentials.layerConfig, Endpoint.layer({ region: "eu-west-1" })])
)

Effect.flatMap(GlacierClient.GlacierClient, (client) => client.describeVault({ vaultName: "documents" })).pipe(
  Effect.provide(glacier),
  Effect.runPromise
)

/** An emulator for commands that run as processes. */
import { Effect, Redacted } from "effect"
import { Emulator } from "../../src/emulator/index.ts"
import { NodeEmulator } from "../../src/node/index.ts"

/** The variables with which a process uses the emulator in the context, and a state folder. */
export const environment = (state: string) =>
  Effect.map(NodeEmulator.url, (url) => ({
    AWS_ENDPOINT_URL_GLACIER: url,
    AWS_REGION: NodeEmulator.region,
    AWS_ACCESS_KEY_ID: Emulator.defaultKey.accessKeyId,
    AWS_SECRET_ACCESS_KEY: Redacted.value(Emulator.defaultKey.secretAccessKey),
    EFFECT_GLACIER_STATE: state
  }))

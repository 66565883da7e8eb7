// Makes a client of S3 and warns of something else: `s3Client.ts [as-command]`. With the argument, as a command does.
import { Option } from "effect"
import * as Globals from "../../src/cli/Globals.ts"

const none = Option.none()

if (process.argv[2] === "as-command") {
  Globals.toEnvironment({
    ...{ vault: none, region: none, profile: none, account: none, endpoint: none, state: none, synologyNames: none },
    ...{ botoNames: false, json: false, quiet: false, verbose: false, dryRun: false, yes: false }
  }, process.env)
}

const { S3Client } = await import("@aws-sdk/client-s3")
new S3Client({ region: "us-east-1" })
process.emitWarning("Another warning")

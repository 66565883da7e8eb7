/** The example of OpenTelemetry: spans and metrics come where they are expected. */
import { expect, it } from "@effect/vitest"
import { run } from "./run.ts"

it(
  "open-telemetry.ts exports the metrics, and the spans of calls inside the spans of transfers",
  { timeout: 60_000 },
  async () => {
    const stdout = await run("open-telemetry")
    expect(stdout).toMatch(/^span Glacier\.UploadMultipartPart in Upload\.upload \{/m)
    expect(stdout).toMatch(/^span Upload\.upload in backup \{ 'glacier\.vault': 'photos' \}$/m)
    expect(stdout).toMatch(/^span Glacier\.GetJobOutput in Download\.stream \{/m)
    expect(stdout).toMatch(/^span backup in nothing/m)
    expect(stdout).toMatch(/^metric glacier_requests_total 3 \{ operation: 'UploadMultipartPart', outcome: 'ok' \}$/m)
    expect(stdout).toMatch(/^metric glacier_bytes_total 3000000 \{ direction: 'up' \}$/m)
  }
)

import { S3 } from "@aws-sdk/client-s3"
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { isFull } from "../support/full.ts"
import { guideOf } from "./guide.ts"
import { chapters } from "./inheritedVault.ts"
import { run } from "./run.ts"

const archives = isFull ? 3_000 : 60

/** The bytes of an object. */
const objectOf = (endpoint: string, key: string) =>
  Effect.promise(async () => {
    const client = new S3({
      endpoint,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: { accessKeyId: "any", secretAccessKey: "any" }
    })
    const { Body } = await client.getObject({ Bucket: "archive", Key: key })
    const bytes = await Body?.transformToByteArray()
    client.destroy()
    return Buffer.from(bytes ?? [])
  })

it.scopedLive(
  `an inherited vault of ${archives} archives, named by five programs, is emptied and deleted after every copy is verified [W4]`,
  () =>
    Effect.gen(function*() {
      const { files, folder, objects, printed } = yield* run(archives)
      const steps = chapters.flatMap(({ steps }) => steps)
      expect(printed.map(({ code, line, text }) => ({ line, code, text: code === 0 ? "" : text }))).toEqual(
        steps.map(({ code = 0, line }) => ({ line, code, text: code === 0 ? "" : expect.any(String) }))
      )
      const isDocument = ({ path }: { readonly path: string }) => path.startsWith("documents/")
      for (const { bytes, path } of files.filter(isDocument)) {
        expect(readFileSync(join(folder, "home", path)).equals(bytes), path).toBe(true)
      }
      for (const { bytes, path } of isFull ? files.filter((_, index) => index % 50 === 0) : files) {
        expect((yield* objectOf(objects, `nas/${path}`)).equals(bytes), path).toBe(true)
      }
      // With as many archives as the guide has, the page is what the commands print today.
      if (isFull) expect(guideOf(printed, folder)).toBe(readFileSync("docs/inherited-vault.md", "utf8"))
    }),
  isFull ? 1_800_000 : 300_000
)

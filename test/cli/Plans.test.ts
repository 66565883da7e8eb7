import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as DateTime from "effect/DateTime"
import * as Places from "../../src/cli/Places.ts"
import * as Plans from "../../src/cli/Plans.ts"

const bucket = (options: Partial<Places.Bucket> = {}) =>
  Places.Bucket.make({
    bucket: "films",
    prefix: "old/",
    region: "eu-west-1",
    pathStyle: false,
    checksums: "sha256",
    conditionalWrites: true,
    ...options
  })

const key = (place: Places.Place) => ({ kind: "move", arguments: ["a b", "s3://films/old/"], place } as const)

const planOf = (place: Places.Place) => Plans.make({ ...key(place), inventory: DateTime.unsafeMake(0) })

describe("Plans", () => {
  it.effect("writes a command with every option that reaches the store", () =>
    Effect.gen(function*() {
      const plan = yield* planOf(bucket({
        endpoint: "https://minio.example.com",
        profile: "minio",
        storageClass: "STANDARD_IA",
        pathStyle: true,
        checksums: "none",
        conditionalWrites: false
      }))
      expect(Plans.commandOf(plan)).toBe(
        "move 'a b' s3://films/old/ --s3-endpoint https://minio.example.com --s3-region eu-west-1 --s3-profile minio " +
          "--storage-class STANDARD_IA --path-style --no-checksums --no-conditional-writes"
      )
    }))

  it.effect("distinguishes buckets by their store, but not by how the store is reached", () =>
    Effect.gen(function*() {
      const plan = yield* planOf(bucket())
      expect(Plans.isSame(plan, key(bucket({ endpoint: "https://minio.example.com" })))).toBe(false)
      expect(Plans.isSame(plan, key(bucket({ checksums: "none", profile: "minio" })))).toBe(true)
    }))
})

import * as Aws from "@aws-sdk/client-glacier"
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { call } from "../../socket/support.ts"
import * as Support from "./support.ts"

const { client, created, emulated, invalid, inVault, notFound, pages, Sdk, stored } = Support

export const vaults = (it: Support.It) => {
  it.scoped("creates, describes and deletes a vault, each twice", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = inVault("made-twice")
      for (const accountId of ["-", Support.account]) {
        expect(yield* call(() => glacier.createVault({ ...vault, accountId }))).toMatchObject({
          location: `/${Support.account}/vaults/made-twice`,
          $metadata: { httpStatusCode: 201 }
        })
      }
      const described = yield* call(() => glacier.describeVault(vault))
      expect(described).toMatchObject({
        VaultName: "made-twice",
        VaultARN: `arn:aws:glacier:us-east-1:${Support.account}:vaults/made-twice`,
        NumberOfArchives: 0,
        SizeInBytes: 0
      })
      expect(described.LastInventoryDate).toBeUndefined()
      expect(Math.abs(Date.now() - Date.parse(described.CreationDate!))).toBeLessThan(60_000)
      expect(described.$metadata.requestId).toMatch(/^[\w-]{47}$/)
      for (let times = 0; times < 2; times++) {
        expect((yield* call(() => glacier.deleteVault(vault))).$metadata.httpStatusCode).toBe(204)
      }
      yield* notFound(
        () => glacier.describeVault(vault),
        `Vault not found for ARN: arn:aws:glacier:us-east-1:${Support.account}:vaults/made-twice`
      )
    }))

  it.scoped("uses the default account of the client when it is left out", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = { vaultName: "no-account" }
      yield* call(() => glacier.send(new Aws.CreateVaultCommand({ ...vault, accountId: undefined })))
      const described = yield* call(() =>
        glacier.send(new Aws.DescribeVaultCommand({ ...vault, accountId: undefined }))
      )
      expect(described.VaultName).toBe("no-account")
    }))

  it.scoped("shows the counts of the last inventory, and deletes no vault with archives", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = yield* created(glacier, "counted")
      const archiveId = yield* stored(glacier, vault, Buffer.from("bytes"))
      const { LastInventoryDate, NumberOfArchives, SizeInBytes } = yield* call(() => glacier.describeVault(vault))
      expect(NumberOfArchives).toBe(1)
      expect(SizeInBytes).toBeGreaterThanOrEqual(5)
      expect(LastInventoryDate).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      yield* invalid(() => glacier.deleteVault(vault), /^Vault not empty or recently written to: arn:aws:glacier:/)
      yield* call(() => glacier.deleteArchive({ ...vault, archiveId }))
      yield* call(() => glacier.deleteVault(vault))
    }))

  it.scoped("lists the vaults of a region in pages of any size", () =>
    Effect.gen(function*() {
      // No other test has vaults in this region.
      const glacier = yield* client(undefined, "eu-west-3")
      const names = Array.from({ length: 13 }, (_, i) => `page-${String(i).padStart(2, "0")}`)
      yield* Effect.forEach([...names].reverse(), (name) => created(glacier, name))
      const namesOf = ({ VaultList = [] }: Aws.ListVaultsOutput) => VaultList.map(({ VaultName }) => VaultName)
      for (
        const [pageSize, sizes] of [
          [undefined, [10, 3]],
          [1, names.map(() => 1)],
          [5, [5, 5, 3]],
          [10, [10, 3]],
          [1000, [10, 3]]
        ] as const
      ) {
        const listed = (yield* pages(
          Aws.paginateListVaults({ client: glacier, ...(pageSize && { pageSize }) }, { accountId: "-" })
        )).map(namesOf)
        expect(listed.map(({ length }) => length)).toEqual(sizes)
        expect(listed.flat()).toEqual(names)
      }
      const startingToken = `arn:aws:glacier:eu-west-3:${Support.account}:vaults/page-10`
      const rest = yield* pages(Aws.paginateListVaults({ client: glacier, startingToken }, { accountId: "-" }))
      expect(rest.map(namesOf)).toEqual([names.slice(11)])

      for (const limit of [0, -1]) {
        yield* invalid(() => glacier.listVaults({ accountId: "-", limit }), `Invalid limit: ${limit}`)
      }
      yield* invalid(() => glacier.listVaults({ accountId: "-", marker: "somewhere" }), "Invalid marker: somewhere")
      const elsewhere = yield* Sdk
      yield* notFound(
        () => elsewhere.describeVault(inVault("page-01")),
        /^Vault not found for ARN: arn:aws:glacier:us-east-1:/
      )
    }))

  it.scoped("waits until vaults exist or do not exist", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      const vault = inVault("awaited")
      const options = { client: glacier, minDelay: 0.05, maxDelay: 0.1, maxWaitTime: 10 }
      for (
        const [wait, change] of [
          [Aws.waitUntilVaultExists, () => glacier.createVault(vault)],
          [Aws.waitUntilVaultNotExists, () => glacier.deleteVault(vault)]
        ] as const
      ) {
        const [{ state }] = yield* Effect.all(
          [call(() => wait(options, vault)), Effect.delay(call<unknown>(change), "80 millis")],
          { concurrency: 2 }
        )
        expect(state).toBe("SUCCESS")
      }
      const late = yield* Effect.flip(
        call(() => Aws.waitUntilVaultExists({ ...options, minDelay: 0.1, maxWaitTime: 0.2 }, vault))
      )
      expect(late.name).toBe("TimeoutError")
    }))

  it.scoped("rejects invalid vault names", () =>
    Effect.gen(function*() {
      const glacier = yield* Sdk
      for (const name of ["a b", "a!b", "ü", "x".repeat(256)]) {
        yield* invalid(() => glacier.createVault(inVault(name)), `Invalid vaultName: ${name}`)
      }
      for (const name of ["x".repeat(255), "a.b-c_D"]) {
        const vault = yield* created(glacier, name)
        expect((yield* call(() => glacier.describeVault(vault))).VaultName).toBe(name)
      }
    }))

  it.scoped("rejects more vaults than the maximum", () =>
    Effect.gen(function*() {
      const glacier = yield* emulated({ maximumVaults: 2 })
      yield* Effect.forEach(["first", "second", "first"], (name) => created(glacier, name))
      yield* Support.rejected(() => glacier.createVault(inVault("third")), Aws.LimitExceededException, 400, /at most 2/)
      yield* call(() => glacier.deleteVault(inVault("first")))
      yield* created(glacier, "third")
    }))
}

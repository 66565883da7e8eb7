/**
 * The cases of jobs: retrievals of archives and of inventories, and their output.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { GlacierClient } from "../../../client/GlacierClient.ts"
import * as Pages from "../../../client/Pages.ts"
import * as ServiceError from "../../../protocol/ServiceError.ts"
import * as Vault from "../../../services/Vault.ts"
import { expect } from "../expect.ts"
import { type Case, test } from "./case.ts"
import {
  all,
  collect,
  created,
  type ErrorClass,
  finished,
  mebibyte,
  ramp,
  rejected,
  retrieve,
  slice,
  store,
  treeHash,
  utf8
} from "./support.ts"

const text = (job: { readonly vaultName: string; readonly jobId: string }) =>
  Effect.gen(function*() {
    const { body, contentType } = yield* (yield* GlacierClient).getJobOutput(job)
    return [contentType, new TextDecoder().decode(yield* collect(body))] as const
  })

export const jobs: ReadonlyArray<Case> = [
  test(
    "the output of a job is downloaded as a whole and in ranges, with a tree hash for aligned ranges",
    () =>
      Effect.gen(function*() {
        const { glacier, vaultName } = yield* created("ranges")
        const body = ramp(6 * mebibyte + mebibyte / 2)
        const { archiveId } = yield* store(vaultName, body, "some")
        const whole = yield* retrieve(vaultName, archiveId)
        const output = yield* glacier.getJobOutput(whole)
        expect(output).toMatchObject({
          acceptRanges: Option.some("bytes"),
          archiveDescription: Option.some("some"),
          contentRange: Option.none(),
          contentType: Option.some("application/octet-stream"),
          treeHash: Option.some(treeHash(body))
        })
        expect(yield* collect(output.body)).toEqual(body)
        const check = Effect.fnUntraced(function*(start: number, end: number, hashed: boolean) {
          const range = { start, end }
          const output = yield* glacier.getJobOutput({ ...whole, range })
          const bytes = slice(body, range)
          expect(output.contentRange).toEqual(
            Option.some({ range: { start, end: Math.min(end, body.length - 1) }, total: body.length })
          )
          expect(output.treeHash).toEqual(hashed ? Option.some(treeHash(bytes)) : Option.none())
          expect(yield* collect(output.body)).toEqual(bytes)
        })
        yield* check(0, body.length - 1, true)
        yield* check(0, 4 * mebibyte - 1, true)
        yield* check(4 * mebibyte, 50 * mebibyte, true)
        yield* check(mebibyte, 3 * mebibyte - 1, false)
        yield* check(5, 5, false)
        yield* rejected(
          glacier.getJobOutput({ ...whole, range: { start: body.length, end: body.length } }),
          ServiceError.RangeNotSatisfiable
        )
      }),
    "jobs"
  ),

  test("a range of an archive is retrieved if it is aligned to MiBs", () =>
    Effect.gen(function*() {
      const { arnOf, glacier, vaultName } = yield* created("retrievals")
      const body = ramp(6 * mebibyte + mebibyte / 2)
      const { archiveId } = yield* store(vaultName, body)
      const retrievalByteRange = { start: 4 * mebibyte, end: 6 * mebibyte - 1 }
      const part = yield* retrieve(vaultName, archiveId, {
        retrievalByteRange,
        tier: "Bulk",
        description: "two MiBs",
        snsTopic: "arn:aws:sns:us-east-1:123456789012:topic"
      })
      const bytes = slice(body, retrievalByteRange)
      expect(yield* glacier.describeJob(part)).toMatchObject({
        action: "ArchiveRetrieval",
        archiveId: Option.some(archiveId),
        archiveSizeInBytes: Option.some(body.length),
        archiveTreeHash: Option.some(treeHash(body)),
        completed: true,
        inventoryRetrievalParameters: Option.none(),
        jobDescription: Option.some("two MiBs"),
        jobId: part.jobId,
        retrievalByteRange: Option.some(retrievalByteRange),
        snsTopic: Option.some("arn:aws:sns:us-east-1:123456789012:topic"),
        statusCode: "Succeeded",
        statusMessage: Option.some("Succeeded"),
        tier: Option.some("Bulk"),
        treeHash: Option.some(treeHash(bytes)),
        vaultArn: arnOf(vaultName)
      })
      const output = yield* glacier.getJobOutput(part)
      expect(yield* collect(output.body)).toEqual(bytes)
      for (const range of [{ start: mebibyte, end: 2 * mebibyte }, { start: 0, end: mebibyte }]) {
        yield* rejected(retrieve(vaultName, archiveId, { retrievalByteRange: range }), ServiceError.RangeNotAligned)
      }
      yield* rejected(
        retrieve(vaultName, archiveId, { retrievalByteRange: { start: 0, end: body.length } }),
        ServiceError.InvalidParameterValue,
        /^Invalid RetrievalByteRange/
      )
      const whole = yield* retrieve(vaultName, archiveId)
      yield* glacier.deleteArchive({ vaultName, archiveId })
      yield* rejected(
        retrieve(vaultName, archiveId),
        ServiceError.ArchiveNotFound,
        `The archive ID was not found: ${archiveId}`
      )
      expect((yield* collect((yield* glacier.getJobOutput(whole)).body)).length).toEqual(body.length)
    }), "jobs"),

  test(
    "jobs are listed by status and in pages, newest first",
    () =>
      Effect.gen(function*() {
        const { glacier, vaultName } = yield* created("listed-jobs")
        yield* store(vaultName, ramp(1))
        const job = Effect.map(finished(vaultName, { type: "inventory-retrieval" }), ({ jobId }) => jobId)
        const ids = (yield* Effect.replicateEffect(job, 52)).reverse()
        const idsOf = (jobs: ReadonlyArray<{ readonly jobId: string }>) => jobs.map(({ jobId }) => jobId)
        expect(idsOf(yield* all(Pages.jobs({ vaultName })))).toEqual(ids)
        expect(idsOf(yield* all(Pages.jobs({ vaultName, statusCode: "Succeeded", completed: true })))).toEqual(ids)
        for (const none of [{ statusCode: "Failed" }, { statusCode: "InProgress" }, { completed: false }] as const) {
          expect(yield* all(Pages.jobs({ vaultName, ...none }))).toEqual([])
        }
        const first = yield* glacier.listJobs({ vaultName, limit: 3 })
        const marker = Option.getOrThrow(first.marker)
        const second = yield* glacier.listJobs({ vaultName, limit: 100, marker })
        expect(second.marker).toEqual(Option.none())
        expect([first, second].map(({ jobs }) => idsOf(jobs))).toEqual([ids.slice(0, 3), ids.slice(3)])
      }),
    "inventories",
    "jobs"
  ),

  test(
    "an inventory is retrieved as JSON or as CSV",
    () =>
      Effect.gen(function*() {
        const { arnOf, glacier, vaultName } = yield* created("inventories")
        const descriptions = ["plain", "a \"quoted\", name", ""]
        const archives = yield* Effect.forEach(
          descriptions,
          (description) =>
            Effect.map(store(vaultName, utf8.encode(`bytes of ${description}`), description), ({ archiveId }) =>
              archiveId)
        )
        const json = yield* finished(vaultName, { type: "inventory-retrieval", description: "all" })
        const [jsonType, document] = yield* text(json)
        expect(jsonType).toEqual(Option.some("application/json"))
        expect(JSON.parse(document)).toEqual({
          VaultARN: arnOf(vaultName),
          InventoryDate: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
          ArchiveList: descriptions.map((description, index) => ({
            ArchiveId: archives[index],
            ArchiveDescription: description,
            CreationDate: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
            Size: `bytes of ${description}`.length,
            SHA256TreeHash: treeHash(utf8.encode(`bytes of ${description}`))
          }))
        })
        expect(yield* glacier.describeJob(json)).toMatchObject({
          action: "InventoryRetrieval",
          archiveId: Option.none(),
          inventorySizeInBytes: Option.some(document.length),
          jobDescription: Option.some("all"),
          inventoryRetrievalParameters: Option.some({
            endDate: Option.none(),
            format: Option.some("JSON"),
            limit: Option.none(),
            marker: Option.none(),
            startDate: Option.none()
          }),
          tier: Option.none(),
          treeHash: Option.none()
        })
        expect((yield* glacier.describeVault({ vaultName })).lastInventoryDate).toMatchObject({ _tag: "Some" })

        const [csvType, csv] = yield* text(yield* finished(vaultName, { type: "inventory-retrieval", format: "CSV" }))
        expect(csvType).toEqual(Option.some("text/csv"))
        const [head, ...lines] = csv.trimEnd().split("\n")
        expect(head).toEqual("ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash")
        expect(lines.map((line) =>
          line.replace(/,\d{4}-\d\d-\d\dT.*/, "")
        )).toEqual([
          `${archives[0]},plain`,
          `${archives[1]},"a \\"quoted\\", name"`,
          `${archives[2]},`
        ])
        for (const line of lines) {
          expect(line).toEqual(/,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,\d+,[0-9a-f]{64}$/)
        }
      }),
    "inventories",
    "jobs"
  ),

  test(
    "an inventory is limited by dates, and continues at a marker",
    () =>
      Effect.gen(function*() {
        const { glacier, vaultName } = yield* created("selections")
        yield* rejected(
          finished(vaultName, { type: "inventory-retrieval" }),
          ServiceError.InventoryNotReady,
          /no initial inventory exists for the vault/
        )
        yield* Effect.forEach(["1", "2", "3"], (name) => store(vaultName, utf8.encode(name), name))
        const vault = yield* Vault.make(vaultName)
        const names = (selection: Parameters<typeof vault.retrieveInventory>[0]) =>
          Effect.flatMap(vault.retrieveInventory(selection), (job) =>
            Effect.zip(
              Effect.map(
                Effect.flatMap(job.inventory, ({ archives }) => all(archives())),
                (archives) => archives.map(({ description }) => description)
              ),
              Effect.map(
                job.describe,
                (described) => Option.flatMap(described.inventoryRetrievalParameters, ({ marker }) => marker)
              )
            ))
        const [first, marker] = yield* names({ selection: { limit: 2 } })
        expect(first).toEqual(["1", "2"])
        expect(yield* names({ selection: { limit: 2, marker: Option.getOrThrow(marker) } })).toEqual([
          ["3"],
          Option.none()
        ])
        const now = yield* DateTime.now
        const tomorrow = DateTime.add(now, { days: 1 })
        const yesterday = DateTime.subtract(now, { days: 1 })
        for (
          const [selection, expected] of [
            [{ startDate: yesterday, endDate: tomorrow }, ["1", "2", "3"]],
            [{ startDate: tomorrow }, []],
            [{ endDate: yesterday }, []]
          ] as const
        ) expect(yield* names({ selection })).toEqual([expected, Option.none()])
        yield* rejected(
          glacier.initiateJob({
            vaultName,
            parameters: { type: "inventory-retrieval", selection: { marker: "no marker" } }
          }),
          ServiceError.InvalidParameterValue,
          /Marker/
        )
      }),
    "inventories",
    "jobs"
  ),

  test(
    "an error names the vault, upload, job or archive that does not exist",
    () =>
      Effect.gen(function*() {
        const { account, arnOf, glacier, vaultName } = yield* created("missing")
        const upload = [ServiceError.UploadNotFound, /^The upload ID was not found: none \(/] as const
        const job = [ServiceError.JobNotFound, /^The job ID was not found: none \(.* 24 hours/] as const
        const missing: ReadonlyArray<
          readonly [Effect.Effect<unknown, unknown, GlacierClient>, ErrorClass, string | RegExp]
        > = [
          [
            store("no-such-vault", ramp(1)),
            ServiceError.VaultNotFound,
            `Vault not found for ARN: ${arnOf("no-such-vault")}`
          ],
          [glacier.listParts({ vaultName, uploadId: "none" }), ...upload],
          [glacier.abortMultipartUpload({ vaultName, uploadId: "none" }), ...upload],
          [glacier.describeJob({ vaultName, jobId: "none" }), ...job],
          [glacier.getJobOutput({ vaultName, jobId: "none" }), ...job],
          [retrieve(vaultName, "none"), ServiceError.ArchiveNotFound, "The archive ID was not found: none"]
        ]
        for (const [effect, Class, message] of missing) {
          expect(yield* rejected(effect, Class, message)).toMatchObject({ status: 404 })
        }
        const { location, jobId } = yield* Effect.zipRight(
          store(vaultName, ramp(1)),
          glacier.initiateJob({ vaultName, parameters: { type: "inventory-retrieval" } })
        )
        expect(location).toEqual(Option.some(`/${account}/vaults/${vaultName}/jobs/${jobId}`))
      }),
    "inventories",
    "jobs"
  )
]

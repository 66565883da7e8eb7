/** The figures that the benchmark measures and their goals. A key names a ratio (ours to theirs) or a plain figure. */
import type { Peer, Result } from "./contest.ts"

export interface Goal {
  readonly key: string
  /** The most it should be; absent where it is reported for comparison only. */
  readonly most?: number | undefined
}

const against = (name: string, peers: Readonly<Partial<Record<Peer, number | undefined>>>): ReadonlyArray<Goal> =>
  Object.entries(peers).map(([peer, most]) => ({ key: `${name}.${peer}`, most }))

const fixed: ReadonlyArray<Goal> = [
  ...against("upload4g", { limit: undefined, limitNode: 1.08, boto3: 0.92, js: 0.6 }),
  ...against("upload1g", { limit: undefined, limitNode: 1.2, boto3: 0.98, js: 0.72 }),
  ...against("uploadTls1g", { boto3: 0.9, js: 0.8 }),
  ...against("uploadStream1g", { file: 1.35 }),
  ...against("download1g", { limit: undefined, limitNode: undefined, boto3: 0.95, js: 0.75 }),
  ...against("downloadTls1g", { boto3: 0.9, js: 0.8 }),
  ...against("outputStream", { js: 1.15, jsVerified: 0.7 }),
  ...against("outputStreamTls1g", { js: undefined, jsVerified: undefined }),
  ...against("treeHash4g", { limit: 1.3, botocore: 0.75 }),
  ...against("small10k", { js: 0.85, boto3: 0.5 }),
  ...against("smallTls10k", { js: undefined, boto3: undefined }),
  ...against("delete10k", { js: 0.85, boto3: 0.5 }),
  ...against("deleteTls10k", { js: undefined, boto3: undefined }),
  ...against("inventoryJson", { streamparser: 0.6 }),
  ...against("inventoryCsv", { json: 1 }),
  ...against("import", { effect: 1.35, bundled: undefined }),
  ...against("httpSmall10k", { platform: undefined }),
  ...against("httpSmallTls10k", { platform: undefined }),
  ...against("httpDownload1g", { platform: undefined }),
  ...against("httpDownloadTls1g", { platform: undefined }),
  ...against("httpUpload1g", { platform: undefined }),
  ...against("move1g", { download: 1.3 }),
  ...against("httpUploadTls1g", { platform: undefined }),
  ...against("httpOutputStream", { platform: undefined }),
  ...against("httpOutputStreamTls1g", { platform: undefined })
]

/** The ratios of seconds: those to another checkout only where it took part. */
export const ratios = (results: ReadonlyArray<Result>): ReadonlyArray<Goal> => [
  ...fixed,
  ...results.flatMap(({ name, of }) => of.before === undefined ? [] : against(name, { before: undefined }))
]

/** Ours / theirs; nothing when one of them did not take part. */
export const ratio = (results: ReadonlyArray<Result>, key: string): number | undefined => {
  const [name, peer] = key.split(".")
  const result = results.find((result) => result.name === name)
  const theirs = Object.entries(result?.of ?? {}).find(([who]) => who === peer)?.[1]
  const ours = result?.of.ours
  return ours === undefined || theirs === undefined ? undefined : ours.seconds / theirs.seconds
}

/** The figures that compare with nobody. */
export const figures = (results: ReadonlyArray<Result>) => {
  const rss = (name: string) => results.find((result) => result.name === name)?.of.ours?.rssMB
  const small = rss("rssMB1g")
  const large = rss("rssMB16g")
  const delays = results.flatMap(({ of }) => of.ours?.loopDelayP99Ms ?? [])
  return [
    { key: "rssMB.1g", what: "peak memory, a file of 1 GiB", unit: " MB", value: small, most: undefined },
    { key: "rssMB.16g", what: "peak memory, a file of 16 GiB", unit: " MB", value: large, most: 220 },
    {
      key: "rssMB.growth",
      what: "the same in relation to that of 1 GiB",
      unit: "",
      value: small === undefined || large === undefined ? undefined : large / small,
      most: 1.1
    },
    {
      key: "rssMB.move",
      what: "peak memory of a move, 4 parts of 64 MiB",
      unit: " MB",
      value: rss("move1g"),
      most: 350
    },
    {
      key: "loopDelayP99Ms",
      what: "event loop delay while uploading, p99: the worst of the uploads, over TLS too",
      unit: " ms",
      value: delays.length === 0 ? undefined : Math.max(...delays),
      most: 30
    }
  ]
}

/** The rows of retry-cases.json by name, and the reasons why some of them do not apply to Glacier. */
import fixture from "../fixtures/retry-cases.json" with { type: "json" }

/** The rows that are not applied, by the name of the row or of its section, each with the reason. */
export const notApplied: Readonly<Record<string, string>> = {
  "standard_v2_1_other_services": "for DynamoDB and long polls; Glacier has neither",
  "timings_v2_0_js": "version 2.0 is outdated",
  "backoff: v2_0_botocore_ms": "version 2.0 is outdated",
  "quota: exhaustion count 2.0 botocore 500 tokens, 3 attempts, all 502": "version 2.0 is outdated",
  "classification: modeledTrait": "no error of Glacier has the trait",
  "classification: streaming": "bodies are bytes, so every attempt can send them again",
  "classification: throttlingCodes": "a case covers each",
  "classification: transientCodes": "a case covers each",
  "classification: transientStatus": "a case covers each",
  "classification: throttlingStatus": "a case covers it",
  "classification: rejectionPriority": "the sequences cover it",
  "classification: 400 LimitExceededException":
    "at Glacier a limit of vaults, tags or units, which waiting does not change",
  "glacier: LimitExceededException 400": "see classification: 400 LimitExceededException",
  "glacier: InitiateMultipartUpload false":
    "a retry leaves at most an empty upload, which costs nothing and expires; a similar upload may belong to another host",
  "requestHeaders": "Glacier's API defines neither amz-sdk-request nor amz-sdk-invocation-id",
  "adaptive": "RatePolicyAdaptive.test.ts and RatePolicyCubic.test.ts cover it",
  "clockSkew: codesSEP": "a case covers each",
  "clockSkew: offset = server Date - local time at receipt, sampled from success and failure responses":
    "the cases are built this way",
  "clockSkew: an error counts as skew-corrected (one TRANSIENT retry) only if |offset| >= 240000 ms and the offset changed by this or a concurrent response":
    "the cases cover it",
  "clockSkew: AWS_DISABLE_CLOCK_SKEW_CORRECTION / disable_clock_skew_correction=true turns it off":
    "this package has no such setting",
  "clockSkew: perEndpoint": "a client has one endpoint",
  "clockSkew: SignatureDoesNotMatch 300": "Glacier rejects a wrong clock only with InvalidSignatureException",
  "clockSkew: AuthFailure 300": "see clockSkew: SignatureDoesNotMatch 300",
  "clockSkew: RequestTimeTooSkewed 300": "see clockSkew: SignatureDoesNotMatch 300",
  "clockSkew: AccessDeniedException 300": "see clockSkew: SignatureDoesNotMatch 300; this code is a denial by a policy"
}

/** The keys of the fixture that hold parameters and remarks instead of rows. */
const remarks = new Set(["meta", "parameters", "note", "source", "clockNowMs", "thenClamp"])

/** Returns the name of a row. */
const nameOf = (row: unknown): string =>
  typeof row === "string" ?
    row :
    Object.values(row ?? {}).slice(0, 2).map((value) =>
      typeof value === "object" ? JSON.stringify(value) : String(value)
    ).join(" ")

/** The lists whose members are rows. Any other list is a single row. */
const lists = new Set(["cases", "rules", "errors", "operationRetrySafety"])

/** The names of all rows. */
export const all: ReadonlyArray<string> = Object.entries(fixture).flatMap(([section, content]) => {
  if (remarks.has(section)) return []
  if (Array.isArray(content)) return content.map((row) => `${section}: ${nameOf(row)}`)
  return Object.entries(content).flatMap(([key, value]: [string, unknown]) =>
    remarks.has(key)
      ? []
      : Array.isArray(value) && lists.has(key)
      ? value.map((row) => `${section}: ${nameOf(row)}`)
      : [`${section}: ${key}`]
  )
})

/** Returns whether a row is listed as not applied. */
export const isListed = (name: string): boolean => name in notApplied || name.split(":")[0]! in notApplied

/** The names of the rows that a test applies. */
export const applied = new Set<string>()

/** Returns the rows of a list that apply to Glacier, and records that they are tested. */
export const rowsOf = <Row>(section: string, rows: ReadonlyArray<Row>): Array<{ name: string; row: Row }> =>
  rows.map((row) => ({ name: `${section}: ${nameOf(row)}`, row })).filter(({ name }) => {
    if (isListed(name)) return false
    applied.add(name)
    return true
  })

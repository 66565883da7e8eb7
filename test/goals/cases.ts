/** The rows of retry-cases.json by name, and which of them say nothing of Glacier. */
import fixture from "../fixtures/retry-cases.json" with { type: "json" }

/** The rows that are not applied, by their own name or that of their section, and why. */
export const notApplied: Readonly<Record<string, string>> = {
  "standard_v2_1_other_services": "DynamoDB's base and long polls: Glacier has neither",
  "timings_v2_0_js": "version 2.0 is history",
  "backoff: v2_0_botocore_ms": "version 2.0 is history",
  "quota: exhaustion count 2.0 botocore 500 tokens, 3 attempts, all 502": "version 2.0 is history",
  "classification: modeledTrait": "no error of Glacier has the trait",
  "classification: streaming": "each attempt can send the body again: it is bytes",
  "classification: throttlingCodes": "each has a case",
  "classification: transientCodes": "each has a case",
  "classification: transientStatus": "each has a case",
  "classification: throttlingStatus": "it has a case",
  "classification: refusalPriority": "the sequences show it",
  "classification: 400 LimitExceededException": "at Glacier a limit of vaults, tags or units: no wait brings it down",
  "glacier: LimitExceededException 400": "the same",
  "glacier: InitiateMultipartUpload false":
    "a repeat leaves at most an empty upload, which costs nothing and expires; one that looks like ours may be another host's",
  "requestHeaders": "Glacier's API defines neither amz-sdk-request nor amz-sdk-invocation-id",
  "adaptive": "RatePolicy.adaptive has tests of its own",
  "clockSkew: codesSEP": "each has a case",
  "clockSkew: offset = server Date - local time at receipt, sampled from success and failure responses":
    "the cases are made so",
  "clockSkew: an error counts as skew-corrected (one TRANSIENT retry) only if |offset| >= 240000 ms and the offset changed by this or a concurrent reply":
    "the cases show it",
  "clockSkew: AWS_DISABLE_CLOCK_SKEW_CORRECTION / disable_clock_skew_correction=true turns it off":
    "there is no such setting",
  "clockSkew: perEndpoint": "a client has one endpoint",
  "clockSkew: SignatureDoesNotMatch 300": "Glacier refuses a wrong clock with InvalidSignatureException alone",
  "clockSkew: AuthFailure 300": "the same",
  "clockSkew: RequestTimeTooSkewed 300": "the same",
  "clockSkew: AccessDeniedException 300": "the same; this one is the refusal of a policy"
}

/** Where rows stand, what they are measured in, and what is said of them: no rows. */
const remarks = new Set(["meta", "parameters", "note", "source", "clockNowMs", "thenClamp"])

/** What a row is called. */
const nameOf = (row: unknown): string =>
  typeof row === "string" ?
    row :
    Object.values(row ?? {}).slice(0, 2).map((value) =>
      typeof value === "object" ? JSON.stringify(value) : String(value)
    ).join(" ")

/** The lists whose members are rows; other lists are one row. */
const lists = new Set(["cases", "rules", "errors", "operationRetrySafety"])

/** The name of every row. */
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

/** Whether a row is one of those that are not applied. */
export const isListed = (name: string): boolean => name in notApplied || name.split(":")[0]! in notApplied

/** The names of the rows that are applied. */
export const applied = new Set<string>()

/** The rows of a list that are to be applied. */
export const rowsOf = <Row>(section: string, rows: ReadonlyArray<Row>): Array<{ name: string; row: Row }> =>
  rows.map((row) => ({ name: `${section}: ${nameOf(row)}`, row })).filter(({ name }) => {
    if (isListed(name)) return false
    applied.add(name)
    return true
  })

/**
 * Explains errors to a person at a terminal: what happened, and what to do.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type { Failure } from "./Failures.ts"

/** The event, and the remedy unless the event's text has it. */
interface Explanation {
  readonly happened: string
  readonly next: string | undefined
}

const again = "Run the command again in a few minutes"

const otherCredentials = "choose others by --profile"

interface Rule {
  readonly text?: RegExp
  readonly next: string
}

/** Rules for a connection to the endpoint of an option. */
const connectionTo = (option: string): ReadonlyArray<Rule> => [
  { text: /proxy/i, next: "Check the proxy and its password in HTTPS_PROXY or HTTP_PROXY" },
  {
    text: /certificate|issuer/i,
    next: "Name the PEM file of the authority that made the certificate in AWS_CA_BUNDLE, or correct the endpoint"
  },
  { text: /SSL|TLS|EPROTO/, next: `The server does not use TLS as expected: check the endpoint (${option})` },
  {
    text: /ECONNREFUSED/,
    next: `Nothing listens at this address: check the endpoint (${option}) and the proxy (HTTPS_PROXY)`
  },
  {
    text: /ENOTFOUND|EAI_AGAIN/,
    next: `The name of the host cannot be resolved: check the network, the region and the endpoint (${option})`
  }
]

const connection: ReadonlyArray<Rule> = [
  ...connectionTo("--endpoint"),
  {
    next: "Check the network, the proxy (HTTPS_PROXY) and the endpoint (--endpoint). effect-glacier doctor checks them"
  }
]

const otherKeys = "choose others by --s3-profile"

/** Rules for the codes of object stores. */
const objectStore: ReadonlyArray<Rule> = [
  {
    text: /NoSuchBucket/,
    next: "Create the bucket, or correct its name. If it is in another store, give the store by --s3-endpoint"
  },
  {
    text: /InvalidAccessKeyId|CredentialsError/,
    next: `The store does not know the access key, or there is none: check AWS_ACCESS_KEY_ID, or ${otherKeys}`
  },
  {
    text: /SignatureDoesNotMatch/,
    next: `The secret does not belong to the access key: check AWS_SECRET_ACCESS_KEY, or ${otherKeys}`
  },
  { text: /ExpiredToken|InvalidToken/, next: "Renew the credentials of the store, and run the command again" },
  {
    text: /RequestTimeTooSkewed/,
    next: "The clock of this machine is wrong: set it. effect-glacier doctor shows by how much"
  },
  {
    text: /AuthorizationHeaderMalformed|PermanentRedirect|IllegalLocationConstraint|in the region/,
    next: "Give the region of the bucket by --s3-region"
  },
  { text: /InvalidStorageClass/, next: "The store does not have this storage class: correct --storage-class" },
  {
    text: /AccessDenied|Forbidden|HTTP 403/,
    next: `The keys may not do this in the bucket: ask its owner, or ${otherKeys}`
  },
  { text: /SlowDown|InternalError|ServiceUnavailable/, next: `The store has a problem. ${again}` },
  ...connectionTo("--s3-endpoint"),
  {
    text: /ConnectionError|ConnectionRejected|Timeout/,
    next: "Check the network, the proxy (HTTPS_PROXY) and the endpoint (--s3-endpoint)"
  }
]

/** What to do about errors of a class whose message does not say it. The first rule whose `text` is in the message counts. */
const rules: Readonly<Record<string, ReadonlyArray<Rule>>> = {
  Throttling: [{ next: `The service limits the requests of your account. ${again}` }],
  ServiceUnavailable: [{ next: `The service has a problem. ${again}` }],
  RequestTimeout: [{ next: "The connection is slow: check the network. Run the command again" }],
  AttemptTimeout: [{ next: "The network or the service is slow: effect-glacier doctor checks them" }],
  ExpiredToken: [{ next: "Renew your credentials, for instance by `aws sso login`, and run the command again" }],
  UnrecognizedClient: [{
    next: `The service does not know this access key: check AWS_ACCESS_KEY_ID, or ${otherCredentials}`
  }],
  InvalidSignature: [
    {
      text: /scoped to a valid region/i,
      next: "The endpoint belongs to another region: choose its region by --region, or leave out --endpoint"
    },
    {
      text: /expired|not yet current/i,
      next: "The clock of this machine is wrong: set it. effect-glacier doctor shows by how much"
    },
    { next: `The secret does not belong to the access key: check AWS_SECRET_ACCESS_KEY, or ${otherCredentials}` }
  ],
  AccessDenied: [
    {
      text: /explicit deny/i,
      next: "A policy or the lock of the vault forbids this. effect-glacier vaults shows which vaults have one"
    },
    { next: `Your credentials may not do this: ask the owner of the account, or ${otherCredentials}` }
  ],
  VaultLocked: [{ next: "The lock is final: nobody can change or remove it" }],
  VaultLockInProgress: [{
    next: "effect-glacier lock shows the lock that another program has begun, and lock --abort aborts it"
  }],
  CheckpointInUse: [{ next: "effect-glacier status shows the commands that run" }],
  InUse: [{ next: "effect-glacier status shows the commands that run" }],
  VaultNotFound: [{ next: "effect-glacier vaults lists the vaults of a region. Choose the region by --region" }],
  ServeError: [
    {
      text: /EADDRINUSE/,
      next: "Another program listens on this port: choose another by --port, such as 0 for a free one"
    },
    { text: /EACCES/, next: "Only the administrator may listen on this port: choose one of 1024 or more by --port" },
    { next: "This machine does not have the address: correct --host" }
  ],
  ConnectionError: connection,
  ConnectionRejected: connection,
  ObjectStoreError: objectStore,
  InventoryNotReady: [{
    next: "The service takes the first inventory about a day after the first upload. Run the command again then"
  }]
}

/**
 * The text that the service has signed, which it appends to the message about a wrong signature. It is long, and may hold a
 * session token.
 */
const signedText = /\s*The Canonical String[^]*?(?=\n {2,}at |$)/

/** The options with the values of fields that the package checks before it sends a request. */
const optionOf: Readonly<Record<string, string>> = {
  accountId: "--account",
  vaultName: "--vault",
  "configuration.snsTopic": "--set"
}

/**
 * Returns the text of an error, without the text that the service has signed, and with the option instead of an invalid field.
 * Some errors of the platform have their text only in their cause.
 *
 * @since 0.1.0
 * @category formatting
 */
export const textOf = (error: Failure): string => {
  const text = error.message === "" && "cause" in error && error.cause instanceof Error
    ? error.cause.message
    : error.message
  switch (error._tag) {
    case "InvalidSignature":
      return text.replace(/(?<=\.)\s.*$/s, "")
    case "InvalidInput":
      return text.replace(/^\w+: (\S+)/, (all, field: string) => optionOf[field] ?? all)
    default:
      return text.trimEnd()
  }
}

/**
 * Explains an error.
 *
 * @since 0.1.0
 * @category formatting
 */
export const explain = (error: Failure): Explanation => {
  const text = textOf(error)
  return {
    happened: text,
    next: rules[error._tag]?.find((rule) => rule.text === undefined || rule.text.test(text))?.next
  }
}

/**
 * Returns the lines about an error.
 *
 * @since 0.1.0
 * @category formatting
 */
export const message = (error: Failure): string => {
  const { happened, next } = explain(error)
  return next === undefined ? happened : `${happened}\n${next}`
}

/**
 * Returns the trace of a failure, for `--verbose`.
 *
 * @since 0.1.0
 * @category formatting
 */
export const trace = (cause: Cause.Cause<unknown>): string => Cause.pretty(cause).replace(signedText, "")

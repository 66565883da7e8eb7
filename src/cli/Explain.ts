/**
 * Explains errors to a person at a terminal: what happened, and what to do.
 *
 * @since 0.1.0
 */
import type { Failure } from "./Failures.ts"

/** What to do about errors whose message does not say it. */
const advice: Readonly<Record<string, string>> = {
  Throttling: "The service limits the requests of your account. Run the command again in a few minutes",
  ServiceUnavailable: "The service does not answer at the moment. Run the command again in a few minutes",
  ExpiredToken: "Renew your credentials, for instance by `aws sso login`, and run the command again",
  UnrecognizedClient: "The service does not know this access key: check the credentials, or choose others by --profile",
  InvalidSignature: "Check the secret key, or choose other credentials by --profile",
  AccessDenied: "Your credentials may not do this: ask the owner of the account, or choose others by --profile",
  VaultNotFound: "effect-glacier vaults lists the vaults of a region. Choose the region by --region",
  ConnectionError: "Check the network, the proxy (HTTPS_PROXY) and the endpoint (--endpoint). " +
    "effect-glacier doctor checks them",
  CheckpointInUse: "effect-glacier status shows the commands that run",
  InUse: "effect-glacier status shows the commands that run",
  ConnectionRejected: "effect-glacier doctor checks the connection",
  VaultLockInProgress: "effect-glacier lock shows the lock that another program has begun, and --abort aborts it",
  InventoryNotReady:
    "The service takes the first inventory about a day after the first upload. Run the command again then"
}

/**
 * Returns the lines about an error.
 *
 * @since 0.1.0
 * @category formatting
 */
export const message = ({ _tag, message }: Failure): string => {
  const next = advice[_tag]
  return next === undefined ? message : `${message}\n${next}`
}

/**
 * Certificates of a server on this machine: given ones, and generated ones with their own certificate authority.
 *
 * @internal
 */
import type { JsonGeneralName } from "@peculiar/x509"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { createPrivateKey, KeyObject, X509Certificate } from "node:crypto"
import { readFileSync } from "node:fs"
import { isIP } from "node:net"
import { load, PackagesMissing } from "../OptionalPackages.ts"

/**
 * A server cannot serve TLS, because its certificate or key cannot be read or used, or because none can be generated.
 *
 * @since 0.1.0
 * @category errors
 */
export class CertificateError extends Data.TaggedError("CertificateError")<{
  readonly message: string
  readonly cause?: unknown
}> {}

/** A certificate of a server and its key, as PEM text. */
export interface Certificate {
  /** The certificate of the server, followed by those of its authorities. */
  readonly cert: string
  /** Its private key, without a passphrase. */
  readonly key: string
}

/** A certificate, and the authorities that a client must trust to accept it. */
export interface Trusted extends Certificate {
  readonly ca: string
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }

const day = 86_400_000

/**
 * Generates a certificate for names and addresses, valid from the day before `now` (milliseconds) for a year. The
 * authority's key is used once and dropped: to trust the authority is to trust this certificate and no other.
 */
export const generate = async (hosts: ReadonlyArray<string>, now: number): Promise<Trusted> => {
  const x509 = await load("TLS with a generated certificate", ["@peculiar/x509", "reflect-metadata"], async () => {
    // @peculiar/x509 throws unless this is loaded before it.
    await import("reflect-metadata")
    return import("@peculiar/x509")
  })
  const keyPair = () => crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])
  const [authority, server] = await Promise.all([keyPair(), keyPair()])
  const shared = { notBefore: new Date(now - day), notAfter: new Date(now + 365 * day), signingAlgorithm: algorithm }
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...shared,
    name: "CN=effect-glacier emulator authority",
    keys: authority,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authority.publicKey)
    ]
  })
  const cert = await x509.X509CertificateGenerator.create({
    ...shared,
    subject: "CN=effect-glacier emulator",
    issuer: ca.subjectName,
    publicKey: server.publicKey,
    signingKey: authority.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        hosts.map((value): JsonGeneralName => ({ type: isIP(value) === 0 ? "dns" : "ip", value }))
      ),
      await x509.SubjectKeyIdentifierExtension.create(server.publicKey),
      // Python 3.13 rejects a certificate without it.
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey)
    ]
  })
  return {
    ca: ca.toString("pem"),
    cert: cert.toString("pem"),
    key: KeyObject.from(server.privateKey).export({ type: "pkcs8", format: "pem" }).toString()
  }
}

/** Runs `run`. If it throws, fails with the message. */
const orFail = <A>(run: () => A, message: (cause: unknown) => string) =>
  Effect.try({ try: run, catch: (cause) => new CertificateError({ message: message(cause), cause }) })

const textOf = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

/** Fails unless the texts are a certificate and its key. Errors call them by `names`. */
const check = ({ cert, key }: Certificate, names: Certificate): Effect.Effect<void, CertificateError> =>
  Effect.gen(function*() {
    const certificate = yield* orFail(
      () => new X509Certificate(cert),
      () => `The ${names.cert} is not PEM text that begins with "-----BEGIN CERTIFICATE-----".`
    )
    const privateKey = yield* orFail(
      () => createPrivateKey(key),
      () => `The ${names.key} is not a private key in PEM text without a passphrase.`
    )
    if (certificate.checkPrivateKey(privateKey)) return
    return yield* new CertificateError({
      message: `The ${names.key} does not belong to the ${names.cert}. Give the key that the certificate was made for.`
    })
  })

/** Reads a certificate and its key from files. */
export const read = (paths: Certificate): Effect.Effect<Certificate, CertificateError> => {
  const names = { cert: `certificate ${paths.cert}`, key: `key ${paths.key}` }
  const text = (of: keyof Certificate) =>
    orFail(
      () => readFileSync(paths[of], "utf8"),
      (cause) => `The ${names[of]} cannot be read (${textOf(cause)}). Give the path of a PEM file.`
    )
  return Effect.tap(
    Effect.all({ cert: text("cert"), key: text("key") }),
    (certificate) => check(certificate, names)
  )
}

/** Returns the certificate of a server on `host`: generates one for `true`, else checks the given one. */
export const resolve = (tls: true | Certificate, host: string): Effect.Effect<Trusted, CertificateError> =>
  tls === true
    ? Effect.gen(function*() {
      // Real time, even under TestClock: clients compare the dates with the time of their machine.
      const now = yield* Effect.withClock(Clock.currentTimeMillis, Clock.make())
      const hosts = new Set(["localhost", "127.0.0.1", "::1", host])
      return yield* Effect.tryPromise({
        try: () => generate([...hosts], now),
        catch: (cause) =>
          new CertificateError({
            message: cause instanceof PackagesMissing
              ? cause.message
              : `No certificate can be generated for ${host}: ${textOf(cause)}`,
            cause
          })
      })
    })
    : Effect.as(
      check(tls, { cert: "certificate in `tls.cert`", key: "key in `tls.key`" }),
      { ...tls, ca: tls.cert }
    )

/**
 * A certificate for a server of this machine, signed by an authority made for it alone.
 *
 * @internal
 */
import type { JsonGeneralName } from "@peculiar/x509"
import { KeyObject } from "node:crypto"
import { isIP } from "node:net"
import { load } from "../OptionalPackages.ts"

/** What a server shows, as PEM text. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** A certificate, and the authority that clients trust to accept it. */
export interface Generated extends Certificate {
  readonly ca: string
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }

const day = 86_400_000

/**
 * Generates a certificate for names and addresses, valid from the day before `now` (milliseconds) for a year. The
 * authority's key is used once and dropped: to trust the authority is to trust this certificate and no other.
 */
export const generate = async (hosts: ReadonlyArray<string>, now: number): Promise<Generated> => {
  const x509 = await load("TLS with a generated certificate", ["@peculiar/x509", "reflect-metadata"], async () => {
    // The library asks for it, and expects it to be loaded before.
    await import("reflect-metadata")
    return import("@peculiar/x509")
  })
  const keyPair = () => crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])
  const [authority, server] = await Promise.all([keyPair(), keyPair()])
  const validity = { notBefore: new Date(now - day), notAfter: new Date(now + 365 * day), signingAlgorithm: algorithm }
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: "CN=effect-glacier emulator authority",
    keys: authority,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authority.publicKey)
    ]
  })
  const cert = await x509.X509CertificateGenerator.create({
    ...validity,
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
      // Python refuses certificates without it.
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey)
    ]
  })
  return {
    ca: ca.toString("pem"),
    cert: cert.toString("pem"),
    key: KeyObject.from(server.privateKey).export({ type: "pkcs8", format: "pem" }).toString()
  }
}

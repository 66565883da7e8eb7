/** Tests of the file with the licences of the packages in the program. */
import { describe, expect, it } from "@effect/vitest"
import type { Metafile } from "esbuild"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative, resolve } from "node:path"
import { bundleProgram, licences } from "../../scripts/bundle-program.ts"

const root = resolve(import.meta.dirname, "../..")

/** The licences of a bundle of packages, each with the content of its licence file, if it has one. */
const licencesOf = (packages: Readonly<Record<string, string | undefined>>): string => {
  const folder = mkdtempSync(join(tmpdir(), "effect-glacier-"))
  const inputs: Metafile["outputs"][string]["inputs"] = {}
  try {
    for (const [name, text] of Object.entries(packages)) {
      const path = join(folder, "node_modules", name)
      mkdirSync(path, { recursive: true })
      writeFileSync(join(path, "package.json"), JSON.stringify({ name, version: "1.2.3", license: "MIT" }))
      if (text !== undefined) writeFileSync(join(path, "LICENSE"), text)
      inputs[relative(root, join(path, "index.js"))] = { bytesInOutput: 1 }
    }
    return licences({ inputs: {}, outputs: { program: { bytes: 1, inputs, imports: [], exports: [] } } })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe("the licences of the program", () => {
  it("have each text once, after the packages that it is for", () => {
    const text = licencesOf({ first: "Terms of two.", second: "Terms of two.", third: "Other terms." })
    expect(text).toContain("first 1.2.3 (MIT)\nsecond 1.2.3 (MIT)\n\nTerms of two.\n")
    expect(text).toContain("third 1.2.3 (MIT)\n\nOther terms.\n")
  })

  it("have the text of another package of the same owner if a package has none", () => {
    expect(licencesOf({ "@owner/with": "Terms.", "@owner/without": undefined }))
      .toContain("@owner/with 1.2.3 (MIT)\n@owner/without 1.2.3 (MIT)\n\nTerms.\n")
  })

  it("are not written if a package has no licence text", () => {
    expect(() => licencesOf({ "@owner/with": "Terms.", without: undefined }))
      .toThrow(/node_modules\/without is in the program but has no licence text$/)
  })

  it("name the packages that the program contains", async () => {
    const folder = mkdtempSync(join(tmpdir(), "effect-glacier-"))
    try {
      const text = licences(await bundleProgram(join(folder, "effect-glacier.mjs")))
      for (const name of ["effect", "@effect/cli", "@noble/hashes", "undici", "@aws-sdk/credential-provider-node"]) {
        expect(text).toMatch(new RegExp(`^${name} \\d`, "m"))
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  }, 60_000)
})

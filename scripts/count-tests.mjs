// Prints "<passed> <failed>" for a report of vitest's JSON reporter: node scripts/count-tests.mjs report.json
import { readFileSync } from "node:fs"

let passed = 0
let failed = 0

for (const file of JSON.parse(readFileSync(process.argv[2], "utf8")).testResults) {
  const count = (status) => file.assertionResults.filter((test) => test.status === status).length
  passed += count("passed")
  // A file that does not load, or whose hooks fail, has no failed test.
  failed += count("failed") || (file.status === "failed" ? 1 : 0)
}

console.log(`${passed} ${failed}`)

/** AWS's own client for JavaScript, as a user of it would use it: the suite of the folder `aws-sdk`. */
import * as Aws from "@aws-sdk/client-glacier"
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { account } from "./aws-sdk/Account.ts"
import { archives } from "./aws-sdk/Archives.ts"
import { errors } from "./aws-sdk/Errors.ts"
import { inventories } from "./aws-sdk/Inventories.ts"
import { jobs } from "./aws-sdk/Jobs.ts"
import { multipart } from "./aws-sdk/Multipart.ts"
import { settings } from "./aws-sdk/Settings.ts"
import * as Support from "./aws-sdk/support.ts"
import { vaults } from "./aws-sdk/Vaults.ts"

layer(Support.layer(), { excludeTestServices: true })("AWS's JavaScript client", (it) => {
  for (const area of [vaults, archives, multipart, jobs, inventories, settings, account, errors]) area(it)

  // The last one: it looks at what all others have seen.
  it.effect("has received a response to each of its commands, and has thrown each of its errors", () =>
    Effect.sync(() => {
      const own = Object.keys(Aws).filter((name) => /^[A-Z]\w+(Command|Exception)$/.test(name))
      expect(own.filter((name) => name.endsWith("Command"))).toHaveLength(33)
      expect(own.filter((name) => !Support.seen.has(name))).toEqual(["GlacierServiceException"])
    }))
})

layer(Support.layer(true), { excludeTestServices: true })("AWS's JavaScript client over TLS", (it) => {
  for (const area of [vaults, archives, multipart, jobs]) area(it)
})

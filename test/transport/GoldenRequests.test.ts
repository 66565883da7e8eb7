/** Compares each operation with the request that botocore sends and signs for it: see scripts/golden-requests.py. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { operations } from "../../src/protocol/Operations.ts"
import golden from "../fixtures/golden-requests.json" with { type: "json" }
import { calls, keys, pairs } from "./goldenCalls.ts"
import { respondWith, responseOf, scripted } from "./support.ts"

describe("golden requests [S1]", () => {
  it("cover every operation, and each has a call [S1]", () => {
    const names = golden.cases.map(({ name }) => name)
    expect(names).toEqual(Object.keys(calls))
    expect(new Set(names.map((name) => name.split(" ")[0])))
      .toEqual(new Set(Object.values(operations).map(({ name }) => name)))
    expect(golden.settings.map(({ at }) => at.slice(11, 19))).toEqual(
      expect.arrayContaining(["00:00:00", "23:59:59"])
    )
    expect(new Set(golden.settings.map(({ token }) => token))).toEqual(new Set([true, false]))
    expect(golden.cases.flatMap(({ authorization }) => authorization)).toHaveLength(43 * 5)
  })

  it.effect.each(golden.cases)("$name has the signature of botocore [S1]", (expected) =>
    Effect.gen(function*() {
      for (const [index, { at, endpoint, region, token, url }] of golden.settings.entries()) {
        yield* TestClock.setTime(Date.parse(at))
        const { glacier, sent } = yield* scripted(respondWith(() => responseOf(500)), {
          keys: token ? { ...keys, sessionToken: Redacted.make(golden.session_token) } : keys,
          endpoint: { region, endpoint }
        })
        yield* Effect.flip(calls[expected.name]!(glacier))
        const { body, headers: { "content-length": _, ...headers }, method, url: sentTo } = sent[0]!
        const { origin, pathname, search } = new URL(sentTo)
        expect({ method, url: origin + pathname, query: pairs(search), headers, body: new TextDecoder().decode(body) })
          .toEqual({
            method: expected.method,
            url: url + expected.path,
            query: pairs(expected.query),
            headers: {
              ...expected.headers,
              "x-amz-date": at.replace(/[-:]|\.\d+/g, ""),
              ...(token ? { "x-amz-security-token": golden.session_token } : {}),
              authorization: expected.authorization[index]
            },
            body: expected.body ?? ""
          })
      }
    }))
})

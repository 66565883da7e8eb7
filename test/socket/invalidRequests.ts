/** Requests that the emulator must reject, and similar ones that it must accept, by what they concern. */
import * as Hostile from "./hostile.ts"
import * as Support from "./support.ts"

const { hashes, mebibyte, treeHash, upload } = Support

const {
  archives,
  authorization,
  badRequest,
  badSignature,
  description,
  invalid,
  jobs,
  missing,
  post,
  serialization,
  temporary,
  unrecognized,
  vault
} = Hostile

type Case = readonly [name: string, request: Support.Request, expected: Hostile.Expected]

/** A request with an invalid target. It is rejected before its signature is verified. */
const target = (text: string): Case => [
  text.length > 40 ? `${text.slice(0, 40)}...` : text,
  { target: text },
  badRequest
]

export const tables: Readonly<Record<string, ReadonlyArray<Case>>> = {
  credentials: [
    ["no authorization", { tamper: { authorization: undefined } }, [400, "MissingAuthenticationTokenException"]],
    ["Basic", authorization("Basic YWxhZGRpbjpvcGVuc2VzYW1l"), badSignature(/Authorization/)],
    ["no fields", authorization("AWS4-HMAC-SHA256"), badSignature(/Authorization/)],
    [
      "an empty scope",
      authorization("AWS4-HMAC-SHA256 Credential=AKIA////, SignedHeaders=host, Signature=0"),
      badSignature(/./)
    ],
    [
      "a scope for others",
      authorization(
        "AWS4-HMAC-SHA256 Credential=AKIA/20120525/us-east-1/glacier/aws5_request, SignedHeaders=host, Signature=0"
      ),
      badSignature(/aws4_request/)
    ],
    ["commas", authorization(",".repeat(5000)), badSignature(/Authorization/)],
    ["an unknown key", { key: { ...Support.defaultKey, accessKeyId: "AKIANOBODY" } }, unrecognized],
    ["a wrong secret", { key: { ...Support.defaultKey, secretAccessKey: "wrong" } }, badSignature(/does not match/)],
    [
      "a header changed later",
      { headers: { "x-amz-meta": "a" }, tamper: { "x-amz-meta": "b" } },
      badSignature(/does not match/)
    ],
    [
      "a clock 6 minutes late",
      { clock: -360_000 },
      badSignature(/^Signature expired: \d{8}T\d{6}Z is now earlier than/)
    ],
    [
      "a clock 6 minutes early",
      { clock: 360_000 },
      badSignature(/^Signature not yet current: \d{8}T\d{6}Z is still later/)
    ],
    ["a clock 4 minutes late", { clock: -240_000 }, [200]],
    ["a clock 4 minutes early", { clock: 240_000 }, [200]],
    ["no date", { tamper: { "x-amz-date": undefined } }, badSignature(/Date/)],
    ["a session token", { key: temporary }, [200]],
    [
      "a session token left out",
      { key: { accessKeyId: temporary.accessKeyId, secretAccessKey: "secret" } },
      unrecognized
    ],
    ["a wrong session token", { key: { ...temporary, sessionToken: "tokem" } }, unrecognized],
    ["a session token for a key without", { key: { ...Support.defaultKey, sessionToken: "token" } }, unrecognized],
    ["no version", { headers: { "x-amz-glacier-version": undefined } }, missing("API version")],
    ["another version", { headers: { "x-amz-glacier-version": "2012-06-02" } }, invalid(/version/)],
    ["another account", { target: "/999999999999/vaults" }, [403, "AccessDeniedException", /999999999999/]]
  ],
  JSON: [
    ["none", { method: "POST", target: jobs, headers: { "content-length": "0" } }, missing("Job Parameters")],
    ["an empty object", post("{}"), missing("Type")],
    ["half of it", post(`{"Type":`), serialization],
    ["an array", post("[]"), serialization],
    ["a text", post(`"Type"`), serialization],
    ["null", post("null"), serialization],
    ["no UTF-8", post(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), serialization],
    ["a number as type", post(`{"Type":5}`), invalid(/Type/)],
    ["an object as type", post(`{"Type":{"Type":"archive-retrieval"}}`), invalid(/Type/)],
    ["an unknown type", post(`{"Type":"select"}`), invalid(/Type/)],
    ["no archive", post(`{"Type":"archive-retrieval"}`), missing("ArchiveId")],
    ["a number as archive", post(`{"Type":"archive-retrieval","ArchiveId":5}`), invalid(/ArchiveId/)],
    ["a path as archive", post(`{"Type":"archive-retrieval","ArchiveId":"../../journal"}`), invalid(/ArchiveId/)],
    [
      "a number as selection",
      post(`{"Type":"inventory-retrieval","InventoryRetrievalParameters":5}`),
      invalid(/Inventory/)
    ],
    [
      "an object as limit",
      post(`{"Type":"inventory-retrieval","InventoryRetrievalParameters":{"Limit":{}}}`),
      invalid(/Limit/)
    ],
    ["a prototype", post(`{"__proto__":{"Type":"inventory-retrieval"}}`), missing("Type")],
    ["100,000 levels", post("[".repeat(100_000) + "]".repeat(100_000)), serialization],
    ["100,000 levels as type", post(`{"Type":${"[".repeat(100_000)}${"]".repeat(100_000)}}`), serialization],
    ["2 MiB", post(`{"Type":"${"x".repeat(2 * mebibyte)}"}`), badRequest]
  ],
  targets: [
    target("/-/vaults/.."),
    target("/-/vaults/../vaults/hostile"),
    target("/-/vaults/hostile/./jobs"),
    target("/-/vaults/%2e%2e"),
    target("/-/vaults/%2E%2E%2Fvaults"),
    target("/-/vaults/hos%2Ftile"),
    target("/-/vaults/hos%5Ctile"),
    target("/-/vaults/hos%00tile"),
    target("//-/vaults"),
    target("/-//vaults"),
    target("/-/vaults/"),
    target("/-/vaults/%zz"),
    target("/-/vaults/%ff"),
    target("/-/vaults?marker=%zz"),
    target("http://127.0.0.1"),
    target("http:///-/vaults"),
    target("ftp://127.0.0.1/-/vaults"),
    target("*"),
    target("/"),
    target("/vaults"),
    target("/-/vaults/hostile/nothing"),
    target(`/-/vaults/${"/a".repeat(4000)}`),
    ["a legal character too many", { target: "/-/vaults/hos%20tile" }, invalid(/vault/i)],
    ["256 characters", { target: `/-/vaults/${"a".repeat(256)}` }, invalid(/vault/i)]
  ],
  numbers: [
    ...["0", "-1048576", "1048576.0", "1e6", "0x100000", "1 048 576", "1048577", "9".repeat(400), "NaN"].map((
      size
    ): Case => [
      `a part size of ${size}`,
      {
        method: "POST",
        target: `${vault}/multipart-uploads`,
        headers: { "x-amz-part-size": size, "content-length": "0" }
      },
      invalid(/^Invalid part size: /)
    ]),
    ...["0", "-1", "1.5", "1e1", "0x1", "%201", "Infinity", "%D9%A3", ""].map((limit): Case => [
      `a limit of ${limit}`,
      { target: `/-/vaults?limit=${limit}` },
      invalid(/limit/)
    ]),
    ["a limit above all", { target: "/-/vaults?limit=1000" }, [200]],
    ["a marker of others", { target: "/-/vaults?marker=..%2F..%2Fetc" }, invalid(/marker/)],
    [
      "a status of others",
      { target: `${jobs}?statuscode=__proto__` },
      invalid(/^The job status code is not valid: __proto__$/)
    ]
  ],
  names: [
    ["__proto__ as a vault", { target: "/-/vaults/__proto__" }, [404, "ResourceNotFoundException"]],
    ["constructor as a job", { target: `${jobs}/constructor` }, [404, "ResourceNotFoundException"]],
    ["toString as an upload", { target: `${vault}/multipart-uploads/toString` }, [404, "ResourceNotFoundException"]],
    ["hasOwnProperty as a vault", {
      method: "PUT",
      target: "/-/vaults/hasOwnProperty",
      headers: { "content-length": "0" }
    }, [201]],
    ["hasOwnProperty again", { target: "/-/vaults/hasOwnProperty" }, [200]]
  ],
  methods: [
    ["PATCH", { method: "PATCH" }, badRequest],
    ["OPTIONS", { method: "OPTIONS" }, badRequest],
    ["TRACE", { method: "TRACE" }, badRequest],
    ["PROPFIND", { method: "PROPFIND" }, badRequest],
    ["HEAD", { method: "HEAD" }, [400]]
  ],
  descriptions: [
    ["1,024 characters", description("x".repeat(1024)), [201]],
    ["1,025 characters", description("x".repeat(1025)), invalid(/description/)],
    ["a tab", description("a\tb"), invalid(/description/)],
    ["Latin-1", description("caf\xe9"), invalid(/description/)],
    // The bytes of UTF-8, read as Latin-1: not the text that was signed.
    ["UTF-8", {
      ...description("caf\xe9"),
      tamper: { "x-amz-archive-description": "caf\xc3\xa9" }
    }, badSignature(/does not match/)]
  ],
  uploads: [
    ["no bytes", { ...upload(archives, Buffer.alloc(0)) }, invalid(/^Invalid Content-Length: 0$/)],
    ["4 GiB + 1, announced", {
      ...upload(archives, Buffer.alloc(0), { "content-length": "4294967297" })
    }, invalid(/^Invalid Content-Length: 4294967297$/)],
    ["no length", {
      method: "POST",
      target: archives,
      headers: { ...hashes(Buffer.from("bytes")), "transfer-encoding": "chunked" }
    }, missing("Content-Length")],
    ["no content hash", { method: "POST", target: archives, body: "bytes" }, missing("x-amz-content-sha256")],
    [
      "no tree hash",
      upload(archives, Buffer.from("bytes"), { "x-amz-sha256-tree-hash": undefined }),
      missing("x-amz-sha256-tree-hash")
    ],
    [
      "half a tree hash",
      upload(archives, Buffer.from("bytes"), { "x-amz-sha256-tree-hash": "ab" }),
      invalid(/tree-hash/)
    ],
    ["another body", {
      ...upload(archives, Buffer.from("bytes"), hashes(Buffer.from("bites")))
    }, badSignature(/x-amz-content-sha256/)],
    [
      "another tree",
      upload(archives, Buffer.from("bytes"), { "x-amz-sha256-tree-hash": treeHash(Buffer.from("bites")) }),
      invalid(/^Checksum mismatch: expected [0-9a-f]{64}, computed [0-9a-f]{64}$/)
    ],
    [
      "an unsigned payload",
      upload(archives, Buffer.from("bytes"), { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" }),
      badSignature(/./)
    ]
  ]
}

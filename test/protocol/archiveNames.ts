/** Descriptions in all formats, with the names that they contain. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as ArchiveName from "../../src/protocol/ArchiveName.ts"

/** The result in short: format, path and date. */
export const read = (description: string): ReadonlyArray<string> =>
  Option.match(ArchiveName.read(description), {
    onNone: () => [],
    onSome: ({ format, modified, path }) => [
      format,
      path,
      Option.match(modified, { onNone: () => "no date", onSome: DateTime.formatIso })
    ]
  })

export const base64url = (text: string): string => Buffer.from(text).toString("base64url")

export const mt2 = (json: string): string => `mt2 ${base64url(json)}`

export const date = "2012-11-05T14:02:58.000Z"

/** As their makers, or others who met them, show them in public. */
export const shown: ReadonlyArray<readonly [description: string, ...expected: ReadonlyArray<string>]> = [
  ["mt2 eyJmaWxlbmFtZSI6ImZpbGUiLCJtdGltZSI6IjIwMTIxMTE0VDIwMTYxOFoifQ", "mt2", "file", "2012-11-14T20:16:18.000Z"],
  [
    "mt2 eyJmaWxlbmFtZSI6ItC00LjRgNC10LrRgtC-0YDQuNGPL9GE0LDQudC7IiwibXRpbWUiOiIyMDEyMTEwNVQxNDAyNThaIn0",
    "mt2",
    "директория/файл",
    date
  ],
  ["mt2 eyJmaWxlbmFtZSI6IsOfIiwibXRpbWUiOiIxOTcwMDEwMVQwMDIwMzRaIn0", "mt2", "ß", "1970-01-01T00:20:34.000Z"],
  [
    "mt2 eyJmaWxlbmFtZSI6InZhci93d3cvbmV0Y3Y0XzExL25jZGVscmVjLmpzIiwibXRpbWUiOiIyMDA4MDgwN1QwNjUwMzFaIn0",
    "mt2",
    "var/www/netcv4_11/ncdelrec.js",
    "2008-08-07T06:50:31.000Z"
  ],
  [
    "mt1 eyJmaWxlbmFtZSI6ImZpbGUvYSIsIm10aW1lIjoiMjAxMjExMDNUMDYyOTM4WiJ9",
    "mt1",
    "file/a",
    "2012-11-03T06:29:38.000Z"
  ],
  [
    "mt1 eyJmaWxlbmFtZSI6IsOQwrTDkMK4w5HCgMOQwrXDkMK6w5HCgsOQwr7DkcKAw5DCuMORwo8vw5HChMOQwrDDkMK5w5DCuyIsIm10aW1lIjoiMjAxMjExMDVUMTQwMjU4WiJ9",
    "mt1",
    "директория/файл",
    date
  ],
  [
    "<m><v>4</v><p>Z2xhY2llci1kZy5wZGY=</p><lm>20120821T170824Z</lm><ce>1:1:4340ebcf79712dc5e3ef7d50bab98ba5:54687</ce></m>",
    "fastglacier",
    "glacier-dg.pdf",
    "2012-08-21T17:08:24.000Z"
  ],
  [
    "<m> <v>3</v> <p>Z2xhY2llci1kZy5wZGY=</p> <lm>20120821T170824Z</lm> <ce>1:1:4340ebcf79712dc5e3ef7d50bab98ba5</ce> </m>",
    "fastglacier",
    "glacier-dg.pdf",
    "2012-08-21T17:08:24.000Z"
  ],
  [
    "<m><v>2</v><p>Z2xhY2llci1kZy5wZGY=</p><lm>20120821T170824Z</lm></m>",
    "fastglacier",
    "glacier-dg.pdf",
    "2012-08-21T17:08:24.000Z"
  ],
  [
    "           <m><v>4</v><p>RlgxNTAvQ0JCX2ZpZ3VyZS90ZXN0X3B5dGjDtm5fZmlsZS5jYmI=</p><lm>20190121T085242Z       </lm>        </m>",
    "fastglacier",
    "FX150/CBB_figure/test_pythön_file.cbb",
    "2019-01-21T08:52:42.000Z"
  ],
  [
    "<m><v>4</v><p>L3NhbXBsZS8xMjM0LnBkZg==</p><lm>20190501T100059Z</lm></m>",
    "fastglacier",
    "/sample/1234.pdf",
    "2019-05-01T10:00:59.000Z"
  ],
  [
    "<ArchiveMetadata>           <Path>       UkVOREVSRkFSTTUvQjovb25lL3R3by90aHJlZS9jaDAxX3NlcTAwNF9zaDAwMTAuMjA0NC5kcHg=   </Path></ArchiveMetadata>",
    "fastglacier1",
    "RENDERFARM5/B:/one/two/three/ch01_seq004_sh0010.2044.dpx",
    "no date"
  ],
  [
    // Text that is not UTF-7, such as +F8-, stays unchanged.
    "{\"Path\":\"CB+F8-M5/B:/c01/q004/s0010/c01+AF8-s00+A8-s0010+F8/h01.1094.dpx\",\"UTCDateModified\":\"20100310T110623Z\"}",
    "cloudberry",
    "CB+F8-M5/B:/c01/q004/s0010/c01+AF8-s00+A8-s0010+F8/h01.1094.dpx",
    "2010-03-10T11:06:23.000Z"
  ],
  [
    "{\"path\":\"CB+F8-M5/h01+AF8-1.dpx\",\"UTCDateModified\":\"20100310T110623Z\"}",
    "json",
    "CB+F8-M5/h01+AF8-1.dpx",
    "2010-03-10T11:06:23.000Z"
  ],
  ["{\"path\": \"/sample/1234.pdf\", \"type\": \"file\"}", "json", "/sample/1234.pdf", "no date"],
  ["example-content", "plain", "example-content", "no date"],
  ["  two words ", "plain", "two words", "no date"]
]

/** Names in UTF-7, of RFC 2152 and others. */
export const utf7: ReadonlyArray<readonly [encoded: string, path: string]> = [
  ["c:+AFw-myfolder+AFw-my+AF8-file.txt", "c:\\myfolder\\my_file.txt"],
  ["A+ImIDkQ.", "A≢Α."],
  ["Hi Mom +Jjo-!", "Hi Mom ☺!"],
  ["+ZeVnLIqe", "日本語"],
  ["1+-1 +2D3eAA-", "1+1 😀"]
]

/** Not quite of a format. */
export const spoilt = [
  "mt2",
  "mt2 ",
  "mt2 zzz",
  "mt2 !!!!",
  "mt2 z+z",
  `${mt2("{\"filename\":\"a\"}")} more`,
  `mt3 ${base64url("{\"filename\":\"a\"}")}`,
  mt2("ff"),
  mt2("[\"a\"]"),
  mt2("null"),
  mt2("{\"mtime\":\"0\"}"),
  mt2("{\"filename\":1}"),
  mt2("{\"filename\":\"  \"}"),
  mt2("{\"filename\":\"a\",\"more\":{}}"),
  mt2("{\"filename\":[\"a\"]}"),
  mt2("{\"__proto__\":{\"filename\":\"a\"}}"),
  mt2("[".repeat(700)),
  `mt1 ${base64url("{\"filename\":\"ж\"}")}`,
  `mt1 ${base64url("{\"filename\":\"\xff\"}")}`,
  "mt2 _____w",
  "<m><v>4</v><p></p><lm>20120821T170824Z</lm></m>",
  "<m><v>4</v><p>YQ=</p></m>",
  "<m><v>4</v><p>YQ==</p><p>Yg==</p></m>",
  "<m><v>5</v><p>YQ==</p></m>",
  "<m><v>4</v><p>&lt;</p></m>",
  "<m><v>4</v><p a=\"b\">YQ==</p></m>",
  "<m><v>4</v><p>YQ==</p></m><m></m>",
  "<!DOCTYPE m [<!ENTITY a \"YQ==\">]><m><v>4</v><p>&a;</p></m>",
  "<?xml version=\"1.0\"?><m><v>4</v><p>YQ==</p></m>",
  "<m><v>4</v><p>_____w==</p></m>",
  "<m><v>4</v><p>/////w==</p></m>",
  "<ArchiveMetadata><Path>YQ==</Path>",
  "<ArchiveMetadata><Name>YQ==</Name></ArchiveMetadata>",
  "{\"Path\":\"   \",\"UTCDateModified\":\"20100310T110623Z\"}",
  "{\"Path\":{\"path\":\"a\"}}",
  "{\"PATH\":\"a\"}",
  "{\"Path\":\"a\"",
  "{".repeat(1_000),
  "[{\"Path\":\"a\"}]"
]

/** Hostile descriptions, whose paths lead out of the directory or to existing files. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"

export const platforms = ["posix", "windows", "portable"] as const

const base64 = (text: string, encoding: "base64" | "base64url" = "base64") => Buffer.from(text).toString(encoding)

/** The formats of paths in descriptions. */
export const formats: ReadonlyArray<(path: string) => string> = [
  (path) => path,
  (path) => `mt2 ${base64(JSON.stringify({ filename: path, mtime: "20121105T140258Z" }), "base64url")}`,
  (path) => {
    const once = Buffer.from(JSON.stringify({ filename: path, mtime: "20121105T140258Z" }))
    return `mt1 ${base64(once.toString("latin1"), "base64url")}`
  },
  (path) => `<m><v>4</v><p>${base64(path)}</p><lm>20150101T000000Z</lm></m>`,
  (path) => `<ArchiveMetadata><Path>${base64(path)}</Path></ArchiveMetadata>`,
  (path) => JSON.stringify({ path, type: "file" }),
  (path) => JSON.stringify({ Path: path.replace(/\+/g, "+-"), UTCDateModified: "20100310T110623Z" })
]

/**
 * Paths that lead out of the directory or to existing files in it, on POSIX or on Windows. `SANDBOX` is the folder above
 * the directory.
 */
const paths = [
  ...["../escaped", "../../escaped", "a/../../escaped", "a/../b", "..", ".", "./a", "a/./b", "a/..", "....//escaped"],
  ...[
    "/escaped",
    "SANDBOX/escaped",
    "SANDBOX/secret",
    "//SANDBOX/escaped",
    "/SANDBOX/restored/../escaped",
    "~/escaped"
  ],
  ...["\u200b../escaped", "..\u200d/escaped", "\ufeff../escaped", "..\u2060/escaped", "%2e%2e/escaped", "..%2fescaped"],
  ...["\uff0e\uff0e/escaped", "..\u2215escaped", "..\uff0fescaped", "\u2025/escaped", "..\0/escaped", "..;/escaped"],
  ...[
    "..\\escaped",
    "a\\..\\..\\escaped",
    "\\escaped",
    "C:\\escaped",
    "C:escaped",
    "c:/escaped",
    "\\\\server\\share\\a"
  ],
  ...["\\\\?\\C:\\escaped", "\\\\.\\pipe\\a", "\\??\\C:\\escaped", "file:///escaped", "..\\/escaped", "/\\escaped"],
  ...[
    "CON",
    "nul",
    "NUL.txt",
    "aux.tar.gz",
    "COM1",
    "lpt9.log",
    "con .txt",
    "folder/PRN",
    "COM\xb9",
    "CONIN$",
    "a/nul/b"
  ],
  ...[
    "kept.",
    "kept ",
    "kept. .",
    "kept::$DATA",
    "kept:stream",
    "KEPT",
    "folder/kept.",
    "folder./kept",
    "a<b>c|d?e*f\""
  ],
  ...["kept", "folder", "folder/kept", "folder/", "folder//kept", "kept/a", "kept/", "", " ", "   /a"],
  ...[
    "above/escaped",
    "above/secret",
    "above/restored/kept",
    "beside/escaped",
    "root/tmp/escaped",
    "to-secret",
    "to-new"
  ],
  ...["to-secret/a", "to-new/a", "inside/kept", "inside/new", "itself/kept", "itself/above/escaped", "loop", "loop/a"],
  ...["a\nb", "a\r\nb", "a\tb", "a\0b", "kept\0", "kept\0.txt", "\x1b]0;a\x07", "a\x7f", "a\x85", "a\u2028b", "\x01"],
  ...["gnp\u202egpj.exe", "\u202dkept", "a\u2066b", "kept\u200f", "ke\u0301pt", "k\u00e9pt", "kept\ufe0f", "ｋｅｐｔ"],
  ...["\ud800", "a\udc00b", "x".repeat(256), "ж".repeat(128), "a/".repeat(100) + "a", "../".repeat(300) + "escaped"],
  ...[
    "-rf",
    "--help",
    "$(id)",
    "`id`",
    "${HOME}",
    "a;b",
    "*",
    "?",
    "__proto__",
    "constructor",
    "toString/a",
    ".git/config"
  ]
]

/** Descriptions that are in no format, or are damaged. */
const damaged = [
  "mt2 Li4vZXNjYXBlZA",
  "mt2 ../escaped",
  "<m><v>4</v><p>../escaped</p></m>",
  "<!DOCTYPE m [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><m><v>4</v><p>&x;</p></m>",
  "{\"Path\":{\"toString\":\"../escaped\"}}",
  "{\"Path\":\"+AC4ALgAv-escaped\"}",
  "{\"Path\":\"+AC4-+AC4-+AC8-escaped\"}",
  "{\"Path\":\"\\u002e\\u002e\\u002fescaped\"}",
  "{\"__proto__\":\"x\",\"path\":\"../escaped\"}"
]

export const hostile = [...paths.flatMap((path) => formats.map((format) => format(path))), ...damaged]

/** The contents of all files below a folder, by their paths. */
export const contents = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  const found = new Map<string, string>()
  const pending = [folder]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const name of yield* fs.readDirectory(next)) {
      const path = `${next}/${name}`
      if (yield* Effect.isSuccess(fs.readLink(path))) found.set(path, `link to ${yield* fs.readLink(path)}`)
      else if ((yield* fs.stat(path)).type === "Directory") pending.push(path)
      else found.set(path, yield* fs.readFileString(path))
    }
  }
  return found
})

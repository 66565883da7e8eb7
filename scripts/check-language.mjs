// Reports worn-out phrases in comments, test names and Markdown, and what to write instead.
//
//     npm run lint:language [-- FILE...]
//
// Code, other strings, quoted text and code spans are not checked, so the wire texts of AWS can stay as they are.
import { readdirSync, readFileSync } from "node:fs"
import { join, relative, resolve } from "node:path"
import ts from "typescript"

const root = resolve(import.meta.dirname, "..")

/** The start of a sentence, a list item or a table cell. */
const start = String.raw`(?<=^\s*|[.!?]["')]?\s+|\n\s*\n\s*|\n\s*(?:[-*]|\d+\.)\s+|\|\s+)`

/** The phrases and their replacements. A space in a phrase also matches a line break. */
const rules = [
  [String.raw`\b(?:go|goes|going|went|gone) on\b`, "resume, continue"],
  [String.raw`\b(?:begin|begins|began|begun|start|starts|started) anew\b`, "start again"],
  [String.raw`\b(?:is|are|was|were|be|been|being) told\b`, "get, receive, or the name of the option"],
  [String.raw`\b(?:tell|tells|telling)\b(?! (?:\S+ ){0,4}apart\b)`, "report, return, contain, show"],
  [String.raw`\b(?:is|are|was|were|be|been|as|if|where) let\b`, "may, is allowed to"],
  [String.raw`\b(?:come|comes|came|coming) to harm\b`, "is damaged, is lost"],
  [String.raw`\b(?:has|have|had|got|gets) (?:its|their|his|the) turn\b`, "is granted, starts"],
  [String.raw`\bwithout a word\b`, "by default, silently"],
  [String.raw`\bin earnest\b`, "in production"],
  [String.raw`\bonly else\b`, "otherwise"],
  [String.raw`\bnobody (?:knows|is told)\b`, "is unknown"],
  [String.raw`\ball (?:that )?there is\b`, "everything"],
  [String.raw`\b(?:is|are|was|were|be) at work\b`, "runs, uses"],
  [String.raw`\b(?:what|that|those|which|who) (?:is|are|was|were) there\b`, "exists, is stored"],
  [
    String.raw`\b(?:asks|costs|draws|finds|gives|holds|knows|makes|needs|says|takes|waits) not\b(?! only)`,
    "does not ..."
  ],
  [String.raw`\bround (?:one|a|the|each|every) call\b`, "around one call"],
  [String.raw`\b(?:answer|answers|answered|answering)\b`, "response, respond"],
  [
    String
      .raw`(?<!connections? (?:is |was |are )?)\b(?:refuse|refuses|refused|refusing|refusal|refusals)\b(?! (?:the |a )?connections?\b)`,
    "reject"
  ],
  [String.raw`\bpatience\b`, "timeout, limit"],
  [String.raw`\bspec section\b`, "the page of AWS's API reference"],
  [String.raw`\b(?:for|of|to|by|from|with|than|as) who\b`, "name the caller, the server, the program"],
  [String.raw`\bwhom\b`, "name the caller, the server, the program"],
  [String.raw`${start}Who(?:ever)?\b(?![^.!]*\?)`, "name the caller, the server, the program"],
  [String.raw`${start}What\b(?! to\b)(?![^.!]*\?)`, "a noun, such as \"The bytes that ...\""],
  [String.raw`${start}Of (?!course\b)`, "subject first: \"The job has several ...\""]
].map(([phrase, instead]) => {
  // Phrases in lower case also match at the start of a sentence.
  const flags = phrase.startsWith(start) ? "g" : "gi"
  return { pattern: new RegExp(phrase.replaceAll(" ", String.raw`\s+`), flags), instead }
})

/** Replaces a match by spaces, so that positions and lines stay as they are. */
const blank = (text) => text.replace(/[^\n]/g, " ")

/** Blanks code spans, quoted text and the addresses of links. */
const prose = (text) =>
  text
    .replace(/`[^`]*`/g, blank)
    .replace(/"[^"\n]{0,200}"/g, blank)
    .replace(/\]\([^)\s]*\)/g, blank)

/** Blanks the marks of comments, and the examples of docstrings. */
const unmarked = (comment) =>
  comment
    .replace(/^[ *]*@example\b[^]*?(?=^[ *]*@|\*\/)/gm, blank)
    .replace(/^\/\*\*?|\*\/$/g, blank)
    .replace(/^[ \t]*(?:\*|\/\/)/gm, blank)
    .replace(/@\w+/g, blank)

/** Finds the comments and the test names of a program. Returns each with its position. */
const textsOfProgram = (path, source) => {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true)
  const comments = new Map()
  const names = []
  const visit = (node) => {
    const ranges = [
      ...ts.getLeadingCommentRanges(source, node.getFullStart()) ?? [],
      ...ts.getTrailingCommentRanges(source, node.getEnd()) ?? []
    ]
    for (const { end, pos } of ranges) comments.set(pos, end)
    if (ts.isCallExpression(node) && /^(?:it|describe|test|layer)\b/.test(node.expression.getText(file))) {
      for (const argument of node.arguments) {
        if (ts.isStringLiteralLike(argument) || ts.isTemplateExpression(argument)) {
          names.push([argument.getStart(file) + 1, argument.getEnd() - 1])
        }
      }
    }
    for (const child of node.getChildren(file)) visit(child)
  }
  visit(file)
  const merged = []
  for (const [pos, end] of [...comments].sort(([a], [b]) => a - b)) {
    const last = merged.at(-1)
    // Consecutive lines of "//" are one comment.
    const isNext = last !== undefined && source.startsWith("//", last[0]) && source.startsWith("//", pos) &&
      /^[ \t]*\n[ \t]*$/.test(source.slice(last[1], pos))
    if (isNext) last[1] = end
    else merged.push([pos, end])
  }
  return [
    ...merged.map(([pos, end]) => ({ pos, text: unmarked(source.slice(pos, end)) })),
    ...names.map(([pos, end]) => ({ pos, text: source.slice(pos, end).replace(/\$\{[^}]*\}/g, blank) }))
  ]
}

/** Blanks headings, HTML comments, generated tables, and code blocks except their comments. */
const textsOfPage = (source) => [{
  pos: 0,
  text: source
    .replace(/^---\n[^]*?\n---\n/, blank)
    .replace(/<script[^]*?<\/script>/g, blank)
    .replace(/<!-- begin:[^]*?<!-- end:/g, blank)
    .replace(/<!--[^]*?-->/g, blank)
    .replace(/^```[^]*?^```/gm, (block) =>
      block.replace(/^.*$/gm, (line) => {
        const at = line.search(/(?:^|\s)\/\/ /)
        return at < 0 ? blank(line) : blank(line.slice(0, at)) + line.slice(at).replace("//", "  ")
      }))
    .replace(/^#+ .*$/gm, blank)
}]

/** Returns the worn-out phrases of a file with their lines. */
const problemsIn = (path, source) =>
  (path.endsWith(".md") ? textsOfPage(source) : textsOfProgram(path, source))
    .flatMap(({ pos, text }) =>
      rules.flatMap(({ instead, pattern }) =>
        Array.from(prose(text).matchAll(pattern), ({ 0: phrase, index }) => ({
          line: source.slice(0, pos + index).split("\n").length,
          phrase: phrase.replace(/\s+/g, " ").trim(),
          instead
        }))
      )
    )
    .sort((a, b) => a.line - b.line)

const filesIn = (folder, ending) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) =>
      ending.test(name) && !/node_modules|\.vitepress\/(?:dist|cache)|^reference\/|^fixtures\//.test(name)
    )
    .map((name) => join(folder, name))

const everything = () => [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...filesIn(".changeset", /\.md$/),
  ...filesIn("docs", /\.(?:md|ts)$/),
  ...["src", "test", "bench", "examples", "scripts"].flatMap((folder) => filesIn(folder, /\.(?:ts|mjs)$/))
]

const named = process.argv.slice(2)
const problems = (named.length > 0 ? named.map((path) => relative(root, resolve(path))) : everything()).flatMap((
  path
) => problemsIn(path, readFileSync(resolve(root, path), "utf8")).map((problem) => ({ path, ...problem })))
for (const { instead, line, path, phrase } of problems) console.log(`${path}:${line}: "${phrase}" -> ${instead}`)
if (problems.length > 0) {
  console.log(`${problems.length} phrases to replace: see "Language" in CONTRIBUTING.md`)
  process.exitCode = 1
}

// Opens every page of docs/.vitepress/dist in Chromium, on a phone and on a desktop. Fails if a page logs an error, requests
// something from another host, has a broken link or anchor, has a number in an address, or is wider than the screen, and if
// a search does not find the page that explains its words.
//
//     npm run docs:build && npm run docs:look [-- FOLDER FOR PICTURES]
//
// Needs Chromium (`apt-get install chromium`). CHROMIUM sets another path to it.
import assert from "node:assert/strict"
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import { extname, join, resolve } from "node:path"
import { chromium } from "playwright-core"

const site = resolve(import.meta.dirname, "../docs/.vitepress/dist")
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium"
const pictures = process.argv[2]
const types = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".woff2": "font/woff2",
  ".svg": "image/svg+xml"
}

const pages = readdirSync(site, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".html") && name !== "404.html"
)
assert.ok(pages.length > 15, "the site is not built: npm run docs:build")
assert.ok(existsSync(executablePath), `no browser at ${executablePath}: apt-get install chromium`)

const server = createServer((request, response) => {
  const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname)
  const file = join(site, path.endsWith("/") ? `${path}index.html` : path)
  if (!file.startsWith(site) || !existsSync(file)) return response.writeHead(404).end()
  response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" }).end(
    readFileSync(file)
  )
})
await new Promise((listening) => server.listen(0, "127.0.0.1", listening))
const base = `http://127.0.0.1:${server.address().port}`

const wrong = []
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] })

/** Opens a page that records its errors. */
const open = async (width, height) => {
  const page = await browser.newPage({ viewport: { width, height }, serviceWorkers: "block" })
  const note = (problem) => wrong.push(`${page.url().replace(base, "")} at ${width} px: ${problem}`)
  page.on("console", (message) => message.type() === "error" && note(message.text()))
  page.on("pageerror", (error) => note(error.message))
  page.on("response", (response) => response.status() >= 400 && note(`${response.status()} for ${response.url()}`))
  page.on(
    "request",
    (request) =>
      request.url().startsWith(base) || /^(data|blob):/.test(request.url()) || note(`requests ${request.url()}`)
  )
  return { page, note }
}

const picture = async (page, name) => {
  if (pictures === undefined) return
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`) })
}

const phone = await open(390, 844)
const anchors = new Map()
const links = new Map()
for (const name of pages) {
  await phone.page.goto(`${base}/${name}`, { waitUntil: "load" })
  const { ids, hrefs, width } = await phone.page.evaluate(() => ({
    ids: Array.from(document.querySelectorAll("[id]"), ({ id }) => id),
    hrefs: Array.from(document.querySelectorAll("a[href]"), ({ href }) => href),
    width: document.documentElement.scrollWidth
  }))
  if (width > 390) phone.note(`is ${width} px wide`)
  if (/-\d+\.html$/.test(name)) phone.note("has a number in its address")
  for (const id of ids) if (/-\d+$/.test(id) && name.startsWith("reference/")) phone.note(`has a number in #${id}`)
  anchors.set(`/${name}`, new Set(ids))
  links.set(`/${name}`, new Set(hrefs))
  if (
    /^(index|getting-started|uploads|migrating-from-boto|operations)\.html$|Vault\.html$|GlacierClient\.html$|design\/index/
      .test(name)
  ) {
    await picture(phone.page, `phone-${name.replace(/\W+/g, "-")}`)
  }
}
let count = 0
for (const [from, hrefs] of links) {
  for (const href of hrefs) {
    const { hash, origin, pathname } = new URL(href)
    if (origin !== base) continue
    count++
    const to = anchors.get(pathname.endsWith("/") ? `${pathname}index.html` : pathname)
    if (to === undefined) wrong.push(`${from}: leads to ${pathname}, which does not exist`)
    else if (hash !== "" && !to.has(decodeURIComponent(hash.slice(1)))) {
      wrong.push(`${from}: leads to ${pathname}${hash}`)
    }
  }
}
console.log(`${pages.length} pages at 390 px, ${count} links`)

// The landing page shows the program of the README.
await phone.page.goto(`${base}/`)
await phone.page.getByText("yield* vault.create").first().waitFor({ timeout: 5_000 })

// The menu on the phone.
await phone.page.goto(`${base}/uploads.html`)
await phone.page.getByRole("button", { name: "Menu" }).click()
await phone.page.locator(".VPSidebar").getByRole("link", { name: "Downloads", exact: true }).click()
await phone.page.waitForURL(`${base}/downloads.html`)
await phone.page.getByRole("heading", { level: 1 }).waitFor()

// The search on the desktop: words that a reader would type, and the page that the first result must lead to.
const desk = await open(1280, 900)
const searches = [
  ["slow line", /^\/uploads/],
  ["OutcomeUnknown", /^\/(?:policies|errors|reference\/effect-glacier\/GlacierError)/],
  ["UploadDescription", /^\/reference\//],
  ["delete vault", /^\/(?:operations|reference\/effect-glacier\/(?:Vault|GlacierClient))/],
  ["resume", /^\/(?:uploads|downloads|jobs)|\/(?:Vault|Upload)\.html$/],
  ["price", /^\/cost/],
  ["proxy", /^\/connections/],
  ["tags", /^\/operations/]
]
await desk.page.goto(`${base}/getting-started.html`)
await picture(desk.page, "desk-getting-started")
for (const [words, expected] of searches) {
  await desk.page.goto(`${base}/getting-started.html`)
  await desk.page.locator("#local-search button").click()
  await desk.page.locator("#localsearch-input").fill(words)
  const first = desk.page.locator("#localsearch-list .result").first()
  await first.waitFor()
  // The list changes while the words are typed.
  await desk.page.waitForTimeout(500)
  await picture(desk.page, `desk-search-${words.replace(/\W+/g, "-")}`)
  await first.click()
  const found = await desk.page.waitForURL((url) => expected.test(url.pathname), { timeout: 5_000 }).then(
    () => true,
    () => false
  )
  const { hash, pathname } = new URL(desk.page.url())
  console.log(`a search for ${words} leads to ${pathname}${hash}`)
  if (!found) wrong.push(`a search for ${words} leads to ${pathname}${hash}, not to ${expected}`)
}
for (
  const name of [
    "index",
    "migrating-from-boto",
    "reference/effect-glacier/Vault",
    "reference/effect-glacier/index",
    "design/index"
  ]
) {
  await desk.page.goto(`${base}/${name}.html`)
  await picture(desk.page, `desk-${name.replace(/\W+/g, "-")}`)
}

await browser.close()
server.close()
if (wrong.length > 0) {
  console.error(`${wrong.length} problems:\n${wrong.slice(0, 60).join("\n")}`)
  process.exitCode = 1
}

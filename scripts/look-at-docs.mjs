// Looks at the site of docs/.vitepress/dist in a browser, on a phone and on a desk: every page is shown, nothing goes wrong
// on the console, all links and their anchors lead somewhere, nothing is wider than the screen, and the search finds.
//
//     npm run docs:build && npm run docs:look [-- FOLDER FOR PICTURES]
//
// Needs Chromium, as `apt-get install chromium` brings it; CHROMIUM names another one.
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

/** A page that notes what goes wrong on it. */
const open = async (width, height) => {
  const page = await browser.newPage({ viewport: { width, height }, serviceWorkers: "block" })
  const note = (what) => wrong.push(`${page.url().replace(base, "")} at ${width} px: ${what}`)
  page.on("console", (message) => message.type() === "error" && note(message.text()))
  page.on("pageerror", (error) => note(error.message))
  page.on("response", (response) => response.status() >= 400 && note(`${response.status()} for ${response.url()}`))
  page.on(
    "request",
    (request) => request.url().startsWith(base) || /^(data|blob):/.test(request.url()) || note(`asks ${request.url()}`)
  )
  return { page, note }
}

const picture = async (page, name) => {
  if (pictures === undefined) return
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`) })
}

// Each page on a phone: the narrowest is the hardest.
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
  anchors.set(`/${name}`, new Set(ids))
  links.set(`/${name}`, new Set(hrefs))
  if (/^(index|getting-started|uploads|migrating-from-boto|operations)\.html$|namespaces\/Vault/.test(name)) {
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
    if (to === undefined) wrong.push(`${from}: leads to ${pathname}, which is not there`)
    else if (hash !== "" && !to.has(decodeURIComponent(hash.slice(1)))) {
      wrong.push(`${from}: leads to ${pathname}${hash}`)
    }
  }
}
console.log(`${pages.length} pages at 390 px, ${count} links`)

// The menu on the phone, and the search on a desk, as a person would use them.
await phone.page.goto(`${base}/uploads.html`)
await phone.page.getByRole("button", { name: "Menu" }).click()
await phone.page.locator(".VPSidebar").getByRole("link", { name: "Downloads", exact: true }).click()
await phone.page.waitForURL(`${base}/downloads.html`)
await phone.page.getByRole("heading", { level: 1, name: "Downloading" }).waitFor()

const desk = await open(1280, 900)
await desk.page.goto(`${base}/getting-started.html`)
await picture(desk.page, "desk-getting-started")
const searches = [["slow line", "/uploads.html"], ["OutcomeUnknown", "/policies.html"], [
  "UploadDescription",
  "/reference/"
]]
for (const [words, expected] of searches) {
  await desk.page.locator("#local-search button").click()
  await desk.page.locator("#localsearch-input").fill(words)
  const first = desk.page.locator("#localsearch-list .result").first()
  await first.waitFor()
  await picture(desk.page, `desk-search-${words.replace(/\W+/g, "-")}`)
  await first.click()
  await desk.page.waitForURL((url) => url.pathname.startsWith(expected), { timeout: 5_000 })
  console.log(`a search for ${words} leads to ${new URL(desk.page.url()).pathname}`)
}
for (const name of ["index", "migrating-from-boto", "reference/effect-glacier/namespaces/TreeHash"]) {
  await desk.page.goto(`${base}/${name}.html`)
  await picture(desk.page, `desk-${name.replace(/\W+/g, "-")}`)
}

await browser.close()
server.close()
if (wrong.length > 0) {
  console.error(`${wrong.length} things are wrong:\n${wrong.slice(0, 60).join("\n")}`)
  process.exitCode = 1
}

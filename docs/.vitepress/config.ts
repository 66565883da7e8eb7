/**
 * The site: the guides of this folder, and the reference that `npm run docs:reference` generates from the docstrings. A
 * broken link fails the build.
 */
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { defineConfig } from "vitepress"

const reference = join(import.meta.dirname, "../reference")

/** The pages of an entry point, one for each module. */
const modules = (entry: string) => {
  const folder = join(reference, entry)
  return existsSync(folder)
    ? readdirSync(folder).filter((file) => /^[A-Z].*\.md$/.test(file)).sort().map((file) => {
      const text = file.replace(/\.md$/, "")
      return { text, link: `/reference/${entry}/${text}` }
    })
    : []
}

export default defineConfig({
  title: "effect-glacier",
  description: "Amazon Glacier for Effect: verified uploads and downloads, jobs and inventories, and an emulator",
  lang: "en",
  // Without an icon, browsers request /favicon.ico.
  head: [["link", { rel: "icon", href: "data:," }]],
  rewrites: { "design/README.md": "design/index.md" },
  themeConfig: {
    search: {
      provider: "local",
      options: {
        miniSearch: {
          options: {
            // Finds `addTagsToVault` by "tags", too.
            processTerm: (term: string) => [
              ...new Set([term, ...term.split(/(?=[A-Z][a-z])/)].map((part) => part.toLowerCase()))
            ]
          },
          searchOptions: {
            // The guides come first, then the reference. Pages that list many names without explaining them come last.
            boostDocument: (id: string) =>
              /migrating|benchmarks|design|commands|inherited-vault/.test(id)
                ? 0.1
                : /\/reference\//.test(id)
                ? 0.2
                : /observability|testing|emulator/.test(id)
                ? 0.4
                : /operations/.test(id)
                ? 1.5
                : 1
          }
        }
      }
    },
    outline: [2, 3],
    nav: [
      { text: "Guide", link: "/getting-started" },
      { text: "Operations", link: "/operations" },
      { text: "Reference", link: "/reference/" }
    ],
    sidebar: {
      "/reference/": [
        { text: "effect-glacier", link: "/reference/effect-glacier/", items: modules("effect-glacier") },
        ...["protocol", "node", "s3", "testing", "emulator"].map((entry) => ({
          text: `effect-glacier/${entry}`,
          link: `/reference/effect-glacier/${entry}/`,
          items: modules(`effect-glacier/${entry}`)
        }))
      ],
      "/": [
        {
          text: "Start",
          items: [
            { text: "Getting started", link: "/getting-started" },
            { text: "An inherited vault", link: "/inherited-vault" },
            { text: "Concepts", link: "/concepts" },
            { text: "On the command line", link: "/command-line" },
            { text: "Commands", link: "/commands" },
            { text: "Migrating from boto", link: "/migrating-from-boto" },
            { text: "Migrating from the AWS SDK", link: "/migrating-from-aws-sdk" }
          ]
        },
        {
          text: "Tasks",
          items: [
            { text: "Uploads", link: "/uploads" },
            { text: "Downloads", link: "/downloads" },
            { text: "Jobs", link: "/jobs" },
            { text: "Inventories", link: "/inventories" },
            { text: "Many archives", link: "/many" },
            { text: "Moving to S3", link: "/moving-to-s3" },
            { text: "Destinations", link: "/destinations" },
            { text: "Names of files", link: "/names" },
            { text: "Backing up a folder", link: "/backup" },
            { text: "Vault Lock", link: "/vault-lock" },
            { text: "Leaving Glacier", link: "/leaving" },
            { text: "Operations", link: "/operations" }
          ]
        },
        {
          text: "Details",
          items: [
            { text: "Errors", link: "/errors" },
            { text: "Policies", link: "/policies" },
            { text: "Connections", link: "/connections" },
            { text: "Cost", link: "/cost" },
            { text: "Observability", link: "/observability" },
            { text: "Testing", link: "/testing" },
            { text: "Emulator", link: "/emulator" },
            { text: "Speed and memory", link: "/benchmarks" },
            { text: "How it is built", link: "/design/" },
            { text: "Guarantees", link: "/design/guarantees" },
            { text: "The HTTP client", link: "/design/http-client" },
            { text: "Identity", link: "/design/identity" },
            { text: "One owner for each file", link: "/design/ownership" }
          ]
        }
      ]
    }
  }
})

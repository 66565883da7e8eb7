// Which room of `src` may import which: the arrows of CONTRIBUTING.md, held by `npm run architecture`.

const inner = ["protocol", "policy", "transport", "client", "transfer", "services"]

/** The inner rooms up to and including the named one: a room sees itself and those before it. */
const upTo = (room) => inner.slice(0, inner.indexOf(room) + 1)

/** Every room with the rooms that it may import. A new room is entered here first. */
const rooms = {
  policy: upTo("policy"),
  transport: upTo("transport"),
  client: upTo("client"),
  transfer: upTo("transfer"),
  services: upTo("services"),
  // Shares only the wire with the client, so that a misreading in the client cannot hide in the emulator.
  emulator: ["emulator", "protocol"],
  s3: ["s3", ...inner],
  testing: ["testing", "emulator", "s3", ...inner],
  node: ["node", "emulator", ...inner],
  cli: ["cli", "node", "emulator", "testing", "s3", ...inner]
}

const anyOf = (names) => `^src/(${names.join("|")})/`

const arrows = Object.entries(rooms).map(([room, allowed]) => ({
  name: room,
  comment: `src/${room} may import ${allowed.filter((name) => name !== room).join(", ")}.`,
  severity: "error",
  from: { path: anyOf([room]) },
  to: { path: "^src/", pathNot: anyOf(allowed) }
}))

export default {
  forbidden: [
    {
      name: "protocol",
      comment: "src/protocol imports nothing of ours, and of others only effect and @noble/hashes.",
      severity: "error",
      from: { path: "^src/protocol/" },
      to: { pathNot: "^src/protocol/|(^|/)node_modules/(effect|@noble/hashes)/" }
    },
    ...arrows,
    {
      name: "index",
      comment: "src/index.ts is the public face of the inner rooms; the outer rooms have their own entry points.",
      severity: "error",
      from: { path: "^src/[^/]+$" },
      to: { path: "^src/", pathNot: anyOf(inner) }
    },
    {
      name: "unknown-room",
      comment: "Enter a new room, and what it may import, in .dependency-cruiser.js and CONTRIBUTING.md.",
      severity: "error",
      from: { path: "^src/", pathNot: `${anyOf(["protocol", ...Object.keys(rooms)])}|^src/index\\.ts$` },
      to: {}
    },
    {
      name: "internal",
      comment: "A room's internal/ folder is imported from within that room only.",
      severity: "error",
      from: { path: "^src/([^/]+)" },
      to: { path: "^src/.*/internal/", pathNot: "^src/$1/" }
    },
    {
      name: "node",
      comment: "Node.js is known to src/node and src/cli only; everything else runs on any platform.",
      severity: "error",
      from: { path: "^src/", pathNot: anyOf(["node", "cli"]) },
      to: { path: "(^|/)node_modules/@effect/platform-node" }
    },
    {
      name: "node-builtin",
      comment: "Node.js is known to src/node and src/cli only; everything else runs on any platform.",
      severity: "error",
      from: { path: "^src/", pathNot: anyOf(["node", "cli"]) },
      to: { dependencyTypes: ["core"] }
    },
    {
      name: "command-line",
      comment: "Command line packages are bundled into the program of src/cli.",
      severity: "error",
      from: { path: "^src/", pathNot: anyOf(["cli"]) },
      to: { path: "(^|/)node_modules/@effect/(cli|printer)" }
    },
    {
      name: "s3-client",
      comment: "The client of S3 is an optional peer of src/s3 only.",
      severity: "error",
      from: { path: "^src/", pathNot: anyOf(["s3"]) },
      to: { path: "(^|/)node_modules/@aws-sdk/client-s3" }
    },
    {
      name: "undeclared",
      comment:
        "src imports only dependencies and peer dependencies: others are absent where the package is installed. " +
        "src/cli may import development dependencies: the program is bundled with them into one file.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/cli/" },
      to: {
        dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown", "unknown"],
        dependencyTypesNot: ["npm", "npm-peer"]
      }
    },
    {
      name: "undeclared-cli",
      comment: "src/cli imports only packages that package.json names.",
      severity: "error",
      from: { path: "^src/cli/" },
      to: {
        dependencyTypes: ["npm-no-pkg", "npm-unknown", "unknown"],
        dependencyTypesNot: ["npm", "npm-peer", "npm-dev"]
      }
    },
    {
      name: "unresolved",
      comment: "An import that leads nowhere would escape the other rules.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true }
    },
    {
      name: "circular",
      comment: "No cycles, not even of types: a module is read with what stands below it.",
      severity: "error",
      from: {},
      to: { circular: true }
    }
  ],
  options: {
    // Type-only imports count as imports.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["types", "import", "default"],
      extensions: [".ts", ".d.ts", ".js", ".json"]
    }
  }
}

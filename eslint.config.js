import * as effect from "@effect/eslint-plugin"
import js from "@eslint/js"
import tseslint from "typescript-eslint"

/** The only places that may know Node.js; the rest of `src` runs on any platform. */
const nodeRooms = ["src/node/**", "src/cli/**"]

const barrels = ["effect", "@effect/platform", "@effect/platform-node", "@effect/cli"]

// ESLint does not merge the options of a rule, so each block below spells out its whole list.
const forbidden = (object, properties, message) => properties.map((property) => ({ object, property, message }))

const ambient = [
  ...forbidden("Date", ["now"], "Time comes from effect/Clock, so that tests run in virtual time."),
  ...forbidden("Math", ["random"], "Chance comes from effect/Random, so that tests repeat."),
  ...forbidden(
    "globalThis",
    ["setTimeout", "setInterval"],
    "Wait with Effect.sleep or a Schedule, so that tests run in virtual time."
  )
]

const runners = forbidden(
  "Effect",
  ["runSync", "runSyncExit", "runPromise", "runPromiseExit", "runFork", "runCallback"],
  "Return the Effect: only the application runs it, with its own runtime."
)

const syntax = [
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0], CallExpression[callee.name='Date']",
    message: "Time comes from effect/Clock or DateTime.now, so that tests run in virtual time."
  },
  {
    selector: "CallExpression[callee.property.name='push'] > SpreadElement.arguments",
    message: "A long spread overflows the stack: push in a loop, or use concat."
  },
  {
    // The cases that @effect/no-import-from-barrel-package lets pass.
    selector: `ImportDeclaration[source.value=/^(${barrels.map((name) => name.replace("/", "\\u002F")).join("|")})$/]` +
      ":matches([importKind='type'], :has(ImportNamespaceSpecifier), :has(ImportSpecifier[importKind='type']))",
    message: "Import the module itself: import * as Effect from \"effect/Effect\"."
  }
]

const assertions = [
  {
    selector: "TSAsExpression:not([typeAnnotation.typeName.name='const']), TSTypeAssertion",
    message: "An assertion hides what the compiler would have found: decode, narrow or use `satisfies`. " +
      "What cannot be typed otherwise lives in the room's internal/ folder, with the reason."
  },
  {
    selector: "TSAnyKeyword",
    message: "`any` switches the compiler off for everybody downstream: use unknown, never or a type parameter. " +
      "What cannot be typed otherwise lives in the room's internal/ folder, with the reason."
  }
]

export default tseslint.config(
  { ignores: [".examples", ".mutants", "**/dist", "**/coverage", "**/*.md", "docs/.vitepress/cache"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  tseslint.configs.recommended,
  effect.configs.dprint,
  {
    rules: {
      // Formats, and sorts the imports too: packages first, then relative paths, each by name.
      "@effect/dprint": [
        "error",
        {
          config: {
            indentWidth: 2,
            lineWidth: 120,
            semiColons: "asi",
            quoteStyle: "alwaysDouble",
            trailingCommas: "never",
            operatorPosition: "maintain",
            "arrowFunction.useParentheses": "force"
          }
        }
      ],
      "no-duplicate-imports": ["error", { allowSeparateTypeImports: true }],
      // An Effect.gen that yields nothing yet is no mistake.
      "require-yield": "off",
      "@typescript-eslint/array-type": ["error", { default: "generic", readonly: "generic" }],
      "@typescript-eslint/ban-ts-comment": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-empty-object-type": ["error", { allowInterfaces: "with-single-extends" }],
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-namespace": ["error", { allowDeclarations: true }],
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrorsIgnorePattern: "^_" }
      ]
    }
  },
  {
    files: ["**/*.{js,mjs,cjs}"],
    languageOptions: { globals: { console: "readonly", process: "readonly", URL: "readonly" } }
  },
  {
    // What it asks a page runs there.
    files: ["scripts/look-at-docs.mjs"],
    languageOptions: { globals: { document: "readonly" } }
  },
  {
    files: ["src/**"],
    rules: {
      "no-console": "error",
      "@typescript-eslint/ban-ts-comment": ["error", { "ts-expect-error": true }],
      "no-restricted-globals": [
        "error",
        ...["setTimeout", "setInterval"].map((name) => ({
          name,
          message: "Wait with Effect.sleep or a Schedule, so that tests run in virtual time."
        }))
      ],
      "no-restricted-properties": ["error", ...ambient, ...runners],
      "no-restricted-syntax": ["error", ...syntax, ...assertions],
      "@effect/no-import-from-barrel-package": ["error", { packageNames: barrels }]
    }
  },
  {
    files: ["src/**"],
    ignores: nodeRooms,
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ group: ["node:*"], message: "Only src/node and src/cli know Node.js." }] }
      ]
    }
  },
  {
    files: ["src/**/internal/**"],
    rules: { "no-restricted-syntax": ["error", ...syntax] }
  },
  {
    files: ["src/cli/main.ts"],
    rules: { "no-restricted-properties": ["error", ...ambient] }
  }
)

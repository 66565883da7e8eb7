// A plugin of TypeDoc that makes the reference readable: pages have the paths of the modules they describe and start with
// the docstring of the module, functions that are properties are shown as methods, and only names are headings.
import {
  Comment,
  Converter,
  DeclarationReflection,
  IntersectionType,
  ParameterReflection,
  QueryType,
  ReferenceType,
  ReflectionFlag,
  ReflectionKind,
  ReflectionType,
  SignatureReflection,
  UnionType
} from "typedoc"
import { MarkdownPageEvent, ModuleRouter } from "typedoc-plugin-markdown"
import ts from "typescript"

/** Sets the docstring at the top of its file as the comment of a module: `export * as Vault` has none of its own. */
const describe = (context, module) => {
  const source = context.getSymbolFromReflection(module)?.declarations?.find(ts.isSourceFile)
  const [range] = source === undefined ? [] : ts.getLeadingCommentRanges(source.text, 0) ?? []
  if (range === undefined || module.comment !== undefined) return
  const text = source.text.slice(range.pos, range.end)
    .replace(/^\/\*\*|\*\/$/g, "")
    .replace(/^ *\* ?/gm, "")
    .replace(/^@[^]*/m, "")
  module.comment = new Comment([{ kind: "text", text: text.trim() }])
}

/** Turns a property or a constant whose type is a function into a method or a function. */
const toMethod = (reflection) => {
  const { type } = reflection
  if (!(type instanceof ReflectionType) || type.declaration.signatures === undefined) return
  if (type.declaration.children !== undefined) return
  reflection.kind = reflection.kind === ReflectionKind.Variable ? ReflectionKind.Function : ReflectionKind.Method
  reflection.signatures = type.declaration.signatures
  for (const signature of reflection.signatures) {
    signature.parent = reflection
    signature.name = reflection.name
    signature.comment ??= reflection.comment
  }
  delete reflection.type
  delete reflection.defaultValue
  for (const flag of [ReflectionFlag.Const, ReflectionFlag.Readonly]) reflection.setFlag(flag, false)
}

/** A type of another package. */
const foreign = (project, name, packageName, ...typeArguments) => {
  const type = ReferenceType.createBrokenReference(name, project, packageName)
  type.typeArguments = typeArguments
  return type
}

/** Sets the types of fields of an operation to the types of their values. */
const toValues = (type, optional) => {
  for (const field of type.declaration.children ?? []) {
    const [value, isOptional] = field.type.typeArguments ?? []
    if (value === undefined) continue
    field.setFlag(ReflectionFlag.Readonly, false)
    field.type = String(isOptional) === "true" ? optional(field, value) : value
  }
  return type
}

/** Turns a property that is a `Method` of an operation into a method with the inputs, the output and the errors of it. */
const toOperation = (project, reflection) => {
  const [operation] = reflection.type?.name === "Method" ? reflection.type.typeArguments ?? [] : []
  if (operation?.name !== "Operation") return
  const [, inputs, headers, body, errors, repeatable] = operation.typeArguments
  const signature = new SignatureReflection(reflection.name, ReflectionKind.CallSignature, reflection)
  const input = new ParameterReflection("input", ReflectionKind.Parameter, signature)
  input.type = toValues(inputs, (field, value) => {
    field.setFlag(ReflectionFlag.Optional, true)
    // Inputs are plain strings and numbers, which are checked.
    return value instanceof IntersectionType ? value.types[0] : value
  })
  for (const field of inputs.declaration.children ?? []) {
    if (field.type instanceof IntersectionType) field.type = field.type.types[0]
  }
  toValues(headers, (_, value) => foreign(project, "Option", "effect", value))
  if (String(body) === "\"bytes\"") {
    const bytes = new DeclarationReflection("body", ReflectionKind.Property, headers.declaration)
    bytes.type = foreign(project, "Body", "effect-glacier")
    headers.declaration.children = [...headers.declaration.children ?? [], bytes]
  }
  const outputs = [
    ...headers.declaration.children === undefined ? [] : [headers],
    ...body.name === "Json" ? body.typeArguments : []
  ]
  const failures = [
    ...(errors.target ?? errors).elements.map((error) => error instanceof QueryType ? error.queryType : error),
    foreign(project, "UnknownServiceError", "effect-glacier"),
    foreign(project, "TransportError", "effect-glacier"),
    ...String(repeatable) === "true" ? [] : [foreign(project, "OutcomeUnknown", "effect-glacier")]
  ]
  signature.parameters = [input]
  signature.type = foreign(
    project,
    "Effect",
    "effect",
    outputs.length === 1
      ? outputs[0]
      : outputs.length === 0
      ? foreign(project, "void", "effect")
      : new IntersectionType(outputs),
    new UnionType(failures)
  )
  signature.comment = reflection.comment
  reflection.kind = ReflectionKind.Method
  reflection.signatures = [signature]
  delete reflection.type
  reflection.setFlag(ReflectionFlag.Readonly, false)
}

/** Removes the constructor of a tag and of a reference: nobody calls it. */
const hideConstructor = (project, reflection) => {
  if (!/^(?:TagClassShape|ReferenceClass)\b/.test(String(reflection.extendedTypes?.[0] ?? ""))) return
  for (const child of [...reflection.children ?? []]) project.removeReflection(child)
  delete reflection.extendedTypes
}

/** Shows a class that extends the result of a call, such as an error, as a class of its own. */
const hideBase = (project, reflection) => {
  if (!(reflection.extendedTypes?.[0] instanceof IntersectionType)) return
  for (const child of [...reflection.children ?? []]) {
    for (const inherited of [child, ...child.signatures ?? []]) delete inherited.inheritedFrom
    // The instances have the same member.
    if (child.name === "_tag" && child.flags.isStatic) project.removeReflection(child)
  }
}

/** Pages at the paths by which modules are imported, and anchors such as `Service-upload` that never get a number. */
class ModulePathRouter extends ModuleRouter {
  getFileName(name) {
    return `${name}${this.extension}`
  }

  getNamespaceDirectory({ parent }) {
    return this.getIdealBaseName(parent).replace(/\/[^/]+$/, "")
  }

  buildPages(project) {
    const pages = super.buildPages(project)
    const used = new Set()
    for (const [target, anchor] of this.anchors) {
      if (anchor === undefined || this.hasOwnDocument(target)) continue
      const names = []
      let page = target
      for (; !this.hasOwnDocument(page); page = page.parent) {
        if (!page.kindOf(ReflectionKind.SomeSignature | ReflectionKind.TypeLiteral)) names.unshift(page.name)
      }
      const name = names.join("-").replace(/[^\w-]/g, "")
      const kind = ReflectionKind.singularString(target.kind).toLowerCase().replaceAll(" ", "-")
      const path = this.getFullUrl(page)
      // A type and a value may have one name, and so may a function and its signatures.
      const unique = [name, `${name}-${kind}`].find((one) => !used.has(`${path}#${one}`)) ??
        `${name}-${kind}-${target.id}`
      used.add(`${path}#${unique}`)
      this.anchors.set(target, unique)
      this.fullUrls.set(target, `${path}#${unique}`)
    }
    return pages
  }
}

/** The headings that TypeDoc puts between names. */
const labels =
  "Accessors|Call Signature|Constructors?|Example|Extends|Get Signature|Indexable|Inherited from|Methods|" +
  "Overrides|Parameters|Properties|Returns|Set Signature|Type Declaration|Type Parameters|Union Members"

/** Makes headings of names and of categories only, so that a page has an outline. */
const tidy = (contents) =>
  contents
    // The name of a brand says more than its type.
    .replace(/\b(?:string|number) & Brand<"(\w+)">/g, "$1")
    .replace(/`(?:string|number)` & `Brand`\\<`"(\w+)"`\\>/g, "`$1`")
    // The base of a class that extends the result of a call has no name.
    .replace(/^#+ Extends\n\n- `object` &.*\n\n/gm, "")
    // The signature shows the same type.
    .replace(/^#+ Returns\n\n(?:.+\n)+?(?=\n|$(?![^]))/gm, (section) => section.split("\n").length > 4 ? "" : section)
    .replace(new RegExp(`^#+ (${labels})$`, "gm"), "**$1**")
    .replace(/^## ([a-z])(.*)$/gm, (_, first, rest) =>
      `## ${first.toUpperCase()}${rest} {#category-${first}${rest.replaceAll(" ", "-")}}`)
    // The fields of an object within a type have no anchor.
    .replace(/^#{4,} ([^{\n]+)$/gm, "**$1**")
    .replace(/^#{5,} /gm, "#### ")
    .replace(/^## Namespaces$/m, "## Modules")
    .replace(/^\| Namespace \|/m, "| Module |")
    .replace(/^(# \w+)$/m, "$1 {#module}")
    .replace(/^\| (.*);$/gm, "  | $1;")
    .replace(/[ \t]+$/gm, "")
    .replace(/\n{3,}/g, "\n\n")

/** Lists the methods of a service in the outline of its page. */
const withOutline = (contents) =>
  contents.includes("### Service {#Service}") ? `---\noutline: [2, 4]\n---\n\n${contents}` : contents

export const load = (app) => {
  app.renderer.defineRouter("module-path", ModulePathRouter)
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    const { project } = context
    for (const module of project.getReflectionsByKind(ReflectionKind.SomeModule)) describe(context, module)
    for (const reflection of project.getReflectionsByKind(ReflectionKind.Property | ReflectionKind.Variable)) {
      // TypeDoc takes the initial value of a schema for that of a property.
      if (reflection.kind === ReflectionKind.Property) delete reflection.defaultValue
      toMethod(reflection)
      toOperation(project, reflection)
    }
    for (const reflection of project.getReflectionsByKind(ReflectionKind.Class)) hideConstructor(project, reflection)
  })
  // TypeDoc adds the bases of classes when it resolves them.
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const reflection of project.getReflectionsByKind(ReflectionKind.Class)) hideBase(project, reflection)
  })
  app.renderer.on(MarkdownPageEvent.END, (page) => {
    page.contents = withOutline(tidy(page.contents))
  })
}

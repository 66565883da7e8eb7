import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"effect-glacier/node","description":"","frontmatter":{},"headers":[],"relativePath":"reference/effect-glacier/node/index.md","filePath":"reference/effect-glacier/node/index.md"}');
const _sfc_main = { name: "reference/effect-glacier/node/index.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="effect-glacier-node" tabindex="-1">effect-glacier/node <a class="header-anchor" href="#effect-glacier-node" aria-label="Permalink to &quot;effect-glacier/node&quot;">​</a></h1><p>Layers for Node.js.</p><h2 id="modules" tabindex="-1">Modules <a class="header-anchor" href="#modules" aria-label="Permalink to &quot;Modules&quot;">​</a></h2><table tabindex="0"><thead><tr><th>Module</th><th>Description</th></tr></thead><tbody><tr><td><a href="./NodeCheckpoint.html">NodeCheckpoint</a></td><td>Checkpoints in files of Node.js.</td></tr><tr><td><a href="./NodeCredentials.html">NodeCredentials</a></td><td>Credentials as AWS&#39;s own tools find them.</td></tr><tr><td><a href="./NodeEmulator.html">NodeEmulator</a></td><td>The emulator behind a socket of Node.js.</td></tr><tr><td><a href="./NodeFileLock.html">NodeFileLock</a></td><td>Locks of files that all processes see.</td></tr><tr><td><a href="./NodeGlacier.html">NodeGlacier</a></td><td>All that a program on Node.js needs of Glacier, wired.</td></tr><tr><td><a href="./NodeHashing.html">NodeHashing</a></td><td>SHA-256 and tree hashes by Node.js itself, in threads of their own where that is quicker.</td></tr><tr><td><a href="./NodeHttp.html">NodeHttp</a></td><td>An HTTP client for Node.js over undici, for many small and for large bodies: a thin adapter over undici&#39;s dispatcher that receives a body into given memory (see <code>ResponseBody</code>) and keeps the time limits of an attempt (see <code>HttpHooks</code>).</td></tr><tr><td><a href="./NodeJobQueue.html">NodeJobQueue</a></td><td>Jobs that have ended, as a queue of SQS tells of them: Glacier publishes to a topic of SNS, and the queue subscribes to that (spec sections 12.5 and 13.4). Needs the package <code>@aws-sdk/client-sqs</code>.</td></tr><tr><td><a href="./NodeRetrievalBudget.html">NodeRetrievalBudget</a></td><td>Retrieval budgets in files of Node.js.</td></tr><tr><td><a href="./NodeTreeHash.html">NodeTreeHash</a></td><td>Tree hashes of files.</td></tr></tbody></table></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("reference/effect-glacier/node/index.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const index = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  index as default
};

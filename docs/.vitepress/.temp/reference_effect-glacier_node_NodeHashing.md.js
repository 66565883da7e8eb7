import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"NodeHashing","description":"","frontmatter":{},"headers":[],"relativePath":"reference/effect-glacier/node/NodeHashing.md","filePath":"reference/effect-glacier/node/NodeHashing.md"}');
const _sfc_main = { name: "reference/effect-glacier/node/NodeHashing.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="module" tabindex="-1">NodeHashing <a class="header-anchor" href="#module" aria-label="Permalink to &quot;NodeHashing {#module}&quot;">​</a></h1><p>SHA-256 and tree hashes by Node.js itself, in threads of their own where that is quicker.</p><h2 id="category-layers" tabindex="-1">Layers <a class="header-anchor" href="#category-layers" aria-label="Permalink to &quot;Layers {#category-layers}&quot;">​</a></h2><h3 id="layer" tabindex="-1">layer <a class="header-anchor" href="#layer" aria-label="Permalink to &quot;layer {#layer}&quot;">​</a></h3><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light github-dark vp-code" tabindex="0"><code><span class="line"><span style="--shiki-light:#D73A49;--shiki-dark:#F97583;">const</span><span style="--shiki-light:#005CC5;--shiki-dark:#79B8FF;"> layer</span><span style="--shiki-light:#D73A49;--shiki-dark:#F97583;">:</span><span style="--shiki-light:#6F42C1;--shiki-dark:#B392F0;"> Layer</span><span style="--shiki-light:#24292E;--shiki-dark:#E1E4E8;">.</span><span style="--shiki-light:#6F42C1;--shiki-dark:#B392F0;">Layer</span><span style="--shiki-light:#24292E;--shiki-dark:#E1E4E8;">&lt;</span><span style="--shiki-light:#005CC5;--shiki-dark:#79B8FF;">never</span><span style="--shiki-light:#24292E;--shiki-dark:#E1E4E8;">&gt;;</span></span></code></pre></div><p>Node&#39;s SHA-256 for tree hashes, signatures and parts. What is larger than 1 MiB is hashed in threads of their own, one for each core at most; they are started when there is such work, and ended with the layer&#39;s Scope. Where there can be no threads, and after that Scope, it is hashed on the event loop, 1 MiB at a time.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("reference/effect-glacier/node/NodeHashing.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const NodeHashing = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  NodeHashing as default
};

import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"NodeFileLock","description":"","frontmatter":{},"headers":[],"relativePath":"reference/effect-glacier/node/NodeFileLock.md","filePath":"reference/effect-glacier/node/NodeFileLock.md"}');
const _sfc_main = { name: "reference/effect-glacier/node/NodeFileLock.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="module" tabindex="-1">NodeFileLock <a class="header-anchor" href="#module" aria-label="Permalink to &quot;NodeFileLock {#module}&quot;">​</a></h1><p>Locks of files that all processes see.</p><h2 id="category-layers" tabindex="-1">Layers <a class="header-anchor" href="#category-layers" aria-label="Permalink to &quot;Layers {#category-layers}&quot;">​</a></h2><h3 id="layer" tabindex="-1">layer <a class="header-anchor" href="#layer" aria-label="Permalink to &quot;layer {#layer}&quot;">​</a></h3><div class="language-ts vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">ts</span><pre class="shiki shiki-themes github-light github-dark vp-code" tabindex="0"><code><span class="line"><span style="--shiki-light:#D73A49;--shiki-dark:#F97583;">const</span><span style="--shiki-light:#005CC5;--shiki-dark:#79B8FF;"> layer</span><span style="--shiki-light:#D73A49;--shiki-dark:#F97583;">:</span><span style="--shiki-light:#6F42C1;--shiki-dark:#B392F0;"> Layer</span><span style="--shiki-light:#24292E;--shiki-dark:#E1E4E8;">.</span><span style="--shiki-light:#6F42C1;--shiki-dark:#B392F0;">Layer</span><span style="--shiki-light:#24292E;--shiki-dark:#E1E4E8;">&lt;</span><span style="--shiki-light:#005CC5;--shiki-dark:#79B8FF;">never</span><span style="--shiki-light:#24292E;--shiki-dark:#E1E4E8;">&gt;;</span></span></code></pre></div><p>A lock for each file that is in use, a folder beside it, which is removed at the end. A second owner is refused with <code>FileInUse</code>, in this process or another, by whatever path it reaches the file.</p><p>The lock of a process that died is taken over, even if another process has its number by now. A lock of another host or container that shares the folder is never taken over, because nobody can see from here whether its owner lives: the error names the owner and what to remove.</p><p><code>NodeGlacier</code>, <code>NodeEmulator</code> and <code>NodeCheckpoint</code> provide it.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("reference/effect-glacier/node/NodeFileLock.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const NodeFileLock = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  NodeFileLock as default
};

import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"effect-glacier/emulator","description":"","frontmatter":{},"headers":[],"relativePath":"reference/effect-glacier/emulator/index.md","filePath":"reference/effect-glacier/emulator/index.md"}');
const _sfc_main = { name: "reference/effect-glacier/emulator/index.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="effect-glacier-emulator" tabindex="-1">effect-glacier/emulator <a class="header-anchor" href="#effect-glacier-emulator" aria-label="Permalink to &quot;effect-glacier/emulator&quot;">​</a></h1><p>A Glacier to test against.</p><h2 id="modules" tabindex="-1">Modules <a class="header-anchor" href="#modules" aria-label="Permalink to &quot;Modules&quot;">​</a></h2><table tabindex="0"><thead><tr><th>Module</th><th>Description</th></tr></thead><tbody><tr><td><a href="./Emulator.html">Emulator</a></td><td>A Glacier of one&#39;s own, in memory or on disk, in this process or behind a socket. It checks signatures, hashes and ranges as the service does, and takes its time: jobs and inventories follow the <code>Clock</code>, so that a test can let a day pass at once.</td></tr><tr><td><a href="./Inside.html">Inside</a></td><td>What is in its vaults.</td></tr><tr><td><a href="./Topics.html">Topics</a></td><td>Where its notifications go.</td></tr></tbody></table></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("reference/effect-glacier/emulator/index.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const index = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  index as default
};

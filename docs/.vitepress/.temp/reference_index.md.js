import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Reference","description":"","frontmatter":{},"headers":[],"relativePath":"reference/index.md","filePath":"reference/index.md"}');
const _sfc_main = { name: "reference/index.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="module" tabindex="-1">Reference <a class="header-anchor" href="#module" aria-label="Permalink to &quot;Reference {#module}&quot;">​</a></h1><h2 id="modules" tabindex="-1">Modules <a class="header-anchor" href="#modules" aria-label="Permalink to &quot;Modules&quot;">​</a></h2><table tabindex="0"><thead><tr><th>Module</th><th>Description</th></tr></thead><tbody><tr><td><a href="./effect-glacier/">effect-glacier</a></td><td>Amazon Glacier for Effect. Start with <code>Vault</code> and <code>Job</code>; <code>GlacierClient</code> has the bare operations.</td></tr><tr><td><a href="./effect-glacier/emulator/">effect-glacier/emulator</a></td><td>A Glacier to test against.</td></tr><tr><td><a href="./effect-glacier/node/">effect-glacier/node</a></td><td>Layers for Node.js.</td></tr><tr><td><a href="./effect-glacier/protocol/">effect-glacier/protocol</a></td><td>The wire protocol of Amazon Glacier (REST API 2012-06-01): each operation as data, with its input, its output and its errors, and the rules for their values. The client and the emulator are both built on these modules.</td></tr><tr><td><a href="./effect-glacier/testing/">effect-glacier/testing</a></td><td>For the tests of programs that use Glacier.</td></tr></tbody></table></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("reference/index.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const index = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  index as default
};

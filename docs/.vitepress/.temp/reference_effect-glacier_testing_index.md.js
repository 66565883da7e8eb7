import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"effect-glacier/testing","description":"","frontmatter":{},"headers":[],"relativePath":"reference/effect-glacier/testing/index.md","filePath":"reference/effect-glacier/testing/index.md"}');
const _sfc_main = { name: "reference/effect-glacier/testing/index.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="effect-glacier-testing" tabindex="-1">effect-glacier/testing <a class="header-anchor" href="#effect-glacier-testing" aria-label="Permalink to &quot;effect-glacier/testing&quot;">​</a></h1><p>For the tests of programs that use Glacier.</p><h2 id="modules" tabindex="-1">Modules <a class="header-anchor" href="#modules" aria-label="Permalink to &quot;Modules&quot;">​</a></h2><table tabindex="0"><thead><tr><th>Module</th><th>Description</th></tr></thead><tbody><tr><td><a href="./Arbitraries.html">Arbitraries</a></td><td>Values for property tests, as arbitraries of FastCheck. Of the schemas of the package these need nothing from here: <code>Arbitrary.make(Names.VaultName)</code> makes names of vaults, and the same goes for every other schema, those of errors too.</td></tr><tr><td><a href="./Conformance.html">Conformance</a></td><td>What a Glacier does, as a client sees it: the suite that the emulator of this package is held to, over every HTTP client. It is a list of cases, each an Effect, for any test runner and any Glacier that a <code>GlacierClient</code> reaches.</td></tr><tr><td><a href="./Faults.html">Faults</a></td><td>All that can go wrong between a program, Glacier and the disk, on purpose: at random by a seed, or as a script says. It stands between the client and the emulator (<code>layerHttpClient</code>) and before the file system (<code>layerFileSystem</code>), and counts what it did. Time is that of the <code>Clock</code>.</td></tr><tr><td><a href="./ScriptedHttp.html">ScriptedHttp</a></td><td>An <code>HttpClient</code> that goes by a script, for tests of what is on the wire: which requests must come, in which order, and what comes back. A request that is not the next one of the script is a defect that says how it differs.</td></tr><tr><td><a href="./TestGlacier.html">TestGlacier</a></td><td>Glacier for tests: the emulator in this process and a client that talks to it without a socket. Time is that of the <code>Clock</code>, so that under <code>TestClock</code> a retrieval of hours takes milliseconds. And what a test does besides: it lets time pass until a job is complete, has an inventory taken and looks into a vault.</td></tr></tbody></table></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("reference/effect-glacier/testing/index.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const index = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  index as default
};

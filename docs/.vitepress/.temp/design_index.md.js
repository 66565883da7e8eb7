import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"How it is built","description":"","frontmatter":{},"headers":[],"relativePath":"design/index.md","filePath":"design/README.md"}');
const _sfc_main = { name: "design/index.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="how-it-is-built" tabindex="-1">How it is built <a class="header-anchor" href="#how-it-is-built" aria-label="Permalink to &quot;How it is built&quot;">​</a></h1><p>This page shows how the code is divided, follows an upload and an error through it, and lists the decisions behind it. Reading it takes ten minutes. File names are relative to <code>src/</code>.</p><h2 id="the-rooms" tabindex="-1">The rooms <a class="header-anchor" href="#the-rooms" aria-label="Permalink to &quot;The rooms&quot;">​</a></h2><p>Each room is a folder of <code>src/</code>. Imports point downwards only: a room imports the rooms above it in this table, and a check enforces it.</p><table tabindex="0"><thead><tr><th>room</th><th>contents</th><th>imports</th></tr></thead><tbody><tr><td><code>protocol/</code></td><td>The wire protocol: names and limits, schemas, errors, operations as data, tree hashes, ranges, regions. Pure, no I/O.</td><td>no other room</td></tr><tr><td><code>policy/</code></td><td>Pacing: <code>RetryPolicy</code>, <code>RetryQuota</code>, <code>RatePolicy</code>, <code>Bandwidth</code>, <code>RetrievalBudget</code>, <code>Timeouts</code>.</td><td>protocol</td></tr><tr><td><code>transport/</code></td><td>One request, from descriptor to decoded response: credentials, endpoint, signer, hasher. The only room that knows HTTP.</td><td>policy and above</td></tr><tr><td><code>client/</code></td><td><code>GlacierClient</code>, one Effect for each operation; <code>Pages</code>, its lists as Streams.</td><td>transport and above</td></tr><tr><td><code>transfer/</code></td><td>Bytes: sources, plans, uploads, downloads, checkpoints, progress.</td><td>client and above</td></tr><tr><td><code>services/</code></td><td><code>Vault</code>, <code>Job</code> and plans over many archives: what an application uses.</td><td>transfer and above</td></tr><tr><td><code>emulator/</code></td><td>The service itself. It shares only <code>protocol/</code> with the client.</td><td>protocol</td></tr><tr><td><code>testing/</code>, <code>node/</code>, <code>cli/</code></td><td>Layers for tests, for Node.js, and the program.</td><td>all of the above</td></tr></tbody></table><h2 id="the-path-of-an-upload" tabindex="-1">The path of an upload <a class="header-anchor" href="#the-path-of-an-upload" aria-label="Permalink to &quot;The path of an upload&quot;">​</a></h2><p><code>vault.upload(Source.file(&quot;photos.tar&quot;))</code> sends the bytes of one part along this path. The text after each file says what it does with them.</p><div class="language-text vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">text</span><pre class="shiki shiki-themes github-light github-dark vp-code" tabindex="0"><code><span class="line"><span>photos.tar</span></span>
<span class="line"><span>  v</span></span>
<span class="line"><span>transfer/Source.ts</span></span>
<span class="line"><span>  |  reads the range of a part into memory</span></span>
<span class="line"><span>  v</span></span>
<span class="line"><span>transfer/Upload.ts</span></span>
<span class="line"><span>  |  plans the parts (UploadPlan.ts) and</span></span>
<span class="line"><span>  |  processes several at once</span></span>
<span class="line"><span>  v</span></span>
<span class="line"><span>transfer/internal/multipart.ts</span></span>
<span class="line"><span>  |  hashes the part: tree hash, SHA-256</span></span>
<span class="line"><span>  |  (transport/Hasher.ts; on Node.js</span></span>
<span class="line"><span>  |  node/NodeHashing.ts, in threads)</span></span>
<span class="line"><span>  v</span></span>
<span class="line"><span>client/GlacierClient.ts</span></span>
<span class="line"><span>  |  uploadMultipartPart</span></span>
<span class="line"><span>  v</span></span>
<span class="line"><span>protocol/Operation.ts</span></span>
<span class="line"><span>  |  encodes path, headers and body</span></span>
<span class="line"><span>  v</span></span>
<span class="line"><span>transport/Transport.ts</span></span>
<span class="line"><span>  |  waits for the rate limit, signs</span></span>
<span class="line"><span>  |  (Signer.ts), limits the bandwidth</span></span>
<span class="line"><span>  |  (internal/pacing.ts)</span></span>
<span class="line"><span>  v</span></span>
<span class="line"><span>node/NodeHttp.ts</span></span>
<span class="line"><span>  |  writes the body to a connection of</span></span>
<span class="line"><span>  |  undici, with time limits</span></span>
<span class="line"><span>  v</span></span>
<span class="line"><span>Glacier</span></span>
<span class="line"><span>     verifies both hashes, responds with</span></span>
<span class="line"><span>     the tree hash of the part</span></span></code></pre></div><p>On the way back <code>transport/internal/echoes.ts</code> compares the tree hash in the response with the one that was sent. When all parts are stored, <code>multipart.ts</code> combines their tree hashes and completes the upload with the result. If anything fails before, it aborts the upload or keeps it, as <code>onFailure</code> says.</p><p>A Stream of unknown length takes the same path, except that <code>Upload.ts</code> first collects its pieces into parts.</p><h2 id="the-path-of-an-error" tabindex="-1">The path of an error <a class="header-anchor" href="#the-path-of-an-error" aria-label="Permalink to &quot;The path of an error&quot;">​</a></h2><p>Glacier throttles with the status 400 and the code <code>ThrottlingException</code>. Such a response takes this path back:</p><div class="language-text vp-adaptive-theme"><button title="Copy Code" class="copy"></button><span class="lang">text</span><pre class="shiki shiki-themes github-light github-dark vp-code" tabindex="0"><code><span class="line"><span>Glacier</span></span>
<span class="line"><span>  |  400 ThrottlingException</span></span>
<span class="line"><span>  v</span></span>
<span class="line"><span>transport/internal/response.ts</span></span>
<span class="line"><span>  |  reads the code from the body, removes</span></span>
<span class="line"><span>  |  secrets that the body quotes</span></span>
<span class="line"><span>  v</span></span>
<span class="line"><span>protocol/ServiceError.ts</span></span>
<span class="line"><span>  |  makes the tagged error Throttling</span></span>
<span class="line"><span>  |  with retry = &quot;throttle&quot;</span></span>
<span class="line"><span>  v</span></span>
<span class="line"><span>transport/Transport.ts</span></span>
<span class="line"><span>  |  counts the attempt (Metrics.ts)</span></span>
<span class="line"><span>  v</span></span>
<span class="line"><span>policy/RatePolicy.ts</span></span>
<span class="line"><span>  |  slows down, if the rate is adaptive</span></span>
<span class="line"><span>  v</span></span>
<span class="line"><span>transport/internal/retrying.ts</span></span>
<span class="line"><span>  |  asks the policy (RetryPolicy.ts), then</span></span>
<span class="line"><span>  |  the quota (RetryQuota.ts)</span></span>
<span class="line"><span>  |</span></span>
<span class="line"><span>  +-&gt; another attempt: waits for the rate</span></span>
<span class="line"><span>  |   limit and is signed again</span></span>
<span class="line"><span>  |</span></span>
<span class="line"><span>  |  or, if no attempt is left:</span></span>
<span class="line"><span>  v</span></span>
<span class="line"><span>client/GlacierClient.ts</span></span>
<span class="line"><span>  |  fails with Throttling</span></span>
<span class="line"><span>  v</span></span>
<span class="line"><span>transfer/internal/multipart.ts</span></span>
<span class="line"><span>  |  aborts or keeps the upload</span></span>
<span class="line"><span>  v</span></span>
<span class="line"><span>your program</span></span>
<span class="line"><span>     Effect.catchTag(&quot;Throttling&quot;, ...)</span></span></code></pre></div><p>Other errors leave the path earlier:</p><ul><li>Invalid input never reaches the transport: <code>protocol/Operation.ts</code> fails with <code>InvalidInput</code> while it encodes the request.</li><li>A lost connection becomes <code>ConnectionError</code> in <code>transport/internal/connectionError.ts</code>. The error knows whether any byte was sent.</li><li>If the call must not be repeated and its response is lost, <code>retrying.ts</code> asks <code>client/internal/lost.ts</code> whether the call had an effect, or fails with <code>OutcomeUnknown</code>.</li></ul><h2 id="decisions" tabindex="-1">Decisions <a class="header-anchor" href="#decisions" aria-label="Permalink to &quot;Decisions&quot;">​</a></h2><p><strong>An operation is data</strong> (<code>protocol/Operation.ts</code>, <code>protocol/Operations.ts</code>). A descriptor has the method, the path, the place of each input, the schema of the response and the possible errors. The client encodes requests and decodes responses with it, and the emulator does the reverse. No other file contains a URL, a header name or a JSON field. The type of each client method follows from its descriptor.</p><p><strong>Errors are split by cause</strong> (<code>protocol/ServiceError.ts</code>, <code>protocol/GlacierError.ts</code>). Some codes of the service have several causes, which only the message tells apart. Each cause has its own class. A message that this version does not know keeps the class of the code, so a new text is never a defect.</p><p><strong>Retries use decoded errors</strong> (<code>transport/internal/retrying.ts</code>, <code>policy/RetryPolicy.ts</code>), because the status of a throttle is 400. Every attempt is signed again. The transport retries errors that occur before the body of the response. A download retries a window whose body was damaged.</p><p><strong>The tree hash works like a binary counter</strong> (<code>protocol/TreeHash.ts</code>). A builder keeps one running digest for the current MiB, and one finished digest for each set bit of the number of finished MiBs. Parts and ranges are nodes of the same tree, so their hashes combine without their bytes.</p><p><strong>There are two hashers</strong> (<code>protocol/Sha256.ts</code>, <code>transport/Hasher.ts</code>). <code>Sha256</code> is a synchronous function, incremental and keyed, for tree hashes and signatures. <code>Hasher</code> hashes whole parts and may use other threads. Both have portable defaults, which <code>node/NodeHashing.ts</code> replaces by native ones.</p><p><strong>A download fetches windows</strong> (<code>protocol/ByteRange.ts</code>, <code>transfer/Download.ts</code>). The service sends a tree hash only for ranges that one node of the tree covers, so a download requests exactly such ranges. A window is a power of two of MiBs and starts at a multiple of its size. All windows but the last have the same size, and their hashes combine to the root.</p><p><strong>A checkpoint is a log</strong> (<code>transfer/Checkpoint.ts</code>, <code>transfer/internal/uploadLog.ts</code>). A long task appends an entry for each step that is done, and an entry before each request that must not be sent twice. The store knows nothing about the task. Each entry has a checksum over itself and the entries before it, so the entries before any damage are a state that the task was in. Whatever the service knows is asked of the service; the log saves only reading and hashing.</p><p><strong>HTTP is left to undici</strong> (<code>node/NodeHttp.ts</code>). undici parses responses, pools connections and uses proxies. <code>NodeHttp</code> is a thin adapter: it reads a body into the memory where a window is hashed, enforces the time limits of an attempt, and knows whether any byte of a request was sent. <a href="./http-client.html">The HTTP client</a> compares the alternatives. Any other <code>HttpClient</code> works, too.</p><p><strong>Nothing is adopted because it looks right</strong> (<code>transfer/internal/uploadLog.ts</code>, <code>services/internal/joinable.ts</code>, <code>client/internal/lost.ts</code>). An upload or a job with the same description may belong to another program. <a href="./identity.html">Whose is it?</a> lists each place where the package looks for something. Values that a response repeats are compared with the request in <code>transport/internal/echoes.ts</code>.</p><p><strong>The emulator stores events</strong> (<code>emulator/internal/State.ts</code>, <code>emulator/internal/Journal.ts</code>). Every change is an event. It is applied to the state in one synchronous step, written to the journal before the response is sent, and replayed at the start. Changes that come with time (finished jobs, new inventories, expired uploads) are computed from the clock when a request arrives. There are no timers.</p><p><strong>A budget counts too much rather than too little</strong> (<code>policy/RetrievalBudget.ts</code>, <code>policy/internal/ledger.ts</code>). A retrieval is entered in the ledger before its job is started. It counts from the end of the call, because the job may have started then, and after a crash from the next start. The ledger has two pages that are written in turn, so it survives the death of the process without atomic writes or fsync.</p><p><strong>A file has one owner</strong> (<code>transfer/FileLock.ts</code>, <code>node/internal/lock.ts</code>). The target of a download, a checkpoint, a ledger and the folder of the emulator each belong to one process at a time. A crash frees them: see <a href="./ownership.html">ownership</a>.</p><h2 id="further-reading" tabindex="-1">Further reading <a class="header-anchor" href="#further-reading" aria-label="Permalink to &quot;Further reading&quot;">​</a></h2><ul><li><a href="./guarantees.html">Guarantees</a>: what the tests show, with figures</li><li><a href="./http-client.html">The HTTP client</a>: why <code>NodeHttp</code> exists</li><li><a href="./identity.html">Whose is it?</a>: everything that is looked up, and what else could match</li><li><a href="./ownership.html">One owner for each file</a>: locks</li></ul></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("design/README.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const README = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  README as default
};

// Start Python beside the page, run the chapter's cells, and move its panels.
// Messages in: {notebook, count} once, then {panel, settings} to move a panel, or {panel} for what
// stands one tap away in it. Messages out: {loaded, total}, {phase}, {state} (a panel's state as
// JSON), {live}, {panel, later}, {failed} and {panel, error}.
//
// The files come compressed, since plain servers do not compress, and are decompressed here. Their
// names hold a hash of their content, so that a copy which the browser has is always right.
const ASSETS = {}; // written by assets.py: name → {file, bytes, type}

const total = Object.values(ASSETS).reduce((sum, asset) => sum + asset.bytes, 0);
let loaded = 0;
const say = (message) => self.postMessage(message);
// The page ends this worker when it hears of a failure: nothing goes on after it.
const fail = (why) => { say({ failed: why }); return new Promise(() => {}); };
const lastLine = (error) => String(error.message ?? error).trim().split("\n").pop();

// What the server answers; a failure where it has nothing, or where there is no network.
async function ask(address, options) {
  const name = String(address).split("/").pop();
  const answer = await fetch(address, options).catch(() => fail(`The network broke off at ${name}.`));
  return answer.ok ? answer : fail(`The server has no ${name} (${answer.status}).`);
}

// A response with a file's content, decompressed as it comes in.
async function open(name) {
  const { file, type } = ASSETS[name];
  const answer = await ask(new URL(file, self.location), { cache: "force-cache" });
  const counted = new TransformStream({
    transform(part, out) {
      loaded += part.length;
      say({ loaded, total });
      out.enqueue(part);
    },
  });
  const reader = answer.body.pipeThrough(counted).pipeThrough(new DecompressionStream("gzip")).getReader();
  const whole = new ReadableStream({
    async pull(stream) {
      const { done, value } = await reader.read().catch(() => fail(`${file} did not arrive whole.`));
      if (done) stream.close();
      else stream.enqueue(value);
    },
  });
  return new Response(whole, { headers: { "Content-Type": type } });
}

// A module from a compressed file.
async function load(name) {
  const address = URL.createObjectURL(await (await open(name)).blob());
  return import(address);
}

async function start({ notebook, count }) {
  const cells = ask(notebook).then((answer) => answer.text());
  // Python is compiled while the script that starts it is still on its way.
  const compiled = WebAssembly.compileStreaming(open("pyodide.asm.wasm")).catch((error) => fail(lastLine(error)));
  const library = open("python.zip");
  const packages = open("packages.zip").then((answer) => answer.arrayBuffer());
  const [{ loadPyodide }, { default: createPyodideModule }] =
    await Promise.all([load("pyodide.mjs"), load("pyodide.asm.mjs")]);
  // Pyodide fetches two files by address: it gets ours.
  self.fetch = async () => library;
  WebAssembly.instantiateStreaming = async (_, imports) => {
    const module = await compiled;
    return { module, instance: await WebAssembly.instantiate(module, imports) };
  };
  const python = await loadPyodide({
    indexURL: new URL(".", self.location).href, createPyodideModule, stdLibURL: "python.zip",
    lockFileContents: { info: PYODIDE, packages: {} }, stdout: () => {},
  });
  python.FS.writeFile("/packages.zip", new Uint8Array(await packages));
  say({ phase: "Running the chapter's cells" });
  python.runPython("import sys; sys.path.insert(0, '/packages.zip')");
  const bridge = python.pyimport("live_bridge");
  bridge.stand_in_for_ipython();
  bridge.open_chapter(await cells, count, (state) => say({ state }));
  say({ live: true });
  return bridge;
}

let bridge;
self.onmessage = async ({ data }) => {
  if (data.notebook) {
    bridge = await start(data).catch((error) => fail(lastLine(error)));
  } else {
    try {
      if (data.settings) say({ state: bridge.move(data.panel, JSON.stringify(data.settings)) });
      else say({ later: bridge.later(data.panel), panel: data.panel });
    } catch (error) {
      say({ error: lastLine(error), panel: data.panel });
    }
  }
};

// The Pyodide that JupyterLite's kernel loads: the one that the panels have, and the kernel's packages.
// Nothing is installed at a start: all packages lie in two archives, compiled when the book was made.
const ASSETS = {}; // written by lite_site.py: name → {file, bytes, type}

async function open(name) {
  const { file, type } = ASSETS[name];
  const answer = await fetch(new URL(file, import.meta.url), { cache: "force-cache" });
  if (!answer.ok) throw new Error(`The server has no ${file} (${answer.status}).`);
  const content = answer.body.pipeThrough(new DecompressionStream("gzip"));
  return new Response(content, { headers: { "Content-Type": type } });
}

const load = async (name) => import(URL.createObjectURL(await (await open(name)).blob()));

export async function loadPyodide({ packages, ...options }) {
  const wasm = open("pyodide.asm.wasm"), library = open("python.zip");
  const archives = Promise.all(["packages.zip", "kernel.zip"].map(async (name) => (await open(name)).arrayBuffer()));
  const [{ loadPyodide: start }, { default: createPyodideModule }] =
    await Promise.all([load("pyodide.mjs"), load("pyodide.asm.mjs")]);
  const { fetch } = self; // Pyodide fetches two files by address: it gets ours
  self.fetch = async (address) => String(address).endsWith(".wasm") ? wasm : library;
  const python = await start({
    ...options, indexURL: new URL(".", import.meta.url).href, createPyodideModule, stdLibURL: "python.zip",
    lockFileContents: { info: PYODIDE, packages: {} },
  });
  self.fetch = fetch;
  const [packed, kernel] = await archives;
  python.FS.writeFile("/packages.zip", new Uint8Array(packed));
  python.unpackArchive(kernel, "zip", { extractDir: "/kernel" }); // IPython reads files beside its modules
  python.runPython("import sys; sys.path[:0] = ['/kernel', '/packages.zip']");
  python.pyimport("lite_kernel").prepare(new URL(".", import.meta.url).href);
  return python;
}

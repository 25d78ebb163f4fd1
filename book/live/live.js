// Draw the controls of each panel from its stored state, and start Python in the page when a reader
// moves one. Without this script, from a file, or where a browser cannot run Python, a panel stays
// what its page stores: its result and its settings as text.
(() => {
"use strict";

const script = document.currentScript;
const home = new URL(".", script.src);
const notebook = new URL(script.dataset.notebook, location.href).href;
const address = new URLSearchParams(location.search);
const savesData = navigator.connection?.saveData || matchMedia("(prefers-reduced-data: reduce)").matches;
const QUIET = 700; // milliseconds after which a result is told to a screen reader
const PATIENCE = 60_000; // without a byte, after which the network counts as gone

const make = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};
let ids = 0;
const newId = () => `live-${++ids}`;
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
const weight = `${megabytes(Number(script.dataset.bytes))} MB`;

// What a browser lacks, as a sentence; empty where it lacks nothing.
function missing() {
  if (location.protocol === "file:")
    return "Opened as a file, this panel stands still. To move it, run python -m http.server in the "
      + "book's folder and open the address that it prints.";
  if (typeof WebAssembly === "undefined")
    return "This panel stands still: Python needs WebAssembly, which is switched off in this browser.";
  if (typeof Worker === "undefined" || typeof DecompressionStream === "undefined")
    return "This panel stands still: this browser is too old to run Python. A newer one moves it.";
  return "";
}

// ---- Controls: each drawer returns {element, show(state)} and calls move(at) ----

function field(control, input, moved) {
  input.id = newId();
  const value = make("span", { className: "live-value" });
  value.setAttribute("aria-hidden", "true");
  const label = make("label", { htmlFor: input.id, textContent: control.label });
  return { element: make("div", { className: `live-field live-${control.kind.replace(" ", "-")}` },
                         label, value, input), value, moved };
}

const DRAW = {
  choice(control, move) {
    const select = make("select", { onchange: () => move(select.selectedIndex) });
    const { element } = field(control, select);
    return { element, show(state) {
      if (select.length !== state.options.length || state.options.some((text, at) => select.options[at].text !== text))
        select.replaceChildren(...state.options.map((text) => make("option", { textContent: text })));
      select.selectedIndex = state.at;
    } };
  },
  buttons(control, move) {
    const group = make("fieldset", { className: "live-field live-buttons" });
    const name = newId();
    return { element: group, show(state) {
      group.replaceChildren(make("legend", { textContent: state.label }), ...state.options.map((text, at) =>
        make("label", {}, make("input", { type: "radio", name, checked: at === state.at, onchange: () => move(at) }), text)));
    } };
  },
  stops(control, move) {
    const slider = make("input", { type: "range", min: 0, step: 1, oninput: () => move(slider.valueAsNumber) });
    const { element, value } = field(control, slider);
    return { element, show(state) {
      slider.max = state.options.length - 1;
      slider.value = state.at;
      value.textContent = state.options[state.at];
      slider.setAttribute("aria-valuetext", state.options[state.at]);
    } };
  },
  range(control, move) {
    const slider = make("input", { type: "range", min: control.min, max: control.max, step: control.step,
                                   oninput: () => move(slider.valueAsNumber) });
    const { element, value } = field(control, slider);
    return { element, show(state) {
      Object.assign(slider, { min: state.min, max: state.max, step: state.step, value: state.at });
      value.textContent = state.at;
    } };
  },
  number(control, move) {
    const box = make("input", { type: "number", oninput: () => box.value !== "" && move(box.valueAsNumber) });
    const { element } = field(control, box);
    for (const limit of ["min", "max", "step"]) if (limit in control) box[limit] = control[limit];
    return { element, show(state) { if (box.valueAsNumber !== state.at) box.value = state.at; } };
  },
  text(control, move) {
    const box = make("input", { type: "text", spellcheck: false, autocapitalize: "off", autocomplete: "off",
                                placeholder: control.placeholder ?? "", oninput: () => move(box.value) });
    const { element } = field(control, box);
    return { element, show(state) { if (box.value !== state.at) box.value = state.at; } };
  },
  "long text"(control, move) {
    const box = make("textarea", { rows: control.rows ?? 4, spellcheck: false,
                                   placeholder: control.placeholder ?? "", oninput: () => move(box.value) });
    const { element } = field(control, box);
    return { element, show(state) { if (box.value !== state.at) box.value = state.at; } };
  },
  check(control, move) {
    const box = make("input", { type: "checkbox", onchange: () => move(box.checked) });
    const { element } = field(control, box);
    return { element, show(state) { box.checked = state.at; } };
  },
};

// Where a control stands, as its page's address and its list of settings write it.
const inAddress = (control) => String("options" in control ? (control.values ?? control.options)[control.at] : control.at);
const inWords = (control) => "options" in control ? control.options[control.at] : String(control.at);

// The word of an address for a control: its first, or its whole name where two would be the same.
function wordOf(control, controls) {
  const first = (name) => name.split("_")[0];
  const alike = controls.filter((other) => first(other.name) === first(control.name));
  return alike.length > 1 ? control.name : first(control.name);
}

// A control's place for a text of an address; undefined where it has none.
function placeOf(control, text) {
  if (control.kind === "check") return { true: true, false: false }[text.toLowerCase()];
  if (["text", "long text"].includes(control.kind)) return text;
  if (!("options" in control)) {
    const number = Number(text);
    const outside = number < control.min || number > control.max;
    return text.trim() === "" || Number.isNaN(number) || outside ? undefined : number;
  }
  const alike = (other) => other.trim().toLowerCase() === text.trim().toLowerCase();
  const values = control.values ?? control.options;
  const at = values.findIndex(alike);
  return at >= 0 ? at : control.options.findIndex(alike) >= 0 ? control.options.findIndex(alike) : undefined;
}

// ---- Python: one worker for all panels of the page ----

const python = {
  state: "still", // still, loading, live, failed
  worker: null, busy: null, wanted: new Map(), patience: 0,

  start(panel) {
    if (python.state === "loading" || python.state === "live") return;
    Object.assign(python, { state: "loading", starter: panel, busy: null });
    performance.mark("live-touched");
    panels.forEach((each) => each.loading(each === panel));
    python.waits();
    try {
      python.worker = new Worker(new URL("worker.js", home), { type: "module" });
    } catch (error) {
      return python.fails(String(error.message));
    }
    python.worker.onerror = (event) => { event.preventDefault(); python.fails(event.message || "worker.js did not load."); };
    python.worker.onmessage = ({ data }) => python.hears(data);
    python.worker.postMessage({ notebook, count: panels.length });
  },
  waits() {
    clearTimeout(python.patience);
    python.patience = setTimeout(() => python.fails("Nothing has come over the network for a minute."), PATIENCE);
  },
  hears(message) {
    if (python.state === "failed") return;
    if (message.total) { python.waits(); python.starter.progress(message.loaded, message.total); }
    if (message.phase) { clearTimeout(python.patience); python.starter.phase(message.phase); }
    if (message.failed) python.fails(message.failed);
    if (message.live) {
      python.state = "live";
      performance.mark("live-ready");
      panels.forEach((panel) => panel.live());
    }
    if (message.state) {
      const state = JSON.parse(message.state);
      if (python.busy === state.panel) python.busy = null;
      panels[state.panel].shows(state, python.wanted.get(state.panel));
    }
    if ("later" in message) {
      python.busy = null;
      panels[message.panel].fills(message.later);
    }
    if (message.error) {
      python.busy = null;
      panels[message.panel].fills("");
      panels[message.panel].says(`This setting has no answer: ${message.error}`);
    }
    if (python.state === "live") python.next();
  },
  fails(why) {
    if (python.state === "failed") return;
    python.state = "failed";
    clearTimeout(python.patience);
    python.worker?.terminate();
    panels.forEach((panel) => panel.failed(panel === python.starter ? why : ""));
  },
  // Of many moves in a row only the newest is sent, when the one before is answered.
  move(panel, name, at) {
    python.wanted.set(panel.place, { ...python.wanted.get(panel.place), [name]: at });
    if (python.state === "live") python.next();
    else if (savesData) panel.asks();
    else python.start(panel);
  },
  // What stands one tap away is computed when a reader taps, and no move waits.
  next() {
    if (python.busy !== null) return;
    const [move] = python.wanted, open = panels.findIndex((panel) => panel.lacks());
    if (move) python.wanted.delete(move[0]);
    if (move) python.worker.postMessage({ panel: move[0], settings: move[1] });
    else if (open >= 0) python.worker.postMessage({ panel: open });
    python.busy = move ? move[0] : open >= 0 ? open : null;
  },
};

// ---- A panel of the page ----

function makePanel(box, place) {
  let state = JSON.parse(box.dataset.panel), quiet = 0, opened = [];
  const result = box.querySelector(".sizing-result"), settings = box.querySelector(":scope > .sizing-labels");
  const still = box.querySelector(".sizing-still");
  const fields = new Map();
  const panel = { place, box, get state() { return state; } };

  const moved = (control, at) => {
    const now = state.controls.find((each) => each.name === control.name);
    fields.get(control.name).show({ ...now, at });
    box.dataset.stale = "yes";
    performance.mark("live-moved");
    python.move(panel, control.name, at);
  };
  for (const control of state.controls) {
    const drawn = DRAW[control.kind](control, (at) => moved(control, at));
    drawn.show(control);
    fields.set(control.name, drawn);
  }

  const status = make("p", { className: "live-status", role: "status",
                             textContent: `Move a control: Python, ${weight}, starts in this page.` });
  const count = make("span", { className: "live-count" });
  count.setAttribute("aria-hidden", "true");
  const bar = make("progress", { hidden: true });
  bar.setAttribute("aria-label", "Loading Python");
  const button = make("button", { type: "button", className: "live-start", textContent: "Make live",
                                  onclick: () => { python.start(panel); } });
  const heard = make("p", { className: "live-heard" });
  heard.setAttribute("aria-live", "polite");

  const elements = [...fields.values()].map((drawn) => drawn.element);
  const controls = make("div", { className: "live-controls" }, ...elements.slice(0, state.in_sight));
  if (elements.length > state.in_sight)
    controls.append(make("details", { className: "live-more" },
      make("summary", { textContent: "More settings" }), ...elements.slice(state.in_sight)));
  const foot = make("div", { className: "live-foot" }, button, status, count, bar, sharing(panel));
  still.hidden = true;
  settings.classList.add("live-on-paper");
  result.after(controls, foot, heard);
  result.addEventListener("toggle", () => { if (python.state === "live") python.next(); }, true);
  box.dataset.live = "still";
  // A press on a slider or a list starts Python before the value is chosen; a finger may only scroll.
  controls.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.target.matches("input, select, textarea") && !savesData) python.start(panel);
  });

  Object.assign(panel, {
    says(text) { status.textContent = text; },
    asks() {
      panel.says(`Your browser saves data. Python is ${weight}: press Make live to load it.`);
    },
    loading(isStarter) {
      box.dataset.live = "loading";
      button.hidden = true;
      bar.hidden = !isStarter;
      bar.removeAttribute("value");
      for (const [name, at] of Object.entries(python.wanted.get(place) ?? {})) {
        fields.get(name).show({ ...state.controls.find((control) => control.name === name), at });
        box.dataset.stale = "yes";
      }
      panel.says(isStarter ? "Loading Python into this page" : "");
    },
    progress(loaded, total) {
      bar.max = total;
      bar.value = loaded;
      count.textContent = `${megabytes(loaded)} of ${megabytes(total)} MB`;
      if (loaded === total) panel.phase("Starting Python");
    },
    phase(text) { panel.says(text); },
    live() {
      box.dataset.live = "live";
      bar.hidden = button.hidden = true;
      count.textContent = "";
      panel.says("Live: Python runs in this page.");
    },
    failed(why) {
      box.dataset.live = "failed";
      bar.hidden = true;
      count.textContent = "";
      button.hidden = false;
      button.textContent = "Try again";
      panel.says(why && `Python did not start. ${why} The result above is the stored one, and holds for the settings below it.`);
      panel.shows({ ...state, result: null }); // wishes stay in python.wanted: the next try has them
    },
    shows(next, waiting) {
      if (next.result !== null && next.result !== undefined) {
        const open = [...result.querySelectorAll("details")].map((each) => each.open);
        if (open.length) opened = open; // kept while a result has nothing to open
        result.innerHTML = next.result;
        result.querySelectorAll("details").forEach((each, at) => { each.open = opened[at] ?? each.open; });
        // Nothing below moves under a reader's finger: the result keeps the height that it had.
        const height = parseFloat(result.style.minHeight) || 0;
        result.style.minHeight = `${Math.max(height, result.offsetHeight)}px`;
      }
      state = { title: next.title, in_sight: next.in_sight, controls: next.controls };
      for (const control of state.controls)
        if (!(control.name in (waiting ?? {}))) fields.get(control.name).show(control);
      settings.replaceChildren(...state.controls.filter((control) => inWords(control) !== "").map((control) =>
        make("li", {}, `${control.label}: `, make("b", { textContent: inWords(control) }))));
      if (!waiting) delete box.dataset.stale;
      performance.mark("live-shown");
      clearTimeout(quiet);
      if (python.state === "live") quiet = setTimeout(() => { heard.textContent = inShort(result); }, QUIET);
    },
    lacks() { return result.querySelector("details[data-later][open]") !== null; },
    fills(html) {
      const details = result.querySelector("details[data-later]");
      details?.insertAdjacentHTML("beforeend", html);
      details?.removeAttribute("data-later");
    },
    // Set the controls to what an address says, and return what it says that this panel has not.
    restore(given) {
      const unknown = [];
      for (const [word, text] of given) {
        const control = controlNamed(state.controls, word);
        const at = control && placeOf(control, text);
        if (at === undefined || at === -1) unknown.push(`${word}=${text}`);
        else if (at !== control.at) moved(control, at);
      }
      if (unknown.length) panel.says(`The page's address asks for ${unknown.join(", ")}, which this panel has not.`);
      box.scrollIntoView({ block: "start" });
    },
  });
  return panel;
}

const controlNamed = (controls, word) => controls.find((control) => control.name === word || wordOf(control, controls) === word);

// The result in a sentence or two: what a screen reader says after a move.
function inShort(result) {
  const copy = result.cloneNode(true);
  copy.querySelectorAll("style, table, details, [aria-hidden='true']").forEach((each) => each.remove());
  const text = copy.textContent.replace(/\s+/g, " ").trim();
  return text.length > 300 ? `${text.slice(0, 300).replace(/ \S*$/, "")} …` : text;
}

// ---- Sharing: a link that restores the panel, and a frame for another site ----

function link(panel, framed) {
  const made = new URL(location.pathname, location.href);
  if (panels.length > 1) made.searchParams.set("panel", panel.place + 1);
  for (const control of panel.state.controls)
    if (inAddress(control) !== "") made.searchParams.set(wordOf(control, panel.state.controls), inAddress(control));
  if (framed) made.searchParams.set("embed", "yes");
  return made.href;
}

function sharing(panel) {
  const shown = make("input", { type: "text", readOnly: true, hidden: true });
  shown.setAttribute("aria-label", "Copied text");
  const told = make("span", { role: "status" });
  const copy = async (text) => {
    shown.hidden = false;
    shown.value = text;
    shown.select();
    const done = await navigator.clipboard?.writeText(text).then(() => true, () => false) ?? document.execCommand("copy");
    told.textContent = done ? "Copied." : "Copy the text below.";
  };
  const framed = () => {
    const src = link(panel, true).replaceAll("&", "&amp;");
    const title = panel.state.title.replaceAll('"', "&quot;");
    return `<iframe src="${src}" title="${title}" width="100%" height="${panel.box.offsetHeight + 40}" style="border:0" loading="lazy"></iframe>`;
  };
  return make("details", { className: "live-share" }, make("summary", { textContent: "Share" }),
    make("button", { type: "button", textContent: "Copy link to these settings", onclick: () => copy(link(panel, false)) }),
    make("button", { type: "button", textContent: "Copy code for another site", onclick: () => copy(framed()) }), told, shown);
}

// ---- The page ----

const boxes = [...document.querySelectorAll(".sizing-panel[data-panel]")];
const lacks = missing();
if (lacks) boxes.forEach((box) => { box.querySelector(".sizing-still small").textContent = lacks; });
const panels = lacks ? [] : boxes.map(makePanel);

const given = [...address].filter(([word]) => !["panel", "embed", "highlight"].includes(word));
const asked = address.has("panel") ? boxes[Number(address.get("panel")) - 1]
  : boxes.find((box) => given.every(([word]) => controlNamed(JSON.parse(box.dataset.panel).controls, word)));
const shown = asked ?? boxes[0];
if (address.has("embed") && shown) {
  document.documentElement.classList.add("live-embed");
  shown.classList.add("live-embedded");
}
if (given.length && panels.length && shown) panels[boxes.indexOf(shown)].restore(given);
})();

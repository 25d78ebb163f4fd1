// In JupyterLite's own pages, before it starts: links to the published book lead to this copy of it,
// and where something cannot work, the page says so.
const NOTE = location.protocol === "file:"
  ? "A browser runs no Python from a file. Start a server in the book's folder with python -m http.server,"
    + " or with the archive's start script, and open this page there."
  : isSecureContext ? ""
  : "This page has come by plain http. Notebooks run, but Python cannot see files that you upload:"
    + " for that, open the book by https or on its own machine (localhost).";

addEventListener("click", ({ target }) => {
  const link = target.closest?.("a[href]");
  if (link?.href.startsWith(PUBLISHED))
    link.href = new URL(`../../${link.href.slice(PUBLISHED.length)}`, location.href).href;
}, true);

if (NOTE) addEventListener("DOMContentLoaded", () => {
  const note = document.createElement("div");
  note.setAttribute("role", "status");
  note.style = "position:fixed;z-index:2000;inset:auto 0 0;padding:.7em 1em;background:#ffd;color:#111;font:1rem sans-serif";
  note.textContent = NOTE;
  const close = Object.assign(document.createElement("button"), { textContent: "Close", onclick: () => note.remove() });
  close.style.marginLeft = "1em";
  note.append(close);
  document.body.append(note);
});

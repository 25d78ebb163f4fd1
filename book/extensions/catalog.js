// Find and sort the rows of each table of the catalog. Without this script the tables stand whole.
for (const box of document.querySelectorAll(".catalog:not([data-ready])")) {
  box.dataset.ready = "yes";
  const body = box.querySelector("tbody"), rows = [...body.rows];
  const heads = [...box.querySelectorAll("thead th")];
  const onPhone = matchMedia("(max-width: 700px)");

  const add = (name, parts, parent) => parent.appendChild(Object.assign(document.createElement(name), parts));
  const bar = document.createElement("div");
  bar.className = "catalog-controls";
  box.prepend(bar);
  const find = add("input", { type: "search", placeholder: box.dataset.example }, add("label", { textContent: "Find " }, bar));
  const by = add("select", {}, add("label", { textContent: "Sort by " }, bar));
  add("option", { value: "-1", textContent: "order of the catalog" }, by);
  heads.forEach((head, place) => add("option", { value: place, textContent: head.textContent }, by));
  const turn = add("button", { type: "button" }, bar);
  const told = add("p", { role: "status" }, bar);
  const all = add("button", { type: "button", className: "catalog-all" }, box);

  let down = false, whole = false;
  const plain = text => ` ${text.toLowerCase().replace(/[-_:/,()]+/g, " ").replace(/(\d) (gb|b|bits?)\b/g, "$1$2")}`;
  const haystacks = new Map(rows.map(row => [row, plain(row.dataset.find)]));
  const joined = (text, word) => word.length > 4 && text.replaceAll(" ", "").includes(word);  // rtx4090
  const has = (text, word) => text.includes(` ${word}`) || joined(text, word);
  const number = (row, place) => row.cells[place].dataset.sort;
  const unread = (row, place) => ["", "-1.0"].includes(number(row, place));  // last, whatever the order
  const compare = place => (a, b) => {
    const [x, y] = [number(a, place), number(b, place)];
    return isNaN(x) || isNaN(y) ? x.localeCompare(y, "en", { numeric: true }) : x - y;
  };
  const show = () => {
    const place = Number(by.value);
    const sorted = place < 0 ? [...rows] : [...rows].sort(compare(place));
    if (down) sorted.reverse();
    if (place >= 0) sorted.sort((a, b) => unread(a, place) - unread(b, place));
    const words = plain(find.value).trim().split(/\s+/).filter(Boolean);
    const found = sorted.filter(row => words.every(word => has(haystacks.get(row), word)));
    const limit = onPhone.matches && !whole ? 30 : Infinity;
    for (const row of rows) row.hidden = true;
    found.forEach((row, at) => { row.hidden = at >= limit; });
    body.append(...sorted);
    heads.forEach((head, at) => head.setAttribute("aria-sort", at !== place ? "none" : down ? "descending" : "ascending"));
    turn.textContent = place < 0 ? "turn round" : down ? "now largest first" : "now smallest first";
    all.hidden = found.length <= limit;
    all.textContent = `Show all ${found.length}`;
    const part = all.hidden ? "" : `, the first ${limit} shown`;
    const order = place < 0 ? "" : `, by ${heads[place].textContent}, ${down ? "largest" : "smallest"} first`;
    told.textContent = found.length ? `${found.length} of ${rows.length}${order}${part}` : "Nothing found: try fewer words.";
  };
  heads.forEach((head, place) => {
    const button = add("button", { type: "button", textContent: head.textContent }, head);
    head.firstChild.remove();
    button.onclick = () => {
      down = Number(by.value) === place && !down;
      by.value = place;
      show();
    };
  });
  find.oninput = show;
  by.onchange = () => { down = false; show(); };
  turn.onclick = () => { down = !down; show(); };
  all.onclick = () => { whole = true; show(); };
  onPhone.onchange = show;
  show();
}

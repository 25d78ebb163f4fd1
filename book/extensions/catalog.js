// Sort and filter each table of the catalog. Without this script the tables stand whole.
for (const box of document.querySelectorAll(".catalog:not([data-ready])")) {
  box.dataset.ready = "yes";
  const table = box.querySelector("table"), body = table.tBodies[0];
  const rows = [...body.rows], heads = [...table.tHead.rows[0].cells];

  const add = (name, parts, parent) => parent.appendChild(Object.assign(document.createElement(name), parts));
  const bar = document.createElement("p");
  bar.className = "catalog-controls";
  box.prepend(bar);
  const filter = add("input", { type: "search", placeholder: "llama 8b" }, add("label", { textContent: "Find " }, bar));
  const by = add("select", {}, add("label", { textContent: "Sort by " }, bar));
  add("option", { value: "-1", textContent: "order of the catalog" }, by);
  heads.slice(0, -1).forEach((head, place) => add("option", { value: place, textContent: head.textContent }, by));
  const turn = add("button", { type: "button", textContent: "turn round" }, bar);
  const told = add("span", { role: "status" }, bar);

  let down = false;
  const key = (row, place) => row.cells[place].dataset.sort;
  const compare = place => (a, b) => {
    const [x, y] = [key(a, place), key(b, place)];
    return isNaN(x) || isNaN(y) ? x.localeCompare(y, "en", { numeric: true }) : x - y;
  };
  const sort = () => {
    const place = Number(by.value);
    const sorted = place < 0 ? [...rows] : [...rows].sort(compare(place));
    body.append(...(down ? sorted.reverse() : sorted));
    heads.forEach((head, at) => head.setAttribute("aria-sort", at !== place ? "none" : down ? "descending" : "ascending"));
  };
  const find = () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every(word => text.includes(word));
    }
    told.textContent = `${rows.filter(row => !row.hidden).length} of ${rows.length}`;
  };
  heads.slice(0, -1).forEach((head, place) => {
    const name = head.textContent;
    head.textContent = "";
    add("button", { type: "button", textContent: name }, head).onclick = () => {
      down = Number(by.value) === place && !down;
      by.value = place;
      sort();
    };
  });
  filter.oninput = find;
  by.onchange = () => { down = false; sort(); };
  turn.onclick = () => { down = !down; sort(); };
  find();
}

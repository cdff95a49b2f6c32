// The table of all stacks: filters, order and the sum of what is shown, all in the page's address. No number is made
// here but sums of what the rows say.
"use strict";
(() => {
  const form = document.getElementById("filters");
  const table = document.getElementById("stacks");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];
  const status = document.getElementById("shown");
  const none = document.getElementById("none");
  const choices = [...form.querySelectorAll("select:not(#sort)")];
  const search = form.elements.q;
  const sort = form.elements.sort;
  const numeric = new Set(["full", "cost"]);
  const nothing = { unknown: "without a known price", own: "on machines of your own", token: "without a price by the hour", job: "paid once" };
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const dollars = value => "$" + value.toLocaleString("en-US", { maximumFractionDigits: 0 });
  let order = { name: "name", down: false };

  for (const heading of headings) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const name = heading.dataset.name;
      order = { name, down: order.name === name ? !order.down : numeric.has(name) };
      show();
    });
    for (const down of [false, true]) {
      const option = new Option(`${button.textContent}, ${numeric.has(heading.dataset.name) ? (down ? "most first" : "least first") : (down ? "Z to A" : "A to Z")}`, (down ? "-" : "") + heading.dataset.name);
      sort.append(option);
    }
  }

  const value = (row, name) => name === "cost" ? (row.dataset.price === "priced" ? Number(row.dataset.most) : -1) : name === "full" ? Number(row.dataset.full) : row.dataset[name];

  function sum(shown) {
    let priced = 0, least = 0, most = 0, exact = true;
    const apart = {};
    for (const row of shown) {
      const kind = row.dataset.price;
      if (kind !== "priced") { apart[kind] = (apart[kind] || 0) + 1; continue; }
      priced += 1;
      least += Number(row.dataset.least);
      most += Number(row.dataset.most);
      exact = exact && row.dataset.exact === "1";
    }
    const low = dollars(least), high = dollars(most);
    const range = low === high ? low : `${low} to ${high}`;
    const month = `${priced ? (exact ? "" : "at most ") + range : "nothing"} a month`;
    const left = Object.keys(nothing).filter(kind => apart[kind]).map(kind => `${apart[kind].toLocaleString("en-US")} ${nothing[kind]}`);
    return [month, ...left].join("; ");
  }

  function show() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = choices.filter(one => one.value);
    const shown = [];
    for (const row of rows) {
      const found = wanted.every(one => row.dataset[one.name] === one.value) && words.every(word => row.dataset.words.includes(word));
      row.hidden = !found;
      if (found) shown.push(row);
    }
    const sign = order.down ? -1 : 1;
    const by = numeric.has(order.name) ? (a, b) => a - b : compare;
    rows.sort((a, b) => sign * by(value(a, order.name), value(b, order.name)) || compare(a.dataset.name, b.dataset.name));
    body.append(...rows);
    for (const heading of headings) {
      const on = heading.dataset.name === order.name;
      heading.setAttribute("aria-sort", on ? (order.down ? "descending" : "ascending") : "none");
    }
    sort.value = (order.down ? "-" : "") + order.name;
    const all = shown.length === rows.length ? "" : ` of ${rows.length.toLocaleString("en-US")}`;
    const count = document.createElement("strong");
    count.textContent = `${shown.length.toLocaleString("en-US")}${all} stack${rows.length === 1 ? "" : "s"}`;
    status.replaceChildren(count, `, ${sum(shown)}`);
    none.hidden = shown.length > 0;
    remember();
  }

  function remember() {
    const said = new URLSearchParams();
    for (const one of [...choices, search]) if (one.value) said.set(one.name, one.value);
    if (order.name !== "name" || order.down) said.set("sort", (order.down ? "-" : "") + order.name);
    const fragment = said.toString();
    if (fragment !== location.hash.slice(1)) history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
  }

  function recall() {
    const fragment = location.hash.slice(1);
    if (fragment && !fragment.includes("=")) return; // a place in the page
    const said = new URLSearchParams(fragment);
    for (const one of choices) {
      one.value = said.get(one.name) || "";
      if (one.selectedIndex < 0) one.value = "";
    }
    search.value = said.get("q") || "";
    const name = (said.get("sort") || "name").replace(/^-/, "");
    order = headings.some(one => one.dataset.name === name) ? { name, down: (said.get("sort") || "").startsWith("-") } : { name: "name", down: false };
    show();
  }

  form.addEventListener("input", event => { if (event.target !== sort) show(); });
  sort.addEventListener("change", () => { order = { name: sort.value.replace(/^-/, ""), down: sort.value.startsWith("-") }; show(); });
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("reset", event => { event.preventDefault(); clear(); });
  document.getElementById("all").addEventListener("click", () => { clear(); search.focus(); });
  function clear() {
    for (const one of [...choices, search]) one.value = "";
    order = { name: "name", down: false };
    show();
  }
  window.addEventListener("hashchange", recall);
  form.hidden = false;
  recall();
  if (!location.hash.includes("=")) show();
})();

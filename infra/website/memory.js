// Looks answers up that were planned when the site was made. Nothing is computed here but lengths of bars.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("answers").textContent);
  const form = document.getElementById("question");
  const status = document.getElementById("answer");
  const place = document.getElementById("shown");
  const fields = ["model", "framework", "accelerator", "count", "precision"].map(name => form.elements[name]);
  const [model, framework, accelerator, count, precision] = fields;
  const asked = Object.keys(data.answers).map(key => key.split("|"));
  const MODEL = 0, FRAMEWORK = 1, ACCELERATOR = 2, PRECISION = 3, COUNT = 4;

  const make = (name, text, look) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (look) made.className = look;
    return made;
  };

  function offer(select, values, name) {
    const before = select.value;
    const distinct = [...new Set(values)];
    select.replaceChildren(...distinct.map(one => new Option(name ? name(one) : one, one)));
    select.value = distinct.includes(before) ? before : distinct[0];
  }

  // Each choice offers what the ones before it leave; a choice that is still there stays.
  function refresh() {
    const framed = asked.filter(one => one[MODEL] === model.value);
    offer(framework, framed.map(one => one[FRAMEWORK]), one => data.frameworks[one]);
    const placed = framed.filter(one => one[FRAMEWORK] === framework.value);
    offer(accelerator, placed.map(one => one[ACCELERATOR]), one => data.accelerators[one]);
    const counted = placed.filter(one => one[ACCELERATOR] === accelerator.value);
    offer(count, counted.map(one => one[COUNT]));
    offer(precision, counted.map(one => one[PRECISION]));
    tell();
  }

  function tell() {
    const key = [model.value, framework.value, accelerator.value, precision.value, count.value].join("|");
    const found = data.answers[key];
    const one = data.accelerators[accelerator.value];
    const where = count.value === "1" ? one : `each of ${count.value} x ${one}`;
    place.replaceChildren();
    if (typeof found === "number") {
      status.replaceChildren(make("strong", "Refused. ", "bad"), data.refusals[found]);
    } else if (found.terms) {
      status.replaceChildren(make("strong", "Does not fit. ", "bad"), `One request of ${found.context} tokens needs ${found.need} GiB on ${where}; the engine may fill ${found.have} of ${found.whole} GiB.`);
      place.append(figure(`Memory of ${found.checkpoint}`, "Of the fullest accelerator, in GiB.", table("Terms", ["Term", "GiB"], found.terms, ["Needed", found.need], ["There", found.have])));
    } else {
      const price = found.usd === null ? "price unknown" : `at most $${found.usd} an hour per replica`;
      status.replaceChildren(make("strong", "Fits. ", "good"), `${found.need} of ${found.have} GiB on ${where} (${found.machine}; ${price}). One request of ${found.context} tokens is guaranteed; at most ${found.atOnce} of that length at once, or one of ${found.longest} tokens.`);
      const parts = data.parts.map(([look, name], at) => [look, name, found.parts[at]]);
      const memory = figure(`Memory of ${found.checkpoint}`, `${found.whole} GiB of the fullest accelerator; split tensor x pipeline x data ${found.split.join(" x ")}.`, bar(parts), table("Parts of the bar, left to right", ["Part", "GiB"], parts.map(([look, name, size]) => [name, size, look]), ["Needed", found.need], ["May be filled", found.have]));
      const most = Math.max(1, ...found.curve.map(([, tokens]) => Math.log2(tokens)));
      const curve = figure("Largest context against concurrency", "The longest request that fits when so many run at once, per replica. Bars grow with each doubling.", table("Points of the curve", ["Requests at once", "Largest context, tokens", "Against the longest"], found.curve.map(([atOnce, tokens]) => [atOnce.toLocaleString("en-US"), tokens.toLocaleString("en-US"), Math.log2(tokens) / most])));
      place.append(memory, curve);
    }
    const said = new URLSearchParams(fields.map(one => [one.name, one.value])).toString();
    if (said !== location.hash.slice(1)) history.replaceState(null, "", `#${said}`);
  }

  function figure(title, caption, ...inside) {
    const made = make("figure");
    made.append(make("h2", title), make("figcaption", caption), ...inside);
    const box = make("div");
    box.append(made);
    return box;
  }

  function drawn(look, height) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [name, value] of Object.entries({ class: look, viewBox: `0 0 100 ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" })) made.setAttribute(name, value);
    return made;
  }

  function stretch(svg, look, start, size, height) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, value] of Object.entries({ class: look, x: start, width: size, height })) made.setAttribute(name, value);
    svg.append(made);
  }

  const number = text => Number(text.replaceAll(",", ""));

  function bar(parts) {
    const svg = drawn("stack", 10);
    const whole = parts.reduce((sum, [, , size]) => sum + number(size), 0) || 1;
    let start = 0;
    for (const [look, , size] of parts) {
      stretch(svg, look, start, 100 * number(size) / whole, 10);
      start += 100 * number(size) / whole;
    }
    return svg;
  }

  function table(caption, heads, rows, ...sums) {
    const made = make("table");
    made.append(make("caption", caption));
    const head = made.createTHead().insertRow();
    heads.forEach((text, at) => {
      const cell = make("th", text, at === 1 ? "number" : "");
      cell.scope = "col";
      head.append(cell);
    });
    const body = made.createTBody();
    for (const [name, size, more] of rows) {
      const line = body.insertRow(), heading = make("th");
      heading.scope = "row";
      if (typeof more === "string") {
        const swatch = make("span", undefined, `swatch ${more}`);
        swatch.setAttribute("aria-hidden", "true");
        heading.append(swatch);
      }
      heading.append(name);
      line.append(heading, make("td", size, "number"));
      if (typeof more === "number") {
        const cell = make("td", undefined, "grow"), svg = drawn("meter", 6);
        stretch(svg, "weights", 0, 100 * more, 6);
        cell.append(svg);
        line.append(cell);
      }
    }
    if (sums.length) {
      const foot = made.createTFoot();
      for (const [name, size] of sums) {
        const line = foot.insertRow(), heading = make("th", name);
        heading.scope = "row";
        line.append(heading, make("td", size, "number"));
      }
    }
    return made;
  }

  function recall() {
    const fragment = location.hash.slice(1);
    if (fragment && !fragment.includes("=")) return;
    const said = new URLSearchParams(fragment);
    const first = { model: "gemma-4-31b-it", framework: "vllm", accelerator: "h100", count: "1", precision: "" };
    for (const one of fields) {
      const wanted = said.get(one.name) || first[one.name];
      one.replaceChildren(new Option(wanted, wanted));
      one.value = wanted;
    }
    offer(model, data.models);
    refresh();
  }

  document.addEventListener("click", event => {
    const link = event.target.closest('td a[href^="#"]');
    if (!link) return;
    event.preventDefault();
    history.pushState(null, "", link.getAttribute("href"));
    recall();
    form.scrollIntoView();
    model.focus();
  });
  form.addEventListener("change", refresh);
  form.addEventListener("submit", event => event.preventDefault());
  window.addEventListener("hashchange", recall);
  window.addEventListener("popstate", recall);
  form.hidden = false;
  recall();
})();

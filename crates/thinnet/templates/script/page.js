// A legend's entries become buttons, which hide the curves of one style in all plots that the legend is of.
function switchable(legend, plots) {
  for (const item of legend.querySelectorAll("li[data-style]")) {
    const style = Number(item.dataset.style);
    const own = plots.filter((plot) => plot.data.series.some((series) => series.style === style));
    if (own.length === 0) continue;
    const button = html("button", { type: "button", title: "Hide or show this curve" }, ...item.childNodes);
    button.setAttribute("aria-pressed", "true");
    button.addEventListener("click", () => {
      const hide = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!hide));
      for (const plot of own) {
        if (hide) plot.hidden.add(style);
        else plot.hidden.delete(style);
        plot.redraw();
      }
    });
    item.append(button);
  }
}

// One slider smooths the losses of all plots beside each other.
function smoothable(container, plots) {
  const own = plots.filter((plot) => plot.data.series.some((series) => series.means));
  if (own.length === 0) return;
  const slider = html("input", { type: "range", min: 0, max: 30, value: 5, step: 1 });
  const label = html("output", { textContent: "5% of the run" });
  slider.addEventListener("input", () => {
    const share = Number(slider.value);
    label.textContent = share ? `${share}% of the run` : "none";
    own.forEach((plot) => plot.smooth(share));
  });
  container.before(html("label", { className: "slider" }, "Loss smoothing ", slider, label));
}

// Tables with a head are sorted by a click on it: numbers as numbers, by what stands first: "31.2 ± 0.4%" is 31.2, and "3, 1 failed" is 3.
function number(cell) {
  const found = /^[−+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?(?=$|[\s%(±]|, )/i.exec(cell.textContent.trim());
  return found ? Number(found[0].replace("−", "-")) : null;
}

function sortable(table) {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const cells = new Map(rows.map((row) => [row, row.cells[column]]));
    const texts = rows.map((row) => cells.get(row).textContent.trim());
    const values = new Map(rows.map((row) => [row, number(cells.get(row))]));
    const numeric = rows.every((row, i) => values.get(row) !== null || /^(|-|none|not finite)$/.test(texts[i]));
    const button = html("button", { type: "button", title: "Sort by this column" }, ...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const sign = down ? -1 : 1;
      const compare = (a, b) => {
        if (!numeric) return sign * cells.get(a).textContent.localeCompare(cells.get(b).textContent, "en", { numeric: true });
        const [one, other] = [values.get(a), values.get(b)];
        // What has no number comes last either way.
        if (one === null || other === null) return Number(one === null) - Number(other === null);
        return sign * (one - other);
      };
      body.append(...[...rows].sort(compare));
    });
  });
}

const plots = [];
for (const block of document.querySelectorAll("figure script[type='application/json']")) {
  const figure = block.closest("figure");
  plots.push(new Plot(figure, figure.querySelector("svg.plot"), JSON.parse(block.textContent)));
}
for (const legend of document.querySelectorAll(".legend")) {
  const scope = legend.closest("figure, section");
  switchable(legend, plots.filter((plot) => scope.contains(plot.figure)));
}
for (const container of document.querySelectorAll(".plots")) {
  smoothable(container, plots.filter((plot) => container.contains(plot.figure)));
}
for (const table of document.querySelectorAll("table:not(.confusion)")) {
  if (table.tHead) sortable(table);
}
document.documentElement.classList.add("alive");

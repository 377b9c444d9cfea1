// A plot that tells its values, zooms, hides curves and smooths them.
class Plot {
  constructor(figure, svg, data) {
    Object.assign(this, { figure, svg, data, hidden: new Set(), view: null, share: null, at: null });
    this.size = svg.getAttribute("viewBox").split(" ").slice(2).map(Number);
    this.drawn = this.element("g");
    this.drawn.append(...svg.childNodes);
    this.redrawn = this.element("g");
    this.above = this.element("g", { class: "above" });
    svg.append(this.drawn, this.redrawn, this.above);
    this.tip = html("div", { className: "tip", hidden: true });
    this.tip.setAttribute("role", "status");
    this.reset = html("button", { type: "button", textContent: "Reset zoom", className: "reset", hidden: true });
    figure.append(this.tip, this.reset);
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("role", "application");
    svg.setAttribute("aria-roledescription", "plot");
    const help = " Left and right arrow keys read values, plus and minus zoom, Escape resets.";
    svg.setAttribute("aria-label", svg.getAttribute("aria-label") + help);
    this.listen();
  }

  element(name, attributes = {}, text = "") {
    const element = document.createElementNS(this.svg.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  }

  // Moving averages over a share of the run, in per cent; 0 for none.
  smooth(share) {
    this.share = share;
    const note = this.figure.querySelector("p.note");
    if (note) note.textContent = note.textContent.replace(/over \d+%/, `over ${share}%`);
    this.redraw();
  }

  // The curves that are shown, as they are smoothed now.
  series() {
    return this.data.series.filter((series) => !this.hidden.has(series.style)).map((series) => {
      const anew = this.share !== null && series.means;
      return anew ? { ...series, runs: smoothed(series.means, this.share) } : series;
    });
  }

  range(axis) {
    return this.view?.[axis] ?? [this.data[axis].low, this.data[axis].high];
  }

  place(axis, value) {
    const [left, top, right, bottom] = this.data.frame;
    const [low, high] = this.range(axis);
    const share = (value - low) / (high - low);
    return axis === "x" ? left + share * (right - left) : bottom - share * (bottom - top);
  }

  value(axis, place) {
    const [left, top, right, bottom] = this.data.frame;
    const [low, high] = this.range(axis);
    const share = axis === "x" ? (place - left) / (right - left) : (bottom - place) / (bottom - top);
    return low + share * (high - low);
  }

  // Where the pointer is, in the drawing's units.
  pointer(event) {
    const box = this.svg.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * this.size[0], (event.clientY - box.top) / box.height * this.size[1]];
  }

  // Every place along the x axis that has a value, from left to right.
  places() {
    const [low, high] = this.range("x");
    const all = this.series().flatMap((series) => (series.raw ?? []).concat(series.runs).flat().map(([x]) => x));
    return [...new Set(all)].filter((x) => x >= low && x <= high).sort((a, b) => a - b);
  }

  // A curve's point that is nearest to a place; none where the curve has not begun or has ended.
  nearest(runs, x) {
    const points = runs.flat();
    if (points.length === 0 || x < points[0][0] || x > points.at(-1)[0]) return null;
    return points.reduce((best, point) => (Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best));
  }

  show(x) {
    this.at = x;
    this.above.replaceChildren();
    this.tip.hidden = x === null;
    if (x === null) return;
    const [left, top, right, bottom] = this.data.frame;
    const cross = this.place("x", x);
    this.above.append(this.element("line", { class: "cross", x1: cross, x2: cross, y1: top, y2: bottom }));
    const { x: axis, y } = this.data;
    const rows = [];
    for (const series of this.series()) {
      const point = this.nearest(series.runs, x);
      const raw = (series.raw ?? []).flat().find((other) => other[0] === x);
      if (!point && !raw) continue;
      const [px, py] = point ?? raw;
      const mark = { cx: this.place("x", px) + series.aside, cy: this.place("y", py), r: 18, fill: series.color };
      if (mark.cy >= top - 1 && mark.cy <= bottom + 1) this.above.append(this.element("circle", { ...mark, class: "mark" }));
      let text = shown(y, py);
      const deviation = series.deviations?.[series.runs.flat().findIndex((other) => other === point)];
      if (typeof deviation === "number") text += ` ± ${shown(y, deviation)}`;
      const band = series.band?.find((edges) => edges[0] === px);
      if (band) text += ` (${shown(y, band[1])} to ${shown(y, band[2])})`;
      if (point && raw && this.share !== 0) text += ` (raw ${shown(y, raw[1])})`;
      const dot = this.element("circle", { cx: 5, cy: 5, r: 5, fill: series.color });
      const sign = this.element("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" });
      sign.append(dot);
      rows.push(html("div", {}, sign, `${series.name} `, html("b", { textContent: text })));
    }
    const head = `${axis.text.replace(" (log scale)", "")} ${placed(axis, x)}`;
    this.tip.replaceChildren(html("div", { className: "where", textContent: head }), ...rows);
    // Beside the line, on the side that has more room.
    const box = this.svg.getBoundingClientRect();
    const own = this.figure.getBoundingClientRect();
    const at = box.left - own.left + cross / this.size[0] * box.width;
    const before = cross > (left + right) / 2;
    this.tip.style.maxWidth = `${(before ? at : own.width - at) - 14}px`;
    this.tip.style.left = before ? "auto" : `${at + 10}px`;
    this.tip.style.right = before ? `${own.width - at + 10}px` : "auto";
    this.tip.style.top = `${box.top - own.top + top / this.size[1] * box.height}px`;
  }

  // Zooms to a part of the x axis, and of the y axis if it is given, otherwise to what the curves have there.
  zoom(x, y) {
    const inside = this.series().flatMap((series) => series.runs.concat(series.raw ?? []).flat())
      .filter((point) => point[0] >= x[0] && point[0] <= x[1]).map((point) => point[1]);
    const bars = this.series().flatMap((series) => (series.band ?? []))
      .filter((edges) => edges[0] >= x[0] && edges[0] <= x[1]).flatMap((edges) => edges.slice(1));
    const values = inside.concat(bars);
    if (!y && values.length === 0) return;
    const [low, high] = y ?? [Math.min(...values), Math.max(...values)];
    const room = y ? 0 : 0.05 * (high - low) || 0.05 * (this.data.y.high - this.data.y.low);
    this.view = { x, y: [low - room, high + room] };
    this.redraw();
  }

  unzoom() {
    this.view = null;
    this.redraw();
  }

  // Zooms around the place that is read, by a factor.
  scale(factor) {
    const { low, high } = this.data.x;
    const [from, to] = this.range("x");
    const middle = this.at ?? (from + to) / 2;
    const x = [Math.max(low, middle - (middle - from) * factor), Math.min(high, middle + (to - middle) * factor)];
    if (x[1] - x[0] > (1 - 1e-9) * (high - low)) this.unzoom();
    else this.zoom(x);
  }

  redraw() {
    const changed = this.view !== null || this.hidden.size > 0 || this.share !== null;
    this.drawn.style.display = changed ? "none" : "";
    this.reset.hidden = this.view === null;
    this.redrawn.replaceChildren(...(changed ? this.drawing() : []));
    this.show(this.at !== null && this.places().includes(this.at) ? this.at : null);
  }

  drawing() {
    const { frame: [left, top, right, bottom], unit, chance } = this.data;
    const parts = [];
    const text = (attributes, content) => this.element("text", { class: "ink", "font-size": 14 * unit, ...attributes }, content);
    for (const [at, label] of ticks(this.data.x, this.range("x"))) {
      const x = this.place("x", at);
      parts.push(this.element("line", { class: "grid", x1: x, x2: x, y1: top, y2: bottom }));
      parts.push(this.element("line", { class: "axis", x1: x, x2: x, y1: bottom, y2: bottom + 5 * unit }));
      parts.push(text({ x, y: bottom + 10 * unit, dy: "0.76em", "text-anchor": "middle" }, label));
    }
    for (const [at, label] of ticks(this.data.y, this.range("y"))) {
      const y = this.place("y", at);
      parts.push(this.element("line", { class: "grid", x1: left, x2: right, y1: y, y2: y }));
      parts.push(this.element("line", { class: "axis", x1: left - 5 * unit, x2: left, y1: y, y2: y }));
      parts.push(text({ x: left - 10 * unit, y, dy: "0.5ex", "text-anchor": "end" }, label));
    }
    parts.push(this.element("polyline", { class: "axis", points: `${left},${top} ${left},${bottom} ${right},${bottom}` }));
    const titles = [this.data.x.text, this.data.y.text];
    const kept = [...this.drawn.querySelectorAll("text")].filter((old) => titles.includes(old.textContent.trim()));
    parts.push(...kept.map((old) => old.cloneNode(true)));
    // What a zoom leaves out is cut off at the axes.
    const inside = this.element("svg", {
      x: left, y: top, width: right - left, height: bottom - top, viewBox: `${left} ${top} ${right - left} ${bottom - top}`,
    });
    if (chance) {
      const y = this.place("y", chance.at);
      inside.append(this.element("line", { class: "axis", "stroke-dasharray": `${2 * unit} ${3 * unit}`, x1: left, x2: right, y1: y, y2: y }));
      inside.append(text({ x: right - 4 * unit, y: y - 5 * unit, "text-anchor": "end", "font-size": 12 * unit }, chance.text));
    }
    const series = this.series();
    series.forEach((one) => inside.append(...this.background(one)));
    series.forEach((one) => inside.append(...this.curve(one)));
    return [...parts, inside];
  }

  points(run, aside = 0) {
    return run.map(([x, y]) => `${this.place("x", x) + aside},${this.place("y", y)}`).join(" ");
  }

  background(series) {
    const band = series.band ?? [];
    const edges = band.map(([x, low]) => [x, low]).concat([...band].reverse().map(([x, , high]) => [x, high]));
    const strip = edges.length ? [this.element("polygon", { fill: series.color, opacity: 0.2, points: this.points(edges) })] : [];
    const pale = { fill: "none", stroke: series.color, "stroke-width": this.data.unit, opacity: 0.3 };
    return strip.concat((series.raw ?? []).map((run) => this.element("polyline", { ...pale, points: this.points(run) })));
  }

  curve(series) {
    const { unit } = this.data;
    const line = { fill: "none", stroke: series.color, "stroke-width": 2 * unit, "stroke-dasharray": series.dash.join(" ") };
    const parts = [];
    for (const run of series.runs) {
      if (series.joined) parts.push(this.element("polyline", { ...line, points: this.points(run, series.aside) }));
      if (!series.markers) continue;
      const [low, high] = this.range("x");
      const seen = run.filter(([x]) => x >= low && x <= high);
      const every = Math.max(1, Math.ceil(seen.length / 32));
      run.forEach(([px, py], i) => {
        const [x, y] = [this.place("x", px) + series.aside, this.place("y", py)];
        const deviation = series.deviations?.[i];
        if (typeof deviation === "number") {
          const [y1, y2] = [py - deviation, py + deviation].map((end) => this.place("y", end));
          const whisker = `M${x},${y1}V${y2}M${x - 4 * unit},${y1}h${8 * unit}M${x - 4 * unit},${y2}h${8 * unit}`;
          parts.push(this.element("path", { fill: "none", stroke: series.color, "stroke-width": 1.5 * unit, d: whisker }));
        }
        if (i % every) return;
        const corners = series.marker.map(([dx, dy]) => `${x + dx},${y + dy}`).join(" ");
        const circle = { fill: series.color, cx: x, cy: y, r: 3.5 * unit };
        parts.push(corners ? this.element("polygon", { fill: series.color, points: corners }) : this.element("circle", circle));
      });
    }
    return parts;
  }

  listen() {
    const { svg } = this;
    let from = null;
    const nearest = (event) => {
      const x = this.value("x", this.pointer(event)[0]);
      const places = this.places();
      return places.length ? places.reduce((best, at) => (Math.abs(at - x) < Math.abs(best - x) ? at : best)) : null;
    };
    const corner = (event) => {
      const [left, top, right, bottom] = this.data.frame;
      const [x, y] = this.pointer(event);
      return [Math.min(Math.max(x, left), right), Math.min(Math.max(y, top), bottom)];
    };
    // A drag along the x axis alone takes all of the y axis.
    const dragged = (event) => {
      const [, top, , bottom] = this.data.frame;
      const to = corner(event);
      const flat = Math.abs(to[1] - from[1]) < 0.1 * (bottom - top);
      const y = flat ? [top, bottom] : [from[1], to[1]].sort((a, b) => a - b);
      return { x: [from[0], to[0]].sort((a, b) => a - b), y, flat };
    };
    svg.addEventListener("pointerdown", (event) => {
      // A finger reads values; it scrolls the page and has no second button to take a zoom back.
      if (event.pointerType === "touch") this.show(nearest(event));
      else if (event.button === 0) from = corner(event);
    });
    svg.addEventListener("pointermove", (event) => {
      this.show(nearest(event));
      if (!from) return;
      this.tip.hidden = true;
      svg.setPointerCapture?.(event.pointerId);
      const { x, y } = dragged(event);
      this.above.append(this.element("rect", { class: "drag", x: x[0], y: y[0], width: x[1] - x[0], height: y[1] - y[0] }));
    });
    svg.addEventListener("pointerup", (event) => {
      if (!from) return;
      const { x, y, flat } = dragged(event);
      from = null;
      const wide = x[1] - x[0] > 8 * this.data.unit;
      if (wide) this.zoom(x.map((place) => this.value("x", place)), flat ? null : y.map((place) => this.value("y", place)).reverse());
      else this.show(nearest(event));
    });
    svg.addEventListener("pointercancel", () => { from = null; this.show(null); });
    svg.addEventListener("pointerleave", () => { if (!from) this.show(null); });
    svg.addEventListener("dblclick", () => this.unzoom());
    svg.addEventListener("blur", () => this.show(null));
    this.reset.addEventListener("click", () => this.unzoom());
    svg.addEventListener("keydown", (event) => {
      const places = this.places();
      const at = places.indexOf(this.at);
      const step = event.shiftKey ? 10 : 1;
      const keys = {
        ArrowRight: () => this.show(places[Math.min(at + step, places.length - 1)] ?? null),
        ArrowLeft: () => this.show(places[at === -1 ? places.length - 1 : Math.max(at - step, 0)] ?? null),
        Home: () => this.show(places[0] ?? null),
        End: () => this.show(places.at(-1) ?? null),
        "+": () => this.scale(0.5),
        "-": () => this.scale(2),
        Escape: () => { this.unzoom(); this.show(null); },
      };
      if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
      event.preventDefault();
      keys[event.key]();
    });
  }
}

// What the page does beyond being read: values under the pointer, zoom, hidden curves, smoothing, sorted tables.
// Each plot brings its figures as JSON behind its drawing, which stays as it is until somebody changes what it shows.
"use strict";

// Numbers are written as the rest of the page writes them.
function four(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(3).replace("e+", "e");
  return value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : size >= 0.1 ? 4 : 5);
}
const plain = (value) => String(Number(value.toPrecision(6)));
const READS = {
  count: (value) => String(Math.round(value)),
  percent: (value) => `${(100 * value).toFixed(1)}%`,
  number: four,
  log: (value) => four(10 ** value),
};
const shown = (axis, value) =>
  axis.reads === "name" ? (axis.ticks.find(([at]) => at === value) ?? [0, ""])[1] : READS[axis.reads](value);
// The x axis names settings as they were given: 0.25, not 0.2500.
const placed = (axis, value) => {
  if (axis.reads === "number") return plain(value);
  return axis.reads === "log" ? plain(10 ** value) : shown(axis, value);
};

// Ticks of a part of an axis at 1, 2 or 5 times a power of ten.
function ticks(axis, [low, high]) {
  const inside = axis.ticks.filter(([at]) => at >= low && at <= high);
  if (axis.reads === "name" || (low === axis.low && high === axis.high)) return inside;
  const log = axis.reads === "log";
  const [from, to] = log ? [10 ** low, 10 ** high] : [low, high];
  const found = [];
  if (log && high - low > 1.2) {
    for (let power = Math.floor(low); power <= high; power += 1) {
      for (const factor of high - low > 2.5 ? [1] : [1, 2, 5]) found.push(factor * 10 ** power);
    }
  } else {
    const least = (to - from) / 6;
    const power = 10 ** Math.floor(Math.log10(least));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= least * (1 - 1e-9));
    const every = axis.reads === "count" ? Math.max(step, 1) : step;
    for (let at = Math.ceil(from / every) * every; at <= to; at += every) found.push(at);
  }
  const label = axis.reads === "percent" ? (value) => `${plain(100 * value)}%` : plain;
  return found.map((value) => [log ? Math.log10(value) : value, label(value)]).filter(([at]) => at >= low && at <= high);
}

// The centred moving average over a share of all points; narrower at the ends, so that a slope stays as it is.
function smoothed(runs, share) {
  const count = runs.reduce((sum, run) => sum + run.length, 0);
  const half = Math.round((share * count) / 200);
  return runs.map((run) => run.map(([x], i) => {
    const reach = Math.min(half, i, run.length - 1 - i);
    const part = run.slice(i - reach, i + reach + 1);
    return [x, part.reduce((sum, point) => sum + point[1], 0) / part.length];
  }));
}

const html = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};

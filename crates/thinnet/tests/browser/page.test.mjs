// The page's script in a DOM: what a reader does, and what the page then shows.
// PAGES names the folder that the example `pages` has written, NODE_PATH where jsdom is.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";

const { JSDOM, VirtualConsole } = createRequire(import.meta.url)("jsdom");
const PAGES = process.env.PAGES;

// The page, alive, with plots that are 560 pixels wide: four units of a drawing to a pixel.
function open(name, scripts = "dangerously") {
  const console = new VirtualConsole();
  const errors = [];
  console.on("jsdomError", (error) => errors.push(error));
  const text = readFileSync(join(PAGES, name, "report.html"), "utf8");
  const dom = new JSDOM(text, {
    runScripts: scripts,
    virtualConsole: console,
    beforeParse(window) {
      window.Element.prototype.getBoundingClientRect = () => ({ left: 0, top: 0, width: 560, height: 330 });
    },
  });
  assert.deepEqual(errors.filter((error) => error.type === "unhandled-exception"), []);
  return dom.window.document;
}

const figure = (document, title) =>
  [...document.querySelectorAll("figure")].find((each) => each.querySelector("strong")?.textContent === title);
const plot = (document, title) => figure(document, title).querySelector("svg.plot");
const data = (document, title) => JSON.parse(figure(document, title).querySelector("script").textContent);
const tip = (document, title) => figure(document, title).querySelector(".tip");
const said = (document, title) => [...tip(document, title).children].map((row) => row.textContent);

function mouse(svg, type, [x, y], more = {}) {
  const Event = svg.ownerDocument.defaultView.MouseEvent;
  svg.dispatchEvent(new Event(type, { clientX: x, clientY: y, bubbles: true, button: 0, ...more }));
}
function press(svg, key, more = {}) {
  const Event = svg.ownerDocument.defaultView.KeyboardEvent;
  svg.dispatchEvent(new Event("keydown", { key, bubbles: true, cancelable: true, ...more }));
}
// Where a point is on the page.
function place({ frame: [left, top, right, bottom], x, y }, [px, py]) {
  const across = left + (px - x.low) / (x.high - x.low) * (right - left);
  const up = bottom - (py - y.low) / (y.high - y.low) * (bottom - top);
  return [across / 4, up / 4];
}
const drawnAnew = (document, title) => plot(document, title).querySelector("g").style.display === "none";
const ticks = (document, title) =>
  [...plot(document, title).querySelectorAll("g:nth-of-type(2) text.ink")].map((text) => text.textContent);

test("without the script there are no controls", () => {
  const document = open("run", "outside-only");
  assert.equal(document.querySelectorAll("button, input, .tip").length, 0);
  assert.ok(plot(document, "Accuracy").querySelectorAll("polyline").length > 2);
});

test("names are text", () => {
  const document = open("run");
  assert.equal(document.querySelector("#injected"), null);
  assert.ok(document.body.textContent.includes("</script><b id=\"injected\">"));
});

test("the pointer reads every curve at the nearest epoch", () => {
  const document = open("run");
  const accuracy = data(document, "Accuracy");
  mouse(plot(document, "Accuracy"), "pointermove", place(accuracy, [3.2, 0.4]));
  assert.deepEqual(said(document, "Accuracy"), ["Epoch 3", "training 30.0%", "validation 15.0%"]);
  assert.equal(tip(document, "Accuracy").hidden, false);
  const cross = plot(document, "Accuracy").querySelector(".cross");
  assert.ok(Math.abs(cross.getAttribute("x1") / 4 - place(accuracy, [3, 0])[0]) < 1e-6);
  assert.equal(plot(document, "Accuracy").querySelectorAll(".mark").length, 2);
  mouse(plot(document, "Accuracy"), "pointerleave", [0, 0]);
  assert.equal(tip(document, "Accuracy").hidden, true);
  assert.equal(plot(document, "Accuracy").querySelectorAll(".cross").length, 0);
});

test("arrow keys read values, and other keys stay the browser's", () => {
  const document = open("run");
  const svg = plot(document, "Loss");
  assert.equal(svg.getAttribute("tabindex"), "0");
  press(svg, "ArrowRight");
  assert.equal(said(document, "Loss")[0], "Epoch 1");
  press(svg, "ArrowRight");
  assert.deepEqual(said(document, "Loss").slice(0, 2), ["Epoch 2", "training 1.800"]);
  press(svg, "ArrowLeft");
  press(svg, "ArrowLeft");
  assert.equal(said(document, "Loss")[0], "Epoch 1", "it stays at the end");
  press(svg, "End");
  assert.equal(said(document, "Loss")[0], "Epoch 10");
  press(svg, "ArrowLeft", { ctrlKey: true });
  assert.equal(said(document, "Loss")[0], "Epoch 10");
  press(svg, "Escape");
  assert.equal(tip(document, "Loss").hidden, true);
});

test("a drag zooms, a double click and the button take it back", () => {
  const document = open("run");
  const [svg, own] = [plot(document, "Accuracy"), data(document, "Accuracy")];
  const reset = figure(document, "Accuracy").querySelector(".reset");
  const drag = (from, to) => {
    mouse(svg, "pointerdown", place(own, from));
    mouse(svg, "pointermove", place(own, to));
    assert.equal(svg.querySelectorAll(".drag").length, 1);
    mouse(svg, "pointerup", place(own, to));
  };
  assert.ok(reset.hidden && !drawnAnew(document, "Accuracy"));
  drag([2.1, 0.5], [5.9, 0.5]);
  assert.ok(!reset.hidden && drawnAnew(document, "Accuracy"));
  // Epochs 3 to 5: validation starts at 15%, training ends at 50%.
  assert.deepEqual(ticks(document, "Accuracy").filter((text) => /^\d+$/.test(text)), ["3", "4", "5"]);
  const percents = ticks(document, "Accuracy").filter((text) => /^\d.*%$/.test(text)).map(parseFloat);
  assert.ok(Math.min(...percents) >= 13 && Math.max(...percents) <= 52, String(percents));
  press(svg, "Home");
  assert.deepEqual(said(document, "Accuracy"), ["Epoch 3", "training 30.0%", "validation 15.0%"]);
  mouse(svg, "dblclick", [100, 100]);
  assert.ok(reset.hidden && !drawnAnew(document, "Accuracy"));
  drag([4, 0.8], [8, 0.2]);
  const box = ticks(document, "Accuracy").filter((text) => /^\d.*%$/.test(text)).map(parseFloat);
  assert.ok(Math.min(...box) >= 20 && Math.max(...box) <= 80, String(box));
  reset.click();
  assert.ok(reset.hidden && !drawnAnew(document, "Accuracy"));
  press(svg, "+");
  assert.ok(!reset.hidden);
  press(svg, "-");
  assert.ok(reset.hidden, "back to the whole");
  mouse(svg, "pointerdown", place(own, [4, 0.5]), { button: 2 });
  mouse(svg, "pointerup", place(own, [8, 0.5]), { button: 2 });
  assert.ok(reset.hidden, "another button is the browser's");
});

test("a legend's button hides its curve in every plot", () => {
  const document = open("run");
  const button = [...document.querySelectorAll(".legend button")].find((each) => each.textContent.trim() === "validation");
  assert.equal(button.getAttribute("aria-pressed"), "true");
  button.click();
  assert.equal(button.getAttribute("aria-pressed"), "false");
  for (const title of ["Accuracy", "Loss"]) {
    press(plot(document, title), "Home");
    assert.ok(drawnAnew(document, title));
    assert.ok(!said(document, title).join().includes("validation"), title);
  }
  button.click();
  press(plot(document, "Accuracy"), "Home");
  assert.ok(said(document, "Accuracy").join().includes("validation") && !drawnAnew(document, "Accuracy"));
});

test("the slider smooths losses anew", () => {
  const document = open("run");
  const title = "Loss of every step";
  const slider = document.querySelector(".slider input[type=range]");
  const at = (share) => {
    slider.value = share;
    slider.dispatchEvent(new document.defaultView.Event("input"));
    press(plot(document, title), "Home");
    for (let step = 1; step !== 50; step += 1) press(plot(document, title), "ArrowRight");
    return said(document, title)[1];
  };
  assert.equal(document.querySelectorAll(".slider").length, 1);
  // Losses are 1 and 2 in turn; 2 at step 50. Of 11 around it 5 are 2, of 21 around it 11.
  assert.match(at(0), / 2\.000$/);
  assert.match(at(10), / 1\.455 \(raw 2\.000\)$/);
  assert.match(at(20), / 1\.524 \(raw 2\.000\)$/);
  assert.equal(document.querySelector(".slider output").textContent, "20% of the run");
  assert.match(figure(document, title).querySelector("p.note").textContent, /moving average over 20% of the run/);
});

test("a click on a head sorts a table, numbers as numbers", () => {
  const document = open("sweep");
  const table = document.querySelector("table.points");
  const head = (name) => [...table.tHead.rows[0].cells].find((cell) => cell.textContent.trim() === name);
  const column = (name) => [...table.tBodies[0].rows].map((row) => row.cells[head(name).cellIndex].textContent.trim());
  const sort = (name) => head(name).querySelector("button").click();
  assert.equal(column("val accuracy")[0], "30.5 ± 0.7%");
  sort("val accuracy");
  assert.equal(head("val accuracy").getAttribute("aria-sort"), "ascending");
  assert.deepEqual(column("val accuracy").map(parseFloat), [20.5, 22.5, 24.5, 26.5, 28.5, 30.5]);
  sort("val accuracy");
  assert.equal(head("val accuracy").getAttribute("aria-sort"), "descending");
  assert.equal(column("val accuracy")[0], "30.5 ± 0.7%");
  sort("epochs");
  assert.equal(head("val accuracy").getAttribute("aria-sort"), null);
  assert.deepEqual(column("epochs").map(Number), [5, 6, 7, 8, 9, 10], "9 before 10");
  sort("optim.rule");
  assert.deepEqual(column("optim.rule"), ["adam", "adam", "adam", "sgd", "sgd", "sgd"]);
  assert.deepEqual(column("model.keep").slice(0, 3), ["1", "0.5", "0.25"], "equal ones stay in order");
  assert.equal(table.querySelectorAll("tr.best").length, 1);
});

test("a matrix keeps its diagonal", () => {
  const document = open("run");
  assert.equal(document.querySelectorAll("table.confusion button").length, 0);
  assert.ok(document.querySelectorAll("table thead button").length > 0);
});

test("a sweep's plots read means and deviations", () => {
  const document = open("sweep");
  press(plot(document, "model.keep"), "Home");
  assert.deepEqual(said(document, "model.keep"), [
    "Keep probability 0.25", "optim.rule=adam 20.5% ± 0.7%", "optim.rule=sgd 22.5% ± 0.7%",
  ]);
  press(plot(document, "optim.rule"), "End");
  assert.equal(said(document, "optim.rule")[0], "Optimiser sgd");
});

test("a comparison's plots read means over seeds, and its links lead to the runs", () => {
  const document = open("comparison");
  press(plot(document, "Val accuracy"), "End");
  assert.deepEqual(said(document, "Val accuracy"), [
    "Epoch 10", "keep 1 49.0% (48.0% to 50.0%)", "keep 0.5 34.0% (28.0% to 40.0%)",
  ]);
  const links = [...document.querySelectorAll("table.points a")].map((link) => link.getAttribute("href"));
  assert.equal(links.length, 4);
  assert.ok(links.every((link) => existsSync(join(PAGES, "comparison", link))), links[0]);
});

test("a sweep's links lead to pages that are there", () => {
  const document = open("sweep");
  const links = [...document.querySelectorAll("table.points a")].map((link) => link.getAttribute("href"));
  assert.equal(links.length, 1);
  assert.ok(existsSync(join(PAGES, "sweep", links[0])), links[0]);
  assert.equal(dirname(dirname(links[0])), "runs");
});

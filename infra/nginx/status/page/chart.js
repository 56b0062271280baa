// One panel: a chart, and a table that is its legend and its words for who does not see it.

import { coloursOf } from "./panels.js";

const uPlot = globalThis.uPlot;
const HEIGHT = 180;
const FONT = "12px system-ui, sans-serif";

export const shown = (value) => {
  if (value === null || value === undefined) return "–";
  const digits = value === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
};

const cssColour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Chart {
  #figure; #plot; #panel; #drawn = null; #names = ""; #last = null;

  constructor(panel, parent) {
    const figure = document.querySelector("#chart").content.firstElementChild.cloneNode(true);
    figure.id = panel.query;
    figure.querySelector("h2").textContent = panel.title;
    figure.querySelector(".unit").textContent = panel.unit;
    parent.append(figure);
    this.#figure = figure;
    this.#plot = figure.querySelector(".plot");
    this.#panel = panel;
    new ResizeObserver(() => this.#drawn?.setSize({ width: this.#plot.clientWidth, height: HEIGHT })).observe(this.#plot);
  }

  /** Draw anew, with the colours that hold now. */
  restyle() {
    this.#names = "";
    if (this.#last) this.show(this.#last);
  }

  show({ times, series }) {
    this.#last = { times, series };
    const lines = series
      .map(({ labels, values }) => ({ label: this.#panel.label(labels) || "all", values }))
      .sort((one, other) => one.label.localeCompare(other.label));
    const colours = coloursOf(lines.map(({ label }) => label));
    lines.forEach((line, index) => { line.colour = cssColour(colours[index]); });
    this.#say(lines.length ? "" : "Nothing yet", false);
    this.#fill(lines);
    if (!lines.length) return;
    const data = [times, ...lines.map(({ values }) => values)];
    const names = lines.map(({ label }) => label).join("\n");
    if (this.#drawn && names === this.#names) {
      this.#drawn.setData(data);
      return;
    }
    this.#drawn?.destroy();
    this.#names = names;
    this.#drawn = new uPlot(this.#options(lines), data, this.#plot);
  }

  /** Say why there is nothing to see. */
  fail(reason) {
    this.#say(reason, true);
  }

  #say(text, isBad) {
    const empty = this.#figure.querySelector(".empty");
    empty.textContent = text;
    empty.classList.toggle("bad", isBad);
    empty.hidden = !text;
    this.#plot.hidden = Boolean(text);
    this.#figure.querySelector("table").hidden = Boolean(text);
  }

  #fill(lines) {
    const rows = lines.map(({ label, values, colour }) => {
      const row = document.createElement("tr");
      const name = document.createElement("th");
      const swatch = document.createElement("span");
      name.scope = "row";
      swatch.className = "swatch";
      swatch.style.background = colour;
      name.append(swatch, label);
      const highest = Math.max(...values.filter((value) => value !== null));
      row.append(name, cell(shown(values.at(-1))), cell(shown(highest)));
      return row;
    });
    this.#figure.querySelector("tbody").replaceChildren(...rows);
    const words = lines.map(({ label, values }) => `${label} ${shown(values.at(-1))}`).join(", ");
    this.#plot.setAttribute("aria-label", `${this.#panel.title}, ${this.#panel.unit}, now: ${words || "nothing"}`);
  }

  #options(lines) {
    const axis = { stroke: cssColour("--quiet"), font: FONT, ticks: { show: false } };
    const grid = { stroke: cssColour("--grid"), width: 1 };
    return {
      width: this.#plot.clientWidth,
      height: HEIGHT,
      padding: [8, 12, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { show: false } },
      scales: { y: { range: (_, __, highest) => [0, highest > 0 ? highest * 1.1 : 1] } },
      axes: [
        { ...axis, grid: { show: false }, values: (_, times) => times.map(clock), space: 70, size: 26 },
        { ...axis, grid, size: 52, values: (_, values) => values.map(shown) },
      ],
      series: [
        {},
        ...lines.map(({ label, colour }) => ({ label, stroke: colour, width: 2, points: { show: false }, spanGaps: false })),
      ],
    };
  }
}

function cell(text) {
  const made = document.createElement("td");
  made.textContent = text;
  return made;
}

function clock(time) {
  return new Date(time * 1000).toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false });
}

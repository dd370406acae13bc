/** How points look, which are shown, and which are worth a look. */

import { element, section } from "../dom";
import type { Explorer } from "../explorer";
import type { State } from "../state";
import { annotationFilters } from "./annotations";
import { columnPicker } from "./columns";
import { compared } from "./compared";
import { filters } from "./filters";
import { find } from "./find";
import { legend } from "./legend";
import { madeColumns } from "./made";
import { reviewPanel } from "./review";

export function controls(explorer: Explorer): HTMLElement {
  const color = columnPicker(explorer, "color", "Colour by", "One colour", ["category", "number"]);
  const size = columnPicker(explorer, "size", "Size by", "Same size", ["number"]);
  return element(
    "aside", { class: "controls", "aria-label": "Colour, size and filters" },
    section("Colour", color, legend(explorer)),
    section("Size", size, slider(explorer, "scale", "Size of points", 0.1, 5, (v) => `${v.toFixed(1)}×`)),
    section("Opacity", slider(explorer, "opacity", "Opacity of points", 0.05, 1, (v) => `${Math.round(100 * v)} %`)),
    compared(explorer),
    filters(explorer),
    annotationFilters(explorer),
    find(explorer),
    madeColumns(explorer),
    reviewPanel(explorer),
  );
}

/** A slider of a value between bounds; its steps are even on a logarithmic scale. */
function slider(
  { state }: Explorer, key: "scale" | "opacity", label: string, low: number, high: number,
  said: (value: number) => string,
): HTMLElement {
  const output = element("output");
  const input = element("input", {
    type: "range", min: 0, max: 100, "aria-label": label, id: key,
    oninput: () => state.set({ [key]: low * (high / low) ** (Number(input.value) / 100) } as Partial<State>),
  });
  state.watch([key], (now) => {
    input.value = String((100 * Math.log(now[key] / low)) / Math.log(high / low));
    output.textContent = said(now[key]);
    input.setAttribute("aria-valuetext", output.textContent);
  });
  return element("div", { class: "slider" }, input, output);
}

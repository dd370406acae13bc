/** How points look, which are shown, and which are worth a look. */

import { element, fill, section } from "../dom";
import type { Explorer } from "../explorer";
import { OWN, ownColumns, type State } from "../state";
import { filters } from "./filters";
import { find } from "./find";
import { legend } from "./legend";
import { reviewPanel } from "./review";

export function controls(explorer: Explorer): HTMLElement {
  const { state } = explorer;
  const color = columnPicker(explorer, "color", "One colour", () => true);
  const size = columnPicker(explorer, "size", "Same size", (kind) => kind === "number");
  color.addEventListener("change", () => state.set({ hidden: [], only: null }));
  return element(
    "aside", { class: "controls", "aria-label": "Colour, size and filters" },
    section("Colour", color, legend(explorer)),
    section("Size", size, slider(explorer, "scale", "Size of points", 0.1, 5, (v) => `${v.toFixed(1)}×`)),
    section("Opacity", slider(explorer, "opacity", "Opacity of points", 0.05, 1, (v) => `${Math.round(100 * v)} %`)),
    filters(explorer),
    find(explorer),
    reviewPanel(explorer),
  );
}

function columnPicker(
  explorer: Explorer, key: "color" | "size", none: string, takes: (kind: string) => boolean,
): HTMLSelectElement {
  const { site, state } = explorer;
  const picker = element("select", {
    id: key, "aria-label": key === "color" ? "Colour by" : "Size by",
    onchange: () => state.set({ [key]: picker.value === "" ? null : picker.value } as Partial<State>),
  });
  state.watch(["map", key], (now) => {
    const own = Array.from(ownColumns(site, now.map), ([role, id]) => ({ role, entry: site.entry(id)! }))
      .filter(({ entry }) => takes(entry.kind))
      .map(({ role, entry }) => element("option", { value: `${OWN}${role}` }, entry.title));
    const given = (about: string): HTMLOptionElement[] => site.manifest.columns
      .filter((entry) => entry.about === about && takes(entry.kind))
      .map((entry) => element("option", { value: entry.id }, entry.title));
    const groups: [string, HTMLOptionElement[]][] = [
      ["Samples", given("sample")],
      ["Annotations", given("annotation")],
      ["The embedding and map shown", own],
    ];
    fill(
      picker,
      element("option", { value: "" }, none),
      ...groups.filter(([, options]) => options.length > 0)
        .map(([label, options]) => element("optgroup", { label }, ...options)),
    );
    picker.value = now[key] ?? "";
  });
  return picker;
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

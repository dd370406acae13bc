/** What colours mean; values can be shown alone, switched off and searched. */

import type { Categories, Numbers } from "../data/site";
import { data, element, fill } from "../dom";
import type { Explorer } from "../explorer";
import { toggled } from "../state";
import { along, colorOfCategory, colorsOf, scaleOf } from "../view/shades";
import { count, counted, number } from "../words";
import { isTouched } from "./help";

const AT_FIRST = 12;
const AT_MOST = 300;

export function legend(explorer: Explorer): HTMLElement {
  const host = element("div", { class: "legend" });
  let refresh = (): void => {};
  explorer.found.watch(["color"], ({ color }) => {
    fill(host);
    if (color === null) refresh = () => {};
    else if (color.kind === "number") refresh = numberLegend(host, explorer, color);
    else refresh = categoryLegend(host, explorer, color);
  });
  explorer.state.watch(["hidden", "only"], () => refresh());
  explorer.found.watch(["shown"], () => refresh());
  return host;
}

function categoryLegend(host: HTMLElement, explorer: Explorer, color: Categories): () => void {
  const sizes = countsOf(color, () => true);
  let [wanted, limit] = ["", AT_FIRST];
  const list = element("ul");
  const more = element("button", { class: "link", onclick: () => {
    limit = limit === AT_FIRST ? AT_MOST : AT_FIRST;
    refresh();
  } });
  const all = element("button", { class: "link all", "aria-label": "Show all values", onclick: () => showAll(explorer) }, "Show all");
  const find = element("input", {
    type: "search", placeholder: `Search ${counted(color.entry.values, "value")}`,
    "aria-label": "Search the legend",
    oninput: () => {
      wanted = find.value.trim().toLowerCase();
      refresh();
    },
  });
  const refresh = (): void => {
    const matching = color.values.flatMap((value, i) =>
      nameOf(value).toLowerCase().includes(wanted) ? [i] : []);
    const { shown, shownCount } = explorer.found.now;
    const left = shownCount === explorer.site.count ? sizes : countsOf(color, (row) => shown[row] === 1);
    fill(list, ...matching.slice(0, limit).map((i) => row(explorer, color, i, left[i]!, sizes[i]!)));
    const rest = matching.length - limit;
    more.hidden = matching.length <= AT_FIRST || (rest > 0 && limit === AT_MOST);
    more.textContent = limit === AT_FIRST ? `${count(matching.length - AT_FIRST)} more` : "Fewer";
    // It keeps its place: rows stay where they are while one presses them.
    all.classList.toggle("idle", explorer.state.now.only === null && explorer.state.now.hidden.length === 0);
  };
  const hint = element("span", { class: "hint-line" }, `${isTouched() ? "Tap" : "Click"} to see one alone`);
  fill(host, element("div", { class: "head" }, color.values.length > AT_FIRST ? find : hint, all), list, more);
  refresh();
  return refresh;
}

/** How many samples have each value, of those that are counted. */
function countsOf({ values, indices }: Categories, counts: (row: number) => boolean): Uint32Array {
  const sizes = new Uint32Array(values.length);
  for (let row = 0; row < indices.length; row++) if (counts(row)) sizes[indices[row]!]!++;
  return sizes;
}

function row(explorer: Explorer, color: Categories, index: number, shown: number, size: number): HTMLElement {
  const value = color.values[index]!;
  const name = nameOf(value);
  const on = isOn(explorer, value);
  const alone = isAlone(explorer, value);
  const swatch = element("span", { class: "swatch" });
  swatch.style.background = colorOfCategory(color, index, explorer.site.manifest.palette);
  return element(
    "li", { class: on ? null : "off" },
    element(
      "button", {
        class: "value", "aria-pressed": String(alone), title: alone ? `${name}: show all again` : `${name}: show it alone`,
        onclick: (event: MouseEvent) => {
          if (event.shiftKey) toggle(explorer, value);
          else if (alone) showAll(explorer);
          else explorer.state.set({ only: [value], hidden: [] });
          keepFocus(event);
        },
      },
      swatch, data(name, { class: value === null ? "name none" : "name" }), element("span", { class: "number" }, !on || shown === size ? count(size) : `${count(shown)} of ${count(size)}`),
    ),
    element("button", {
      class: "switch", "aria-label": `${on ? "Hide" : "Show"} ${name}`, title: "Shift and click do the same",
      onclick: (event: MouseEvent) => {
        toggle(explorer, value);
        keepFocus(event);
      },
    }, on ? "hide" : "show"),
  );
}

/** A list that is drawn again loses the focus; give it to the same place of the new one. */
function keepFocus(event: MouseEvent): void {
  const button = event.currentTarget as HTMLElement;
  const list = button.closest("ul")!;
  const place = Array.from(list.children).indexOf(button.parentElement!);
  setTimeout(() => list.children[place]?.querySelector<HTMLElement>(`.${button.className}`)?.focus());
}

function nameOf(value: string | null): string {
  return value === "" ? "(empty)" : value ?? "no value";
}

function isOn({ state }: Explorer, value: string | null): boolean {
  const { only, hidden } = state.now;
  return only?.includes(value) ?? !hidden.includes(value);
}

function toggle({ state }: Explorer, value: string | null): void {
  const { only, hidden } = state.now;
  if (only === null) return state.set({ hidden: toggled(hidden, value) });
  const left = toggled(only, value);
  state.set({ only: left.length === 0 ? null : left });
}

function isAlone({ state }: Explorer, value: string | null): boolean {
  const { only } = state.now;
  return only?.length === 1 && only[0] === value;
}

function showAll({ state }: Explorer): void {
  state.set({ only: null, hidden: [] });
}

function numberLegend(host: HTMLElement, { site }: Explorer, color: Numbers): () => void {
  const { low, high } = scaleOf(color);
  const { palette } = site.manifest;
  const scale = colorsOf(color, palette);
  const bar = element("div", { class: "scale" });
  const stops = Array.from({ length: 9 }, (_, i) => along(scale, i / 8));
  bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  const unit = color.entry.unit === null ? "" : ` ${color.entry.unit}`;
  const ticks = [low, (low + high) / 2, high].map((value) => element("span", {}, number(value)));
  const swatch = element("span", { class: "swatch" });
  swatch.style.background = palette.none;
  const { low: least, high: most, missing, description } = color.entry;
  const beyond = least !== null && most !== null && (least < low || most > high)
    ? `All values lie from ${number(least)} to ${number(most)}${unit}; the outer ones have the end's colour.`
    : null;
  fill(
    host, bar, element("div", { class: "ticks" }, ...ticks),
    unit !== "" && element("p", { class: "note" }, `In${unit}.`),
    beyond !== null && element("p", { class: "note" }, beyond),
    missing > 0 && element("p", { class: "note" }, swatch, `${counted(missing, "sample")} without a value`),
    description !== null && element("p", { class: "note" }, data(description)),
  );
  return () => {};
}

/** What other programs say of samples, such as predictions and an LLM's score: shown, and cut off. */

import type { Categories, Column, Numbers, Sample, Site } from "../data/site";
import { breakable, data, element, fill, section } from "../dom";
import type { Explorer } from "../explorer";
import { toggled, type Filter } from "../state";
import { count, number } from "../words";
import { valueOf } from "./card";
import { readColumns } from "./columns";

/** Of categories with more values a filter's list is shorter than so many buttons. */
const FEW_VALUES = 6;
const MOST_COLUMNS = 8;
/** Longer values are paragraphs of their own. */
const LONG = 60;

/** How ids of columns begin that say whether an annotation names the label. */
const VERDICT = "verdict::";

/** All that is said of one sample. Null if nothing is. */
export async function annotationsOf({ site }: Explorer, sample: Sample, long: (text: string) => HTMLElement[]): Promise<HTMLElement | null> {
  const { columns, missing } = await readColumns(site, site.entries("annotation").map(({ id }) => id));
  const titles = new Set(columns.map(({ entry }) => entry.title));
  const told: [string, HTMLElement | string][] = [
    ...columns.filter((column) => hasValue(column, sample.row)).map((column): [string, HTMLElement | string] =>
      [column.entry.title, column.entry.id.startsWith(VERDICT) ? verdict(column, sample.row) : wholeValueOf(column, sample)]),
    ...sample.fields.filter(({ title, about }) => about === "annotation" && !titles.has(title))
      .map(({ title, value }): [string, string] => [title, value]),
  ];
  if (told.length === 0 && missing === null) return null;
  const isLong = ([, value]: [string, HTMLElement | string]): boolean => typeof value === "string" && value.length > LONG;
  return section(
    "Annotations",
    element("dl", { class: "facts" }, ...told.filter((one) => !isLong(one)).flatMap(([title, value]) => [
      element("dt", {}, breakable(title)), element("dd", {}, typeof value === "string" ? data(value) : value),
    ])),
    ...told.filter(isLong).map(([title, value]) =>
      element("div", { class: "message" }, element("h3", {}, data(title)), ...long(value as string))),
    missing,
  );
}

/** What a column says of a sample; values of categories are cut, but the sample has them whole. */
export function wholeValueOf(column: Column, { row, fields }: Sample): string {
  const { title, about } = column.entry;
  const whole = column.kind === "category" ? fields.find((field) => field.title === title && field.about === about) : undefined;
  return whole?.value ?? valueOf(column, row);
}

function hasValue(column: Column, row: number): boolean {
  return column.kind === "category" ? column.values[column.indices[row]!] !== null : !Number.isNaN(column.values[row]!);
}

function verdict(column: Column, row: number): HTMLElement {
  const said = valueOf(column, row);
  return element("span", { class: said }, `${said === "right" ? "✓" : "✗"} ${said}`);
}

/** Quick filters on annotations: a button for each of a few values, a cut-off for each number. */
export function annotationFilters(explorer: Explorer): HTMLElement | null {
  const { site, state } = explorer;
  const entries = cuttable(site);
  if (entries.length === 0) return null;
  const list = element("div", { class: "cuts" });
  const host = element("details", { class: "annotations" }, element("summary", {}, "Filter by annotations"), list);
  const refresh = async (): Promise<void> => {
    if (!host.open) return;
    const { columns, missing } = await readColumns(site, entries);
    const focused = document.activeElement?.id;
    const short = columns.filter((column) => column.kind === "number" || column.values.every((value) => (value?.length ?? 0) <= LONG));
    fill(list, ...short.map((column) => (column.kind === "number" ? cutOff(explorer, column) : values(explorer, column))), missing);
    if (focused?.startsWith("cut-")) document.getElementById(focused)?.focus();
  };
  const follow = (): void => void refresh().catch((error: unknown) => explorer.fail(error));
  host.addEventListener("toggle", follow);
  state.watch(["filters"], follow);
  return host;
}

/** Whether predictions are right comes first. */
function cuttable(site: Site): string[] {
  const entries = site.entries("annotation").filter((entry) => entry.kind === "number" || entry.values <= FEW_VALUES);
  return entries.map(({ id }) => id).sort((a, b) => Number(b.startsWith(VERDICT)) - Number(a.startsWith(VERDICT))).slice(0, MOST_COLUMNS);
}

function replaceFilter({ state }: Explorer, column: string, filter: Filter | null): void {
  const others = state.now.filters.filter((one) => one.column !== column);
  state.set({ filters: filter === null ? others : [...others, filter] });
}

function values(explorer: Explorer, { entry, values: all, indices }: Categories): HTMLElement {
  const sizes = new Uint32Array(all.length);
  for (let row = 0; row < indices.length; row++) sizes[indices[row]!]!++;
  const filter = explorer.state.now.filters.find(({ column }) => column === entry.id);
  const chosen = filter !== undefined && "values" in filter ? filter.values : [];
  return element("div", { class: "cut" }, element("p", {}, data(entry.title)), element("div", { class: "chips" },
    ...all.map((value, i) => element("button", {
      class: "chip", id: `cut-${entry.id}-${i}`, "aria-pressed": String(chosen.includes(value)), onclick: () => {
        const next = toggled(chosen, value);
        replaceFilter(explorer, entry.id, next.length === 0 ? null : { column: entry.id, values: next });
      },
    }, data(value ?? "no value"), ` ${count(sizes[i]!)}`))));
}

/** A slider from the least to the greatest value: samples below are kept out; at its start all are shown. */
function cutOff(explorer: Explorer, { entry }: Numbers): HTMLElement {
  const [low, high] = [entry.low ?? 0, entry.high ?? 0];
  const filter = explorer.state.now.filters.find(({ column }) => column === entry.id);
  const now = filter !== undefined && "low" in filter ? filter.low : low;
  const output = element("output", {}, number(now));
  const input = element("input", {
    type: "range", id: `cut-${entry.id}`, min: low, max: high, step: entry.whole ? 1 : (high - low) / 100 || 1, value: now,
    "aria-label": `${entry.title} at least`,
    oninput: () => (output.textContent = number(Number(input.value))),
    onchange: () => {
      const least = Number(input.value);
      const most = filter !== undefined && "high" in filter ? filter.high : high;
      replaceFilter(explorer, entry.id, least <= low && most >= high ? null : { column: entry.id, low: least, high: most });
    },
  });
  return element("div", { class: "cut" }, element("p", {}, data(entry.title), " at least"), element("div", { class: "slider" }, input, output));
}

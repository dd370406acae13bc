/** What the sample under the pointer is, beside the pointer. */

import { element, data, fill } from "../dom";
import type { Column, Numbers } from "../data/site";
import type { Explorer } from "../explorer";
import { columnOf, ownColumns } from "../state";
import { number, percent } from "../words";
import { columnName, readColumns } from "./columns";

const SNIPPET = 240;

export function card(explorer: Explorer): { host: HTMLElement; show(row: number, x: number, y: number): void; hide(): void } {
  const { site, found } = explorer;
  const host = element("div", { class: "card", hidden: true });
  let shown: number | null = null;

  function place(x: number, y: number): void {
    const { width, height } = explorer.stage;
    const { offsetWidth, offsetHeight } = host;
    const left = x + 18 + offsetWidth > width ? x - 18 - offsetWidth : x + 18;
    const top = Math.min(y + 12, height - offsetHeight - 8);
    host.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
  }

  async function show(row: number, x: number, y: number): Promise<void> {
    if (row === shown) return place(x, y);
    shown = row;
    const details = Promise.all([site.sample(row), explorer.orNull(site.thumbnail(row))]);
    // Columns are here already: what they say need not wait for picture and text.
    const facts = (await factsOf(explorer, row)).map(([title, value]) =>
      element("p", { class: "fact" }, element("span", {}, data(title)), data(value)));
    if (shown === row) fill(host, ...facts);
    reveal(row, x, y);
    const [sample, picture] = await details;
    if (shown !== row) return;
    fill(
      host,
      picture !== null && element("img", { src: picture, alt: "" }),
      ...facts,
      sample.text !== null && element("p", { class: "snippet" }, data(shortened(sample.text))),
      element("p", { class: "id" }, data(sample.id)),
    );
    host.dataset["row"] = String(row);
    reveal(row, x, y);
  }

  function reveal(row: number, x: number, y: number): void {
    if (shown !== row) return;
    host.hidden = false;
    found.set({ hovered: row });
    place(x, y);
  }

  return {
    host,
    show: (row, x, y) => void show(row, x, y).catch((error: unknown) => explorer.fail(error)),
    hide(): void {
      shown = null;
      host.hidden = true;
      found.set({ hovered: null });
    },
  };
}

/** The label, the chosen colour and size, and how dense it is around a sample. */
async function factsOf({ site, state, found }: Explorer, row: number): Promise<[string, string][]> {
  const { map, size } = state.now;
  const keys = [site.manifest.first.column, found.now.color?.entry.id ?? null, size, "this:density"];
  const ids = new Set(keys.map((key) => columnOf(site, map, key)).filter((id) => id !== undefined));
  const { columns } = await readColumns(site, Array.from(ids));
  const own = new Set(ownColumns(site, map).values());
  return columns.map((column) =>
    [own.has(column.entry.id) ? column.entry.title : columnName(site, column.entry), valueOf(column, row)]);
}

export function valueOf(column: Column, row: number): string {
  if (column.kind === "category") return column.values[column.indices[row]!] ?? "no value";
  const value = column.values[row]!;
  if (Number.isNaN(value)) return "no value";
  const unit = column.entry.unit === null ? "" : ` ${column.entry.unit}`;
  return `${number(value)}${unit} (${rankOf(column, row)})`;
}

/** How a number compares to those of all samples. */
function rankOf({ values, percentiles, entry }: Numbers, row: number): string {
  const value = Math.fround(values[row]!);
  if (entry.low === entry.high) return "as all";
  if (value === Math.fround(entry.low ?? NaN)) return "lowest of all";
  if (value === Math.fround(entry.high ?? NaN)) return "highest of all";
  const below = Math.floor(percentiles[row]! / 100) / 100;
  return below === 0 ? "among the lowest 1\u00a0%" : `higher than ${percent(below)} of samples`;
}

export function shortened(text: string, length = SNIPPET): string {
  return text.length <= length ? text : `${text.slice(0, length).trimEnd()} …`;
}

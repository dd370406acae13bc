/** Samples worth a look, one press away: what the measurements of the run point at. */

import type { Numbers } from "../data/site";
import { element, fill, section } from "../dom";
import type { Explorer } from "../explorer";
import { columnOf } from "../state";
import { count } from "../words";
import { leaks } from "./leaks";
import { outliers } from "./outliers";

interface Finding {
  title: string;
  role: "density" | "purity" | "trust";
  takes(column: Numbers, row: number): boolean;
}

const FINDINGS: Finding[] = [
  { title: "Sparsest 1 %", role: "density", takes: ({ percentiles }, row) => percentiles[row]! < 100 },
  { title: "No neighbor has its label", role: "purity", takes: ({ values }, row) => values[row] === 0 },
  { title: "Neighbors not kept by this map", role: "trust", takes: ({ values }, row) => values[row]! < 0.8 },
];

export function find(explorer: Explorer): HTMLElement {
  const { site, state } = explorer;
  const list = element("ul", { class: "find" });
  const host = section("Find", list, outliers(explorer), leaks(explorer));
  state.watch(["map"], ({ map }) => {
    const here = FINDINGS.filter(({ role }) => columnOf(site, map, `this:${role}`) !== undefined);
    host.hidden = here.length === 0;
    fill(list, ...here.map((finding) => element("li", {}, findButton(explorer, finding))));
  });
  return host;
}

/** Counting takes a column more: it is fetched when the button is pressed. */
function findButton(explorer: Explorer, { title, role, takes }: Finding): HTMLElement {
  const { site, state } = explorer;
  const number = element("span", { class: "number" });
  const press = async (): Promise<void> => {
    const id = columnOf(site, state.now.map, `this:${role}`)!;
    const column = await site.column(id);
    if (column.kind !== "number") return;
    const rows: number[] = [];
    for (let row = 0; row < site.count; row++) if (takes(column, row)) rows.push(row);
    number.textContent = count(rows.length);
    explorer.select(Uint32Array.from(rows));
  };
  return element("button", {
    class: "value", onclick: () => void press().catch((error: unknown) => explorer.fail(error)),
  }, element("span", { class: "name" }, title), number);
}

/** Which samples are shown: those that the legend, every filter and the search let through. */

import type { Column, Site } from "./data/site";
import type { State } from "./state";

export async function shownRows(
  site: Site, state: State, color: Column | null, matches: Uint8Array | null,
): Promise<Uint8Array> {
  const shown = matches?.slice() ?? new Uint8Array(site.count).fill(1);
  if (color?.kind === "category" && (state.only !== null || state.hidden.length > 0)) {
    keep(shown, color, (value) => state.only?.includes(value) ?? !state.hidden.includes(value));
  }
  for (const filter of state.filters) {
    // The box of a filter whose column cannot be read says so, and that it lets all through.
    const column = site.entry(filter.column) && (await site.column(filter.column).catch(() => undefined));
    if (column?.kind === "category" && "values" in filter) {
      if (filter.values.length > 0) keep(shown, column, (value) => filter.values.includes(value));
    } else if (column?.kind === "number" && "low" in filter) {
      const { values } = column;
      for (let row = 0; row < shown.length; row++) {
        if (!(values[row]! >= filter.low && values[row]! <= filter.high)) shown[row] = 0;
      }
    }
  }
  return shown;
}

function keep(
  shown: Uint8Array, { values, indices }: Extract<Column, { kind: "category" }>,
  wanted: (value: string | null) => boolean,
): void {
  const kept = values.map(wanted);
  for (let row = 0; row < shown.length; row++) if (!kept[indices[row]!]) shown[row] = 0;
}

/**
 * Near-duplicates across source groups: where one of a pair is trained on and the other is tested,
 * the score says little.
 */

import type { Numbers } from "../data/site";
import { element, fill } from "../dom";
import type { Explorer } from "../explorer";
import { columnOf, OWN } from "../state";
import { count, counted, number, percent } from "../words";
import { shortened } from "./card";
import { sampleTile } from "./detail";

const ROLE = `${OWN}nearest_other`;
/** Of the median distance to the nearest sample of another source group: so near is suspect. */
const NEAR = { most: 1, first: 0.1 };
const PAIRS = 8;

interface Pair {
  row: number;
  /** Null where it is not among the neighbors that are told. */
  other: number | null;
  distance: number;
}

export function leaks(explorer: Explorer): HTMLElement {
  const { site, state } = explorer;
  const output = element("output");
  const slider = element("input", {
    type: "range", min: 0, max: 100, "aria-label": "How near is suspect, as a share of the median distance", id: "near",
    oninput: () => state.set({ leaks: (NEAR.most * Number(slider.value)) / 100 }),
  });
  const answer = element("div", { class: "pairs" });
  const host = element("details", { class: "leaks" },
    element("summary", {}, "Near-duplicates across sources"), element("div", { class: "slider" }, slider, output), answer);
  host.addEventListener("toggle", () => {
    if (host.open !== (state.now.leaks !== null)) state.set({ leaks: host.open ? NEAR.first : null });
  });
  let asked = 0;
  const refresh = async (): Promise<void> => {
    const turn = ++asked;
    const { map, leaks: share } = state.now;
    const id = columnOf(site, map, ROLE);
    host.hidden = id === undefined;
    host.open = share !== null;
    if (id === undefined || share === null) return;
    slider.value = String((100 * share) / NEAR.most);
    output.textContent = percent(share);
    slider.setAttribute("aria-valuetext", output.textContent);
    const column = await site.column(id);
    if (turn !== asked || column.kind !== "number") return;
    const median = medianOf(column);
    const suspects = suspectsOf(column, share * median);
    const pairs = await pairsOf(explorer, suspects, column);
    if (turn !== asked) return;
    const tiles = await Promise.all(pairs.map((pair) => pairTiles(explorer, pair)));
    if (turn !== asked) return;
    fill(
      answer,
      element("button", {
        class: "value", disabled: suspects.length === 0, onclick: () => explorer.select(suspects.slice().sort()),
      }, element("span", { class: "name" }, "suspects"),
      element("span", { class: "number" }, count(suspects.length))),
      ...tiles,
      element("p", { class: "note" }, suspects.length === 0
        ? `None is nearer to a sample of another source than ${percent(share)} of ${number(median)}, the median distance.`
        : `Leak suspects in this embedding: nearer than ${percent(share)} of the median distance, ${number(median)}. The nearest pairs stand first.`),
    );
  };
  const follow = (): void => void refresh().catch((error: unknown) => explorer.fail(error));
  state.watch(["leaks", "map"], follow);
  return host;
}

function medianOf({ values, percentiles }: Numbers): number {
  let [best, found] = [Infinity, 0];
  percentiles.forEach((percentile, row) => {
    const off = Math.abs(percentile - 5_000);
    if (off < best) [best, found] = [off, values[row]!];
  });
  return found;
}

/** Rows that are at most so far from another source, the nearest first. */
function suspectsOf({ values }: Numbers, most: number): Uint32Array {
  const rows: number[] = [];
  values.forEach((value, row) => {
    if (value <= most) rows.push(row);
  });
  return Uint32Array.from(rows.sort((a, b) => values[a]! - values[b]! || a - b));
}

/** The nearest pairs, each once. */
async function pairsOf({ site, state }: Explorer, suspects: Uint32Array, { values }: Numbers): Promise<Pair[]> {
  const method = site.method(site.map(state.now.map)?.method ?? "");
  const pairs: Pair[] = [];
  const seen = new Set<number>();
  for (const row of suspects) {
    if (pairs.length === PAIRS) break;
    if (seen.has(row)) continue;
    const near = method === undefined ? null : await site.neighbors(method, row);
    const other = near?.find(({ sameSource }) => !sameSource)?.row ?? null;
    pairs.push({ row, other, distance: values[row]! });
    seen.add(row);
    if (other !== null) seen.add(other);
  }
  return pairs;
}

async function pairTiles(explorer: Explorer, { row, other, distance }: Pair): Promise<HTMLElement> {
  const { site } = explorer;
  const rows = other === null ? [row] : [row, other];
  const tiles = await Promise.all(rows.map(async (one) => {
    const [picture, sample] = await Promise.all([explorer.orNull(site.thumbnail(one)), site.sample(one)]);
    return sampleTile(explorer, one, picture, shortened(sample.text ?? sample.id, 90), {
      below: null, title: `${sample.id}\ndistance ${number(distance)}`, outlined: false,
    });
  }));
  return element("div", { class: "leak", "aria-label": `${counted(rows.length, "sample")} at distance ${number(distance)}`, role: "group" },
    ...tiles, element("span", { class: "number" }, number(distance)));
}

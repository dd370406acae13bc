/** How many rules call a sample an outlier. */

import { percentilesOf } from "../data/derived";
import { NO_PERCENTILE, type Categories, type Numbers } from "../data/site";

export interface Rule {
  column: Numbers;
  /** Whether great values are odd; else small ones. */
  high: boolean;
}

/**
 * Of each rule the share of samples with the oddest values is flagged; those that tie at its edge are not.
 * With labels it is the share of the samples of each label, and samples without one have no flag.
 */
export function flagsOf(rules: readonly Rule[], share: number, count: number, labels: Categories | null): Uint8Array {
  const flags = new Uint8Array(count);
  const edge = 10_000 * share;
  for (const { column, high } of rules) {
    const percentiles = labels === null ? column.percentiles : withinLabels(column, labels);
    for (let row = 0; row < count; row++) {
      const percentile = percentiles[row]!;
      if (percentile !== NO_PERCENTILE && (high ? 10_000 - percentile : percentile) < edge) flags[row]!++;
    }
  }
  return flags;
}

/** Percentiles among the samples of the same label; a label of one sample has nothing to compare it with. */
function withinLabels({ values }: Numbers, labels: Categories): Uint16Array {
  const percentiles = new Uint16Array(values.length).fill(NO_PERCENTILE);
  const members = Map.groupBy(values.keys(), (row) => labels.indices[row]!);
  for (const [label, rows] of members) {
    if (labels.values[label] === null) continue;
    const found = percentilesOf(Float64Array.from(rows, (row) => values[row]!));
    rows.forEach((row, i) => (percentiles[row] = found[i]!));
  }
  return percentiles;
}

/** How many samples have at least 1, 2, … flags. */
export function countsOfFlags(flags: Uint8Array, most: number): number[] {
  const counts = new Array<number>(most).fill(0);
  for (const flag of flags) for (let least = 1; least <= flag; least++) counts[least - 1]!++;
  return counts;
}

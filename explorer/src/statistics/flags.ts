/** How many rules call a sample an outlier. */

import { NO_PERCENTILE, type Numbers } from "../data/site";

export interface Rule {
  column: Numbers;
  /** Whether great values are odd; else small ones. */
  high: boolean;
}

/** Of each rule the share of samples with the oddest values is flagged; those that tie at its edge are not. */
export function flagsOf(rules: readonly Rule[], share: number, count: number): Uint8Array {
  const flags = new Uint8Array(count);
  const edge = 10_000 * share;
  for (const { column: { percentiles }, high } of rules) {
    for (let row = 0; row < count; row++) {
      const percentile = percentiles[row]!;
      if (percentile !== NO_PERCENTILE && (high ? 10_000 - percentile : percentile) < edge) flags[row]!++;
    }
  }
  return flags;
}

/** How many samples have at least 1, 2, … flags. */
export function countsOfFlags(flags: Uint8Array, most: number): number[] {
  const counts = new Array<number>(most).fill(0);
  for (const flag of flags) for (let least = 1; least <= flag; least++) counts[least - 1]!++;
  return counts;
}

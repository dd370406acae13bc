/** Rings around samples that rules flag: one for each flag. */

import type { Pen } from "./pen";

interface Places {
  place(row: number): { x: number; y: number } | undefined;
}

const FIRST = 6;
const STEP = 3;
/** Rings around more samples are no longer told apart, and take long. */
export const MOST_RINGED = 3_000;

/** The samples that rings are drawn around: those with most flags, as far as there is room for them. */
export function ringed(flags: Uint8Array, shown: Uint8Array): number[] {
  const byFlags: number[][] = [];
  for (let row = 0; row < flags.length; row++) {
    if (flags[row]! > 0 && shown[row]) (byFlags[flags[row]!] ??= []).push(row);
  }
  return byFlags.reverse().flat().slice(0, MOST_RINGED);
}

export function drawRings(
  context: Pen, places: Places, rows: readonly number[], flags: Uint8Array, color: string,
): void {
  context.strokeStyle = color;
  context.lineWidth = 1.2;
  context.beginPath();
  for (const row of rows) {
    const place = places.place(row);
    if (place === undefined) continue;
    for (let ring = 0; ring < flags[row]!; ring++) {
      const radius = FIRST + STEP * ring;
      context.moveTo(place.x + radius, place.y);
      context.arc(place.x, place.y, radius, 0, 2 * Math.PI);
    }
  }
  context.stroke();
}

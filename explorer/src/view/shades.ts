/** Colours and sizes of points from columns. */

import { NO_PERCENTILE, type Column, type Numbers } from "../data/site";
import type { Manifest } from "../data/manifest";
import { PLAIN_SIZE } from "./cloud";

export interface Shades {
  colors: Uint16Array;
  palette: Uint32Array;
}

/** Steps of the scale of numbers; one more is the colour of none. */
const STEPS = 256;
/** Blue below 0, orange above, and a grey between them that is seen on white and on black. */
export const DIVERGING = ["#0072b2", "#6ba3c4", "#b3b3b3", "#dd9468", "#d55e00"];

/** One colour for all. */
export function plainShades(count: number, { palette }: Manifest): Shades {
  return { colors: new Uint16Array(count), palette: Uint32Array.of(packed(palette.categories[0]!)) };
}

export function shadesOf(column: Column, { palette }: Manifest): Shades {
  if (column.kind === "category") {
    return {
      colors: Uint16Array.from(column.indices),
      palette: Uint32Array.from(column.values, (_, i) => packed(colorOfCategory(column, i, palette))),
    };
  }
  const { low, high } = scaleOf(column);
  const scale = colorsOf(column, palette);
  const factor = (STEPS - 1) / (high - low || 1);
  return {
    colors: Uint16Array.from(column.values, (value) =>
      value !== value ? STEPS : Math.round(Math.max(0, Math.min(STEPS - 1, (value - low) * factor)))),
    palette: Uint32Array.from({ length: STEPS + 1 }, (_, i) =>
      packed(i === STEPS ? palette.none : along(scale, i / (STEPS - 1)))),
  };
}

export function colorOfCategory(
  { values, entry }: Extract<Column, { kind: "category" }>, index: number,
  { categories, none }: Manifest["palette"],
): string {
  if (values[index] === null) return none;
  return entry.colors?.[index] ?? categories[index % categories.length]!;
}

/** The colours of a column of numbers, from low to high. */
export function colorsOf({ entry }: Numbers, { numbers }: Manifest["palette"]): readonly string[] {
  return entry.diverges ? DIVERGING : numbers;
}

/**
 * From where to where the scale of a column goes: its middle 99 %, so that no outlier eats it; as
 * far below 0 as above where 0 is its middle.
 */
export function scaleOf(column: Numbers): { low: number; high: number } {
  const { low, high } = middleOf(column);
  const most = Math.max(Math.abs(low), Math.abs(high));
  return column.entry.diverges ? { low: -most, high: most } : { low, high };
}

function middleOf({ values, percentiles, entry }: Numbers): { low: number; high: number } {
  let [low, high] = [Infinity, -Infinity];
  for (let row = 0; row < values.length; row++) {
    const percentile = percentiles[row]!;
    if (percentile < 50 || percentile > 9950 || percentile === NO_PERCENTILE) continue;
    if (values[row]! < low) low = values[row]!;
    if (values[row]! > high) high = values[row]!;
  }
  return low <= high ? { low, high } : { low: entry.low ?? 0, high: entry.high ?? 1 };
}

/** Sizes from half to two and a half times the plain one, by percentile; few are large. */
export function sizesOf({ percentiles }: Numbers, lowIsLarge: boolean): Uint8Array {
  return Uint8Array.from(percentiles, (percentile) => {
    if (percentile === NO_PERCENTILE) return PLAIN_SIZE / 2;
    const share = lowIsLarge ? 1 - percentile / 10_000 : percentile / 10_000;
    return Math.round(PLAIN_SIZE * (0.5 + 2 * share ** 3));
  });
}

/** A colour between those of a scale, at a share of its length. */
export function along(scale: readonly string[], share: number): string {
  const place = share * (scale.length - 1);
  const before = Math.min(scale.length - 2, Math.floor(place));
  const [from, to] = [channels(scale[before]!), channels(scale[before + 1]!)];
  return `#${from.map((channel, i) => hex(channel + (place - before) * (to[i]! - channel))).join("")}`;
}

/** #rrggbb, or #rgb as style sheets shorten it, as Canvas keeps it: 0xAABBGGRR. */
export function packed(color: string): number {
  const [red, green, blue] = channels(color) as [number, number, number];
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Black or white, whichever is read better on a colour (relative luminance of WCAG 2). */
export function inkOn(color: string): string {
  const [red, green, blue] = channels(color)
    .map((channel) => channel / 255)
    .map((share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000000" : "#ffffff";
}

function channels(color: string): number[] {
  const digits = color.length === 4 ? color.replace(/[^#]/g, "$&$&") : color;
  return [1, 3, 5].map((start) => Number.parseInt(digits.slice(start, start + 2), 16));
}

function hex(channel: number): string {
  return Math.round(channel).toString(16).padStart(2, "0");
}

/** Columns that no file has: they are made of others in the browser. */

import type { Method, NumberEntry } from "./manifest";
import { NO_PERCENTILE, type Numbers, type Site } from "./site";

/** How ids of columns begin that say how one column differs between two embeddings. */
const DIFFERENCE = "difference::";

export function differenceId(role: string, of: string, less: string): string {
  return [`${DIFFERENCE}${role}`, of, less].join("::");
}

interface Difference {
  role: string;
  of: Method;
  less: Method;
}

function readDifference(id: string, site: Site): Difference | undefined {
  if (!id.startsWith(DIFFERENCE)) return undefined;
  const [role, first, second] = id.slice(DIFFERENCE.length).split("::") as [string, string?, string?];
  const [of, less] = [site.method(first ?? ""), site.method(second ?? "")];
  const known = of !== undefined && less !== undefined && of !== less
    && Object.hasOwn(of.columns, role) && Object.hasOwn(less.columns, role);
  return known ? { role, of, less } : undefined;
}

/** What is known of a difference before its values are here; undefined for what is none. */
export function differenceEntry(id: string, site: Site): NumberEntry | undefined {
  const found = readDifference(id, site);
  if (found === undefined) return undefined;
  const { title } = site.entry(found.of.columns[found.role]!)!;
  const [here, there] = [site.nameOf(found.of), site.nameOf(found.less)];
  return {
    id,
    title: `${title}: ${here} − ${there}`,
    description: `“${title}” in ${here} less the same in ${there}: above 0, ${here} has more.`,
    about: "method",
    of: found.of.id,
    kind: "number",
    missing: 0,
    low: null,
    high: null,
    whole: false,
    unit: null,
    diverges: true,
    file: "",
    bytes: 0,
    crc32: 0,
  };
}

export async function differenceColumn(entry: NumberEntry, site: Site): Promise<Numbers> {
  const { role, of, less } = readDifference(entry.id, site)!;
  const [a, b] = await Promise.all([of, less].map(({ columns }) => site.column(columns[role]!))) as [Numbers, Numbers];
  return numbersOf(entry, Float32Array.from(a.values, (value, row) => value - b.values[row]!));
}

/** A column of numbers, NaN for none, with what follows from them. */
export function numbersOf(entry: NumberEntry, values: Float32Array): Numbers {
  const known = knownOf(values);
  return {
    kind: "number",
    entry: { ...entry, missing: values.length - known.length, low: known[0] ?? null, high: known.at(-1) ?? null },
    values,
    percentiles: percentilesOf(values, known),
  };
}

function knownOf<Values extends Float32Array | Float64Array>(values: Values): Values {
  return values.filter((value) => value === value).sort() as Values;
}

/** In hundredths of a percent among the known ones, which ascend; ties share the middle. */
export function percentilesOf<Values extends Float32Array | Float64Array>(values: Values, known = knownOf(values)): Uint16Array {
  const ranks = new Map<number, number>();
  for (let from = 0; from < known.length;) {
    let end = from + 1;
    while (end < known.length && known[end] === known[from]) end++;
    ranks.set(known[from]!, (from + end - 1) / 2);
    from = end;
  }
  const last = known.length - 1;
  return Uint16Array.from(values, (value) =>
    value !== value ? NO_PERCENTILE : last === 0 ? 5_000 : Math.round((10_000 * ranks.get(value)!) / last));
}

/** Columns that a person makes of selections: kept in this browser, and in the page's address. */

import { decodeRows, encodeRows } from "./rows";
import type { Site } from "./site";
import { readText, writeText } from "./storage";

export interface Made {
  name: string;
  /** Ascending. */
  rows: Uint32Array;
}

const YES = "yes";
const NO = "no";

export function madeId(name: string): string {
  return `made::${name}`;
}

/** Let a site know a column that says yes of some samples, and no of all others. */
export function deriveMade(site: Site, { name, rows }: Made): void {
  const values = 2 * rows.length >= site.count ? [YES, NO] : [NO, YES];
  const entry = {
    id: madeId(name), title: name, description: null, about: "sample", of: null, kind: "category", missing: 0,
    values: 2, colors: null, file: "", bytes: 0, crc32: 0,
  } as const;
  site.derive(entry, async () => {
    const indices = new Uint8Array(site.count).fill(values.indexOf(NO));
    for (const row of rows) indices[row] = values.indexOf(YES);
    return { kind: "category", entry, values, indices };
  });
}

/** Columns as addresses and browsers keep them. */
export function packMade(made: readonly Made[]): [string, string][] {
  return made.map(({ name, rows }) => [name, encodeRows(rows)]);
}

export function unpackMade(content: unknown, count: number): Made[] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((one: unknown) =>
    Array.isArray(one) && typeof one[0] === "string" && typeof one[1] === "string"
      ? [{ name: one[0], rows: decodeRows(one[1], count) }]
      : []);
}

/** The columns that this browser keeps of these samples. */
export function storedMade(site: Site): Made[] {
  try {
    return unpackMade(JSON.parse(readText(keyOf(site)) || "[]"), site.count);
  } catch {
    return [];
  }
}

/** Keep them; false if this browser keeps nothing. */
export function storeMade(site: Site, made: readonly Made[]): boolean {
  return writeText(keyOf(site), JSON.stringify(packMade(made)));
}

function keyOf({ manifest }: Site): string {
  return `latentmap columns ${manifest.key}`;
}

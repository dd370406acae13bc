/** Find words in ids, texts and columns of samples, chunk by chunk. */

import type { Site } from "./data/site";

/**
 * One byte for each row: whether any of its texts has the words, whatever their case. Null if
 * `signal` was aborted meanwhile.
 */
export async function search(
  site: Site, words: string, signal: AbortSignal, progress: (share: number) => void,
): Promise<Uint8Array | null> {
  const matches = new Uint8Array(site.count);
  const wanted = words.toLowerCase();
  await matchCategories(site, wanted, matches);
  const names = ["id", "text", "messages", ...site.manifest.samples.columns.map(({ name }) => name)];
  for await (const { first, table } of site.texts()) {
    if (signal.aborted) return null;
    for (const name of names) {
      const column = table.getChild(name);
      if (column === undefined) continue;
      for (let place = 0; place < column.length; place++) {
        if (matches[first + place]) continue;
        const text = column.at(place) as string | null;
        if (text !== null && text.toLowerCase().includes(wanted)) matches[first + place] = 1;
      }
    }
    progress(Math.min(1, (first + table.numRows) / site.count));
  }
  return signal.aborted ? null : matches;
}

/** Labels are not among the texts; every other column of samples is. */
async function matchCategories(site: Site, wanted: string, matches: Uint8Array): Promise<void> {
  const { column: id } = site.manifest.first;
  if (id === null) return;
  const column = await site.column(id);
  if (column.kind !== "category") return;
  const hit = column.values.map((value) => value !== null && value.toLowerCase().includes(wanted));
  for (let row = 0; row < matches.length; row++) if (hit[column.indices[row]!]) matches[row] = 1;
}

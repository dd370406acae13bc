/** Do the samples of a selection lie together in an embedding? Asked of its neighbor lists. */

import { asFailure, type Failure } from "../data/failure";
import type { Site } from "../data/site";
import type { Method } from "../data/manifest";

/** Neighbor lists come in chunks: samples of so many of them are asked. */
const CHUNKS = 6;
const ROWS = 300;

export interface Compactness {
  method: Method;
  /** Of the nearest neighbors of selected samples, the share that is selected too. */
  inside: number;
  asked: number;
  /** Why it could not be asked. */
  failure: Failure | null;
}

/** Ask every embedding whose neighbors are here, those where most neighbors are selected first. */
export async function compactness(site: Site, selected: Uint32Array): Promise<Compactness[]> {
  const chosen = new Set(selected);
  const found: Compactness[] = [];
  for (const method of site.manifest.methods) {
    if (method.neighbors === null) continue;
    const rows = someRows(selected, method.neighbors.starts);
    let [inside, all] = [0, 0];
    let failure: Failure | null = null;
    try {
      for (const row of rows) {
        const neighbors = (await site.neighbors(method, row))!;
        inside += neighbors.filter((neighbor) => chosen.has(neighbor.row)).length;
        all += neighbors.length;
      }
    } catch (error) {
      failure = asFailure(error);
    }
    found.push({ method, inside: failure !== null || all === 0 ? NaN : inside / all, asked: rows.length, failure });
  }
  const order = ({ inside }: Compactness): number => (Number.isNaN(inside) ? -1 : inside);
  return found.sort((a, b) => order(b) - order(a));
}

/** Selected rows of evenly spaced chunks, evenly spaced in these. */
function someRows(selected: Uint32Array, starts: readonly number[]): number[] {
  const chunks: number[][] = [];
  let chunk = -1;
  for (const row of selected) {
    while (chunk < 0 || row >= starts[chunk + 1]!) {
      chunk++;
      chunks.push([]);
    }
    chunks[chunk]!.push(row);
  }
  const rows = evenly(chunks.filter((one) => one.length > 0), CHUNKS).flat();
  return evenly(rows, ROWS);
}

function evenly<T>(values: readonly T[], most: number): T[] {
  if (values.length <= most) return values.slice();
  return Array.from({ length: most }, (_, i) => values[Math.floor((i * values.length) / most)]!);
}

/** How the sources of a run, or it and its reference run, are spread over the regions of a map. */

import { frameOf, inFrame } from "./coordinates";
import type { MapEntry } from "./manifest";
import type { Site } from "./site";

/** Differences beyond chance, at 5 % for all regions of a map together. */
const CERTAIN = 0.05;

export interface Region {
  /** Where its middle lies, as `Site.places` has coordinates. */
  centre: readonly [number, number, number];
  /** The share of the source's samples that lie here, and the mean of those of the others. */
  share: number;
  others: number;
  /** Of the difference of all sources here, adjusted for all regions; null where it is not tested. */
  p: number | null;
}

/** The regions of a map, each with what of a source lies there; none if the map does not know the source. */
export function regionsOf(map: MapEntry, source: string): Region[] {
  const { regions } = map;
  const which = regions?.sources.indexOf(source) ?? -1;
  if (!regions || which < 0) return [];
  const frame = frameOf(map);
  return regions.centres.map((centre, region) => {
    const shares = regions.shares[region]!;
    const others = shares.filter((_, i) => i !== which);
    return {
      centre: inFrame(centre, frame),
      share: shares[which]!,
      others: others.reduce((sum, share) => sum + share, 0) / others.length,
      p: regions.p_adjusted[region] ?? null,
    };
  });
}

export function isCertain({ p }: Region): boolean {
  return p !== null && p < CERTAIN;
}

/** The number of the region in which a place lies: that of the nearest centre. */
export function nearestCentre(regions: readonly Region[], x: number, y: number, z: number): number {
  let [best, least] = [0, Infinity];
  regions.forEach(({ centre }, i) => {
    const distance = (centre[0] - x) ** 2 + (centre[1] - y) ** 2 + (centre[2] - z) ** 2;
    if (distance < least) [best, least] = [i, distance];
  });
  return best;
}

/** The rows of the samples in a region, in their order. */
export async function rowsIn(site: Site, map: MapEntry, regions: readonly Region[], region: number): Promise<Uint32Array> {
  const places = await site.places(map);
  const rows: number[] = [];
  for (let row = 0; row < site.count; row++) {
    const [x, y, z] = places.subarray(3 * row, 3 * row + 3) as unknown as [number, number, number];
    if (nearestCentre(regions, x, y, z) === region) rows.push(row);
  }
  return Uint32Array.from(rows);
}

/** Which maps lie beside one another, of which one is what panels and keys are about. */

import type { MapEntry, Method } from "./data/manifest";
import type { Site } from "./data/site";
import type { State } from "./state";

export type Beside = Pick<State, "map" | "others" | "place">;

/** All maps that are shown, in their order; the others in as many dimensions as the one that panels are about. */
export function mapsShown(site: Site, { map, others, place }: Beside): MapEntry[] {
  const own = site.map(map);
  if (own === undefined) return [];
  const beside: MapEntry[] = [];
  for (const other of others.map((id) => site.map(id))) {
    if (other?.dims === own.dims) beside.push(other);
    else if (other !== undefined) {
      const inItsPlace = counterpart(site, other, own);
      if (inItsPlace !== undefined && ![own, ...beside].includes(inItsPlace)) beside.push(inItsPlace);
    }
  }
  return [...beside.slice(0, place), own, ...beside.slice(place)];
}

/** The number among the maps shown of the one that panels are about. */
export function activePlace(site: Site, beside: Beside): number {
  return Math.min(beside.place, mapsShown(site, beside).length - 1);
}

/** Make another of the maps shown the one that panels are about. */
export function activated(site: Site, beside: Beside, place: number): Beside {
  const ids = mapsShown(site, beside).map(({ id }) => id);
  const [map] = ids.splice(place, 1);
  return map === undefined ? beside : { map, others: ids, place };
}

/** Put one of the maps shown away; the one beside it may become the one that panels are about. */
export function withoutMap(site: Site, beside: Beside, place: number): Beside {
  const active = activePlace(site, beside);
  const ids = mapsShown(site, beside).map(({ id }) => id);
  ids.splice(place, 1);
  const next = active > place || active === ids.length ? active - 1 : active;
  const [map] = ids.splice(next, 1);
  return map === undefined ? beside : { map, others: ids, place: next };
}

/** Show so many maps, as far as there are: of the next best embeddings, then others of the same ones. */
export function withMaps(site: Site, beside: Beside, count: number, methods: readonly Method[]): Beside {
  const own = site.map(beside.map);
  if (own === undefined) return beside;
  const here = methods.findIndex(({ id }) => id === own.method);
  const next = [...methods.slice(here + 1), ...methods.slice(0, here)];
  const maps = site.manifest.maps.filter(({ dims }) => dims === own.dims);
  const offered = [
    ...mapsShown(site, beside), ...next.flatMap(({ id }) => likest(maps.filter(({ method }) => method === id), own) ?? []), ...maps,
  ];
  const others = Array.from(new Set(offered), ({ id }) => id).filter((id) => id !== own.id).slice(0, count - 1);
  return { map: own.id, others, place: Math.min(beside.place, others.length) };
}

/** Of several maps the one by the same projection, else by the same kind, else the first. */
export function likest(maps: readonly MapEntry[], like: MapEntry): MapEntry | undefined {
  return maps.find(({ projection }) => projection === like.projection)
    ?? maps.find(({ kind }) => kind === like.kind) ?? maps[0];
}

/** A map of the same embedding in as many dimensions as another map. */
function counterpart(site: Site, map: MapEntry, like: MapEntry): MapEntry | undefined {
  return likest(site.manifest.maps.filter(({ method, dims }) => method === map.method && dims === like.dims), like);
}

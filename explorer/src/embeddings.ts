/** The embeddings of a run: which have maps, what they score, and how to go from one to the other. */

import type { Manifest, MapEntry, Method } from "./data/manifest";
import type { Site } from "./data/site";
import type { Explorer } from "./explorer";
import { number } from "./words";

/** The embeddings that have maps: those of encoders, then those of baselines, best first in each. */
export function listedMethods(site: Site): Method[] {
  const listed = site.manifest.methods.filter(({ maps }) => maps.length > 0);
  return [...listed.filter(({ baseline }) => !baseline), ...listed.filter(({ baseline }) => baseline)];
}

export function fullName({ encoder, method, variant }: Method): string {
  return `${method} · ${encoder} (${variant})`;
}

/** What an embedding scores in the metric that ranks: "purity: 0.094 [0.05, 0.17], chance 0.055". */
export function score({ value, interval, chance }: Method, metric: Manifest["metric"]): string {
  if (metric === null || value === null) return "";
  return [
    `${metric.title}: ${number(value)}`,
    interval === null ? "" : ` [${interval.map(number).join(", ")}]`,
    chance === null ? "" : `, chance ${number(chance)}`,
  ].join("");
}

/** The maps of an embedding in so many dimensions. */
export function ofMethod({ site }: Explorer, method: string, dims: 2 | 3): MapEntry[] {
  return (site.method(method)?.maps ?? [])
    .map((id) => site.map(id)!)
    .filter((map) => map.dims === dims);
}

/** Show another embedding by the same projection, or else by its first in as many dimensions. */
export function showMethod(explorer: Explorer, id: string): void {
  const before = explorer.site.map(explorer.state.now.map);
  const maps = explorer.site.method(id)?.maps.map((map) => explorer.site.map(map)!) ?? [];
  const next = maps.find((map) => map.projection === before?.projection)
    ?? maps.find((map) => map.dims === before?.dims) ?? maps[0];
  if (next !== undefined) explorer.state.set({ map: next.id });
}

/** The next or the previous embedding in the order of the list. */
export function stepMethod(explorer: Explorer, step: 1 | -1): void {
  const { site, state } = explorer;
  const ids = listedMethods(site).map(({ id }) => id);
  const place = ids.indexOf(site.map(state.now.map)?.method ?? "");
  showMethod(explorer, ids.at((place + step) % ids.length)!);
}

/** Show the same embedding in two or three dimensions: by the projection last seen in them, or one of the same kind. */
export function showDims(explorer: Explorer, dims: 2 | 3): void {
  const map = explorer.site.map(explorer.state.now.map);
  if (map === undefined || map.dims === dims) return;
  const maps = ofMethod(explorer, map.method, dims);
  const last = explorer.projections.get(dims);
  const next = maps.find(({ projection }) => projection === last)
    ?? maps.find(({ kind }) => kind === map.kind) ?? maps[0];
  if (next !== undefined) explorer.state.set({ map: next.id });
}

/** All that a person chooses: it is in the address of the page, so that it can be shared. */

import { homeCamera, type Camera } from "./view/camera";
import type { Made } from "./data/made";
import { differenceId } from "./data/derived";
import type { Site } from "./data/site";

export type Tool = "move" | "lasso" | "rectangle";

/** What is asked of a column: numbers from low to high, or some of its values (none asks for nothing). */
export type Filter =
  | { column: string; low: number; high: number }
  | { column: string; values: readonly (string | null)[] };

/** What is asked of the open sample and one of its neighbors: what sets them apart, or makes them near. */
export interface Why {
  neighbor: number;
  view: "apart" | "near";
  /** The only channel whose positions are shown; null for all. */
  channel: number | null;
}

/** Outliers by several rules: of each, this share of samples is flagged. */
export interface Flags {
  share: number;
  /** Roles of the columns that are asked. */
  rules: readonly string[];
  /** Whether the share is that of each label; else of all samples. */
  byLabel: boolean;
}

export interface State {
  /** Id of the map. */
  map: string;
  /** Columns by their id, or "this:purity" for that of whatever is shown; null for none. */
  color: string | null;
  size: string | null;
  /** Times the plain size of points, and how much they cover. */
  scale: number;
  opacity: number;
  /** Values of the colour's column that are switched off; where `only` is not null, the only ones on. */
  hidden: readonly (string | null)[];
  only: readonly (string | null)[] | null;
  filters: readonly Filter[];
  /** Words that ids or texts of samples must have. */
  query: string;
  /** Rows in ascending order. */
  selected: Uint32Array;
  /** The sample whose detail is open, and those seen before it. */
  row: number | null;
  trail: readonly number[];
  tool: Tool;
  /** In 3D: whether the lasso takes what lies behind others too. */
  through: boolean;
  camera: Camera;
  why: Why | null;
  /** Ids of the maps beside `map`, and how many of them come before it. */
  others: readonly string[];
  place: number;
  /** Whether all embeddings of the encoder are shown, small, in place of the map. */
  gallery: boolean;
  /** Whether the samples of the reference run are shown. */
  before: boolean;
  /** The source of which the regions of the map tell how it is spread; null for none. */
  regions: string | null;
  flags: Flags | null;
  /** How near samples of different sources are to be suspect, as a share of the median distance; null if it is not asked. */
  leaks: number | null;
  /** Columns that were made of selections. */
  made: readonly Made[];
}

export const NONE = new Uint32Array();
/** How keys of columns begin that follow the map shown. */
export const OWN = "this:";
/** How keys begin that say how a column of the embedding shown differs from that of another one. */
const LESS = "this-less:";
export const NO_MAP = "";

export function firstState(site: Site): State {
  const { first, maps } = site.manifest;
  const map = site.map(first.map ?? "") ?? maps[0];
  return {
    map: map?.id ?? NO_MAP,
    color: first.column,
    size: null,
    scale: 1,
    opacity: 0.85,
    hidden: [],
    only: null,
    filters: [],
    query: "",
    selected: NONE,
    row: null,
    trail: [],
    tool: "move",
    through: true,
    camera: homeCamera(map?.dims ?? 2),
    why: null,
    others: [],
    place: 0,
    gallery: false,
    before: true,
    regions: null,
    flags: null,
    leaks: null,
    made: [],
  };
}

/** Columns that a map and its embedding have of their own, by what they say: density, trust … */
export function ownColumns(site: Site, map: string): ReadonlyMap<string, string> {
  const entry = site.map(map);
  const method = site.method(entry?.method ?? "");
  return new Map(Object.entries({ ...method?.columns, ...entry?.columns }));
}

/**
 * The column that a state names: "this:density" and the like follow the method and map shown.
 * Undefined where that has none.
 */
export function columnOf(site: Site, map: string, key: string | null): string | undefined {
  if (key === null) return undefined;
  if (key.startsWith(LESS)) {
    const [role, other] = key.slice(LESS.length).split("::") as [string, string?];
    return site.entry(differenceId(role, site.map(map)?.method ?? "", other ?? ""))?.id;
  }
  return key.startsWith(OWN) ? ownColumns(site, map).get(key.slice(OWN.length)) : site.entry(key)?.id;
}

/** The key of how a column of the embedding shown differs from that of another one. */
export function lessKey(role: string, other: string): string {
  return `${LESS}${role}::${other}`;
}

export function toggled<T>(values: readonly T[], value: T): readonly T[] {
  return values.includes(value) ? values.filter((kept) => kept !== value) : [...values, value];
}

/** The state in the address of the page: what is as at first is left out. */

import { deriveMade, packMade, storedMade, unpackMade } from "./data/made";
import { decodeRows, encodeRows } from "./data/rows";
import type { Site } from "./data/site";
import { firstState, type Filter, type Flags, type State, type Why } from "./state";
import type { Camera } from "./view/camera";

/** A longer selection is not shared: addresses that long do not survive being sent. */
const LONGEST_SELECTION = 6_000;

export function writeAddress(state: State, site: Site): string {
  const first = firstState(site);
  const said = new URLSearchParams();
  const say = (name: string, value: unknown, usual: unknown): void => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    if (text !== (typeof usual === "string" ? usual : JSON.stringify(usual))) said.set(name, text);
  };
  say("map", state.map, first.map);
  say("color", state.color, first.color);
  say("size", state.size, first.size);
  say("scale", state.scale, first.scale);
  say("opacity", state.opacity, first.opacity);
  say("hide", state.hidden, first.hidden);
  say("only", state.only, first.only);
  say("filter", state.filters, first.filters);
  say("q", state.query, first.query);
  say("row", state.row, first.row);
  if (state.row !== null) say("why", state.why, first.why);
  say("beside", state.others, first.others);
  say("place", state.place, first.place);
  say("gallery", state.gallery, first.gallery);
  say("before", state.before, first.before);
  say("regions", state.regions, first.regions);
  say("camera", cameraNumbers(state.camera), cameraNumbers(first.camera));
  say("flags", state.flags, first.flags);
  say("leaks", state.leaks, first.leaks);
  if (state.selected.length > 0 && !isTooLong(state.selected)) said.set("rows", encodeRows(state.selected));
  const made = state.made.filter(({ rows }) => !isTooLong(rows));
  if (made.length > 0) said.set("made", JSON.stringify(packMade(made)));
  // Row numbers mean something only as long as the samples are the same.
  if (said.has("row") || said.has("rows") || said.has("made")) said.set("key", site.manifest.key);
  return said.toString();
}

/** Read what an address says; what it says wrongly is left out. */
export function readAddress(address: string, site: Site): Partial<State> {
  const said = new URLSearchParams(address);
  const json = (name: string): unknown => {
    try {
      return JSON.parse(said.get(name) ?? "null");
    } catch {
      return null;
    }
  };
  const state: Partial<State> = {};
  const isOfThese = said.get("key") === site.manifest.key;
  // Other choices name columns that are made here.
  const given = isOfThese ? unpackMade(json("made"), site.count) : [];
  const kept = storedMade(site).filter(({ name }) => given.every((one) => one.name !== name));
  state.made = [...given, ...kept];
  for (const one of state.made) deriveMade(site, one);
  const map = site.map(said.get("map") ?? "") ?? site.map(firstState(site).map);
  if (map !== undefined) state.map = map.id;
  const color = said.get("color");
  if (color !== null) state.color = color === "null" ? null : color;
  const size = said.get("size");
  if (size !== null) state.size = size;
  for (const [name, low, high] of [["scale", 0.1, 5], ["opacity", 0.05, 1]] as const) {
    const value = json(name);
    if (typeof value === "number") state[name] = Math.max(low, Math.min(high, value));
  }
  const hidden = json("hide");
  if (isTexts(hidden)) state.hidden = hidden;
  const only = json("only");
  if (isTexts(only)) state.only = only;
  const others = json("beside");
  if (isTexts(others)) state.others = others.filter((id) => id !== null && site.map(id) !== undefined).slice(0, 3) as string[];
  const place = json("place");
  if (isRow(place, (state.others?.length ?? 0) + 1)) state.place = place;
  state.before = json("before") !== false;
  state.regions = said.get("regions");
  state.gallery = json("gallery") === true;
  const filters = json("filter");
  if (Array.isArray(filters)) state.filters = filters.filter((one) => isFilter(one, site));
  state.query = said.get("q") ?? "";
  const camera = readCamera(json("camera"), map?.dims);
  if (camera !== undefined) state.camera = camera;
  const flags = json("flags");
  if (isFlags(flags)) state.flags = { ...flags, byLabel: flags.byLabel === true };
  const leaks = json("leaks");
  if (typeof leaks === "number" && leaks >= 0 && leaks < 1) state.leaks = leaks;
  if (isOfThese) {
    const row = json("row");
    if (isRow(row, site.count)) {
      state.row = row;
      state.why = readWhy(json("why"), site.count);
    }
    state.selected = decodeRows(said.get("rows") ?? "", site.count);
  }
  return state;
}

/** Whether the address would lose the selection, because it is too long to be sent. */
export function isTooLong(rows: Uint32Array): boolean {
  return rows.length > LONGEST_SELECTION || encodeRows(rows).length > LONGEST_SELECTION;
}

function cameraNumbers({ dims, target, reach, turn, tilt }: Camera): number[] {
  return [dims, ...target, reach, turn, tilt].map((value) => Number(value.toPrecision(5)));
}

function readCamera(numbers: unknown, dims: 2 | 3 | undefined): Camera | undefined {
  if (!Array.isArray(numbers) || numbers.length !== 7 || !numbers.every(Number.isFinite)) return undefined;
  const [said, x, y, z, reach, turn, tilt] = numbers as [number, number, number, number, number, number, number];
  return said === dims && reach > 0 ? { dims, target: [x, y, z], reach, turn, tilt } : undefined;
}

function readWhy(value: unknown, count: number): Why | null {
  if (typeof value !== "object" || value === null) return null;
  const { neighbor, view, channel } = value as Partial<Record<keyof Why, unknown>>;
  if (!isRow(neighbor, count)) return null;
  return {
    neighbor, view: view === "apart" ? "apart" : "near", channel: isRow(channel, Infinity) ? channel : null,
  };
}

function isFlags(value: unknown): value is Flags {
  if (typeof value !== "object" || value === null) return false;
  const { share, rules } = value as Partial<Record<keyof Flags, unknown>>;
  return typeof share === "number" && share > 0 && share < 1 && isTexts(rules) && !rules.includes(null);
}

function isTexts(value: unknown): value is (string | null)[] {
  return Array.isArray(value) && value.every((one) => one === null || typeof one === "string");
}

function isRow(value: unknown, count: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < count;
}

function isFilter(value: unknown, site: Site): value is Filter {
  if (typeof value !== "object" || value === null) return false;
  const one = value as Record<string, unknown>;
  if (typeof one["column"] !== "string" || site.entry(one["column"]) === undefined) return false;
  return isTexts(one["values"]) || (typeof one["low"] === "number" && typeof one["high"] === "number");
}

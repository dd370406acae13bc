/** Brings state, data and map together: what follows from each choice. */

import { activePlace, mapsShown } from "./beside";
import type { Column, Site } from "./data/site";
import { asFailure } from "./data/failure";
import type { MapEntry } from "./data/manifest";
import { regionsOf } from "./data/regions";
import { deriveMade, madeId, storeMade, type Made } from "./data/made";
import { nothingFound, type Found } from "./found";
import { Reviews } from "./reviews";
import { search } from "./search";
import { columnOf, firstState, NONE, type State } from "./state";
import { Store } from "./store";
import { homeCamera } from "./view/camera";
import { CONTEXT, PLAIN_SIZE, plainCloud, SELECTED, SHOWN } from "./view/cloud";
import { packed, plainShades, shadesOf, sizesOf } from "./view/shades";
import { Stage, type Shown } from "./view/stage";
import { shownRows } from "./visibility";

/** What decides which maps are shown. */
const BESIDE = ["map", "others", "place", "before"] as const;

export class Explorer {
  readonly state: Store<State>;
  readonly found: Store<Found>;
  readonly stage: Stage;
  readonly reviews: Reviews;
  /** The projections last shown, by their dimensions. */
  readonly projections = new Map<2 | 3, string>();
  #matches: Uint8Array | null = null;
  #search = new AbortController();
  #asked = 0;
  readonly #told = new Set<string>();

  /** Whether the page was opened with a view of its own. */
  readonly hasGivenView: boolean;

  constructor(readonly site: Site, initial: Partial<State>) {
    this.hasGivenView = initial.camera !== undefined;
    this.state = new Store({ ...firstState(site), ...initial });
    this.found = new Store(nothingFound(site.count));
    this.reviews = new Reviews(site);
    this.stage = new Stage(site.count, () => matchMedia("(prefers-reduced-motion: reduce)").matches);
  }

  /** Draw the first view, then follow every change. */
  start(): void {
    const { state, found } = this;
    this.#adaptLook();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#adaptLook();
      this.stage.refresh();
    });
    state.watch(BESIDE, () => this.#try(() => this.#showMaps()));
    state.watch(["map", "others", "place", "regions"], (now) => {
      const { regions: source } = now;
      found.set({ regions: source === null ? [] : mapsShown(this.site, now).map((map) => regionsOf(map, source)) });
    });
    found.watch(["regions"], () => this.stage.refresh());
    state.watch(["color", "map"], () => this.#try(() => this.#showColors()));
    state.watch(["size", "map"], () => this.#try(() => this.#showSizes()));
    state.watch(["scale", "opacity"], () => {
      this.#adaptLook();
      this.stage.refresh();
    });
    state.watch(["camera"], ({ camera }) => {
      if (camera !== this.stage.camera) this.stage.move(camera);
    });
    state.watch(["query"], () => this.#try(() => this.#searchTexts()));
    state.watch(["hidden", "only", "filters"], () => this.#try(() => this.#updateShown()));
    state.watch(["selected"], () => this.#updateStates());
    state.watch(["row", "map"], () => this.#try(() => this.#openSample()));
    found.watch(["color"], () => this.#try(() => this.#updateShown()));
  }

  /** Open a sample's detail; the one before is a step back. */
  open(row: number): void {
    const { row: before, trail } = this.state.now;
    if (row === before) return;
    this.state.set({ row, why: null, trail: before === null ? trail : [...trail, before].slice(-50) });
  }

  back(): void {
    const { trail } = this.state.now;
    if (trail.length > 0) this.state.set({ row: trail.at(-1)!, why: null, trail: trail.slice(0, -1) });
  }

  /** Open the next or the previous sample of the selection, round its end; the first if none is open. */
  step(by: 1 | -1): void {
    const { selected, row } = this.state.now;
    if (selected.length === 0) return;
    const place = row === null ? -1 : selected.indexOf(row);
    const next = place < 0 ? 0 : (place + by + selected.length) % selected.length;
    this.state.set({ row: selected[next]!, why: null });
  }

  /** Select samples, and show them in place of the open one, which is a step back. */
  select(rows: Uint32Array): void {
    const { row, trail } = this.state.now;
    const hides = row !== null && rows.length > 0;
    this.state.set({ selected: rows, ...(hides && { row: null, trail: [...trail, row].slice(-50) }) });
  }

  /** Select the samples that have these ids. */
  async selectIds(ids: readonly string[]): Promise<void> {
    this.select(await this.site.rowsOf(new Set(ids)));
  }

  /** Make a column of samples, in place of one of the same name; false if this browser does not keep it. */
  makeColumn(made: Made): boolean {
    deriveMade(this.site, made);
    return this.#setMade([...this.state.now.made.filter(({ name }) => name !== made.name), made]);
  }

  /** Take a made column away, and what was chosen by it. */
  removeColumn(name: string): void {
    const { color, filters, made } = this.state.now;
    const id = madeId(name);
    this.state.set({
      ...(color === id && { color: firstState(this.site).color, hidden: [], only: null }),
      ...(filters.some(({ column }) => column === id) && { filters: filters.filter(({ column }) => column !== id) }),
    });
    this.site.forget(id);
    this.#setMade(made.filter((one) => one.name !== name));
  }

  #setMade(made: readonly Made[]): boolean {
    this.state.set({ made });
    this.found.set({ columns: this.found.now.columns + 1 });
    return storeMade(this.site, made);
  }

  fail(error: unknown): void {
    this.found.set({ failure: asFailure(error) });
  }

  /** What a panel can do without: where it cannot be read that is told once, and the rest is shown. */
  async orNull<T>(part: Promise<T>): Promise<T | null> {
    return part.catch((error: unknown) => {
      const { what } = asFailure(error);
      if (!this.#told.has(what)) this.fail(error);
      this.#told.add(what);
      return null;
    });
  }

  #try(work: () => Promise<void>): void {
    work().catch((error: unknown) => this.fail(error));
  }

  async #showMaps(): Promise<void> {
    const { site, state, stage } = this;
    const { now } = state;
    const map = site.map(now.map);
    if (map === undefined) return;
    this.projections.set(map.dims, map.projection);
    const shown = mapsShown(site, now);
    const maps = await Promise.all(shown.map((one) => this.#shownOf(one)));
    if (BESIDE.some((key) => state.now[key] !== now[key])) return; // asked again meanwhile
    let { camera } = state.now;
    if (camera.dims !== map.dims) camera = homeCamera(map.dims);
    state.set({ camera });
    stage.active = activePlace(site, now);
    await stage.fly(maps, camera);
    stage.host.dataset["map"] = map.id;
    stage.host.dataset["maps"] = shown.map(({ id }) => id).join(" ");
  }

  /** What a map shows: all samples, and below them in grey those of the reference run. */
  async #shownOf(map: MapEntry): Promise<Shown> {
    const { site, state } = this;
    const [positions, before] = await Promise.all([site.places(map), state.now.before ? site.placesBefore(map) : null]);
    const grey = packed(site.manifest.palette.none);
    return {
      positions,
      below: before && { positions: before, cloud: plainCloud(before.length / 3, grey, 0.8 * PLAIN_SIZE) },
    };
  }

  async #showColors(): Promise<void> {
    const { color: key, map } = this.state.now;
    const id = columnOf(this.site, map, key);
    const column = id === undefined ? null : await this.site.column(id);
    if (this.state.now.color !== key || this.state.now.map !== map) return;
    const { manifest, count } = this.site;
    this.stage.change(column === null ? plainShades(count, manifest) : shadesOf(column, manifest));
    this.found.set({ color: column });
  }

  async #showSizes(): Promise<void> {
    const { size: key, map } = this.state.now;
    const id = columnOf(this.site, map, key);
    const column: Column | null = id === undefined ? null : await this.site.column(id);
    if (this.state.now.size !== key || this.state.now.map !== map) return;
    this.stage.change({
      sizes: column?.kind === "number"
        ? sizesOf(column, isDensity(this.site, column.entry.id))
        : new Uint8Array(this.site.count).fill(PLAIN_SIZE),
    });
  }

  async #searchTexts(): Promise<void> {
    this.#search.abort();
    this.#search = new AbortController();
    const { query } = this.state.now;
    const { signal } = this.#search;
    const matches = query === ""
      ? null
      : await search(this.site, query, signal, (searched) => this.found.set({ searched }));
    if (signal.aborted) return;
    this.#matches = matches;
    this.found.set({ searched: 1 });
    await this.#updateShown();
  }

  async #updateShown(): Promise<void> {
    const asked = ++this.#asked;
    const shown = await shownRows(this.site, this.state.now, this.found.now.color, this.#matches);
    if (asked !== this.#asked) return; // asked again meanwhile
    let shownCount = 0;
    for (const one of shown) shownCount += one;
    this.found.set({ shown, shownCount });
    this.#updateStates();
  }

  #updateStates(): void {
    const { shown } = this.found.now;
    const { selected } = this.state.now;
    const states = Uint8Array.from(shown, (one) => (one ? SHOWN : CONTEXT));
    for (const row of selected) if (states[row] === SHOWN) states[row] = SELECTED;
    this.#adaptLook();
    this.stage.change({ states });
  }

  async #openSample(): Promise<void> {
    const { row, map } = this.state.now;
    if (row === null) return this.found.set({ sample: null, neighbors: null });
    const method = this.site.method(this.site.map(map)?.method ?? "");
    const [sample, neighbors] = await Promise.all([
      this.site.sample(row), method === undefined ? null : this.orNull(this.site.neighbors(method, row)),
    ]);
    if (this.state.now.row !== row || this.state.now.map !== map) return;
    this.found.set({ sample, neighbors });
  }

  #adaptLook(): void {
    const style = getComputedStyle(document.documentElement);
    const color = (name: string): number => packed(style.getPropertyValue(name).trim());
    const { scale, opacity, selected } = this.state.now;
    this.stage.look = {
      size: scale * plainSize(this.site.count),
      opacity,
      context: color("--aside"),
      paper: color("--map"),
      dimmed: selected !== NONE && selected.length > 0,
    };
  }
}

/** Whether a column says how dense it is around samples: rare ones are large. */
function isDensity({ manifest }: Site, id: string): boolean {
  return manifest.methods.some(({ columns }) => columns["density"] === id);
}

/** Diameter in pixels: fewer samples have larger points. */
function plainSize(count: number): number {
  return Math.max(2, Math.min(10, 40 / Math.max(1, count) ** 0.2));
}

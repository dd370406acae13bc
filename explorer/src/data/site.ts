/** A site's data: what is asked for is fetched, checked and kept for a while. */

import type { Table } from "@uwdata/flechette";

import { framed, frameOf } from "./coordinates";
import { differenceColumn, differenceEntry } from "./derived";
import type { FetchBytes } from "./door";
import { readManifest, type Chunked, type ColumnEntry, type Manifest, type MapEntry, type Method, type StoredPlaces } from "./manifest";
import { Recent } from "./recent";
import { lastAtMost } from "./sorted";
import { categoriesOf, fetchTable, valuesOf } from "./tables";

export interface Categories {
  kind: "category";
  entry: Extract<ColumnEntry, { kind: "category" }>;
  /** Largest first; null, where samples have none, is the last. */
  values: (string | null)[];
  indices: ArrayLike<number>;
}

export interface Numbers {
  kind: "number";
  entry: Extract<ColumnEntry, { kind: "number" }>;
  /** NaN for none. */
  values: Float32Array | Float64Array;
  /** In hundredths of a percent; 65535 for none. */
  percentiles: Uint16Array;
}

export type Column = Categories | Numbers;
export const NO_PERCENTILE = 65535;

export interface Sample {
  row: number;
  id: string;
  text: string | null;
  messages: { role: string; content: string }[] | null;
  size: { width: number; height: number } | null;
  boxes: number[][];
  /** Address of the whole picture. */
  picture: string | null;
  fields: { title: string; about: "sample" | "annotation"; value: string }[];
}

export interface Neighbor {
  row: number;
  distance: number;
  sameSource: boolean;
}

export class Site {
  readonly #places = new Recent<Promise<Float32Array>>(8); // four maps, each with those of a run before
  readonly #columns = new Recent<Promise<Column>>(12);
  readonly #chunks = new Recent<Promise<Table>>(128); // of about half a megabyte
  readonly #thumbnails = new Recent<Promise<string | null>>(400, (made) => {
    void made.then((url) => url !== null && URL.revokeObjectURL(url), () => {});
  });
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #maps: ReadonlyMap<string, MapEntry>;
  readonly #entries: Map<string, ColumnEntry>;
  /** Makers of the columns that no file has. */
  readonly #makers = new Map<string, () => Promise<Column>>();
  readonly #hasSeveral: boolean;

  private constructor(
    readonly manifest: Manifest, readonly fetchBytes: FetchBytes, readonly isInOneFile: boolean,
  ) {
    this.#methods = new Map(manifest.methods.map((method) => [method.id, method]));
    this.#maps = new Map(manifest.maps.map((map) => [map.id, map]));
    this.#entries = new Map(manifest.columns.map((entry) => [entry.id, entry]));
    this.#hasSeveral = new Set(manifest.methods.map(groupOf)).size > 1;
  }

  /** Open a site; one that is in one file has no whole pictures. */
  static async open(fetchBytes: FetchBytes, isInOneFile: boolean): Promise<Site> {
    return new Site(readManifest(await fetchBytes("manifest.json")), fetchBytes, isInOneFile);
  }

  get count(): number {
    return this.manifest.count;
  }

  method(id: string): Method | undefined {
    return this.#methods.get(id);
  }

  map(id: string): MapEntry | undefined {
    return this.#maps.get(id);
  }

  /** What an embedding is called: its method, with encoder and variant where there are several. */
  nameOf(method: Method): string {
    return this.#hasSeveral ? `${method.method} · ${method.encoder} (${method.variant})` : method.method;
  }

  /** What is known of a column, be it in a file or made here. */
  entry(id: string): ColumnEntry | undefined {
    const known = this.#entries.get(id);
    if (known !== undefined) return known;
    const entry = differenceEntry(id, this);
    if (entry !== undefined) this.derive(entry, () => differenceColumn(entry, this));
    return entry;
  }

  /** The columns of the samples, annotations, embeddings or maps, those that are made here last. */
  entries(about: ColumnEntry["about"]): ColumnEntry[] {
    return Array.from(this.#entries.values()).filter((entry) => entry.about === about);
  }

  /** Take up a column that is made here, in place of an earlier one of the same id. */
  derive(entry: ColumnEntry, make: () => Promise<Column>): void {
    this.#entries.set(entry.id, entry);
    this.#makers.set(entry.id, make);
    this.#columns.delete(entry.id);
  }

  /** Take a column away that was made here. */
  forget(id: string): void {
    if (this.#makers.delete(id)) this.#entries.delete(id);
    this.#columns.delete(id);
  }

  /**
   * x, y, z of every sample on a map, scaled so that what a view fits to lies between −1 and 1; z is 0 on a
   * flat map.
   */
  places(map: MapEntry): Promise<Float32Array> {
    return this.#placesIn(map, map);
  }

  /** The same of the samples of the run before; null where none are on this map. */
  async placesBefore(map: MapEntry): Promise<Float32Array | null> {
    return map.before ? this.#placesIn(map.before, map) : null;
  }

  #placesIn(stored: StoredPlaces, map: MapEntry): Promise<Float32Array> {
    return this.#kept(this.#places, stored.file, async () =>
      framed(await fetchTable(this.fetchBytes, stored, this.manifest.key), stored, frameOf(map)));
  }

  column(id: string): Promise<Column> {
    return this.#kept(this.#columns, id, async () => {
      const entry = this.entry(id)!;
      const make = this.#makers.get(id);
      if (make !== undefined) return make();
      const table = await fetchTable(this.fetchBytes, entry, this.manifest.key);
      return entry.kind === "category"
        ? { kind: "category", entry, ...categoriesOf(table, "value") }
        : {
            kind: "number",
            entry,
            values: valuesOf<Float32Array | Float64Array>(table, "value"),
            percentiles: valuesOf<Uint16Array>(table, "percentile"),
          };
    });
  }

  async sample(row: number): Promise<Sample> {
    const { samples } = this.manifest;
    const [table, place] = await this.#chunkOf(samples, row);
    const value = <T>(name: string): T | null => (table.getChild(name)?.at(place) ?? null) as T | null;
    const [width, height] = [value<number>("width"), value<number>("height")];
    const messages = value<string>("messages");
    const picture = value<string>("picture");
    return {
      row,
      id: value<string>("id") ?? "",
      text: value<string>("text"),
      messages: messages === null ? null : JSON.parse(messages),
      size: width === null || height === null ? null : { width, height },
      boxes: Array.from(value<ArrayLike<ArrayLike<number>>>("boxes") ?? [], (box) => Array.from(box)),
      picture: picture === null ? null : this.#addressOf(picture),
      fields: samples.columns
        .map(({ name, title, about }) => ({ title, about, value: value<string>(name) }))
        .filter((field): field is Sample["fields"][number] => field.value !== null),
    };
  }

  /** Pictures lie beside the page, or on the one host that the manifest names; others are not shown. */
  #addressOf(picture: string): string | null {
    const host = this.manifest.pictures?.host ?? null;
    if (host === null) return this.isInOneFile ? null : `pictures/${picture}`;
    return URL.canParse(picture) && new URL(picture).origin === host ? picture : null;
  }

  /** A URL of a sample's small picture; null if it has none. */
  async thumbnail(row: number): Promise<string | null> {
    const { thumbnails } = this.manifest;
    if (thumbnails === null) return null;
    const [table, place] = await this.#chunkOf(thumbnails, row);
    return this.#kept(this.#thumbnails, String(row), async () => {
      const jpeg = table.getChild("jpeg").at(place) as Uint8Array<ArrayBuffer> | null;
      return jpeg === null ? null : URL.createObjectURL(new Blob([jpeg], { type: "image/jpeg" }));
    });
  }

  /** The nearest neighbors of a sample in an embedding, nearest first; null if none are here. */
  async neighbors(method: Method, row: number): Promise<Neighbor[] | null> {
    if (method.neighbors === null) return null;
    const [table, place] = await this.#chunkOf(method.neighbors, row);
    const list = (name: string): ArrayLike<number> => table.getChild(name).at(place);
    const [rows, distances, same] = [list("neighbor"), list("distance"), list("same_source")];
    return Array.from(rows, (neighbor, i) => ({
      row: neighbor, distance: distances[i]!, sameSource: same[i] === 1,
    })).filter((neighbor) => neighbor.row >= 0);
  }

  /** Ids of these rows. */
  async ids(rows: ArrayLike<number>): Promise<string[]> {
    const found: string[] = [];
    for (const row of Array.from(rows)) {
      const [table, place] = await this.#chunkOf(this.manifest.ids, row);
      found.push(table.getChild("id").at(place) as string);
    }
    return found;
  }

  /** Rows of the samples that have one of these ids, ascending. */
  async rowsOf(ids: ReadonlySet<string>): Promise<Uint32Array> {
    const { starts } = this.manifest.ids;
    const rows: number[] = [];
    for (let chunk = 0; chunk + 1 < starts.length; chunk++) {
      const column = (await this.#fetchChunk(this.manifest.ids, chunk)).getChild("id");
      for (let place = 0; place < column.length; place++) {
        if (ids.has(column.at(place) as string)) rows.push(starts[chunk]! + place);
      }
    }
    return Uint32Array.from(rows);
  }

  /** Go through all samples, chunk by chunk; nothing of it is kept. */
  async *texts(): AsyncGenerator<{ first: number; table: Table }> {
    const { samples } = this.manifest;
    for (let chunk = 0; chunk + 1 < samples.starts.length; chunk++) {
      yield { first: samples.starts[chunk]!, table: await this.#fetchChunk(samples, chunk) };
    }
  }

  async #chunkOf(chunked: Chunked, row: number): Promise<[Table, number]> {
    const chunk = lastAtMost(chunked.starts, row);
    const path = `${chunked.file} ${chunk}`;
    const table = await this.#kept(this.#chunks, path, () => this.#fetchChunk(chunked, chunk));
    return [table, row - chunked.starts[chunk]!];
  }

  #fetchChunk({ file, bytes, crc32 }: Chunked, chunk: number): Promise<Table> {
    const entry = { file: file.replace("{}", String(chunk)), bytes: bytes[chunk]!, crc32: crc32[chunk]! };
    return fetchTable(this.fetchBytes, entry, this.manifest.key);
  }

  /** Keep what is asked for; what failed is asked for again next time. */
  #kept<T>(kept: Recent<Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
    return kept.get(key, () => {
      const made = make();
      made.catch(() => kept.delete(key));
      return made;
    });
  }
}

/** Encoder and variant of an embedding. */
export function groupOf({ encoder, variant }: Method): string {
  return `${encoder}/${variant}`;
}

/** The manifest of a site: docs/explorer-format.md says what its keys mean. */

import { Failure, REWRITE } from "./failure";

const FORMAT = "latentmap explorer";
const VERSION = 1;

export interface File {
  file: string;
  bytes: number;
  crc32: number;
}

export interface Chunked {
  file: string;
  starts: number[];
  bytes: number[];
  crc32: number[];
}

export interface Method {
  id: string;
  encoder: string;
  variant: string;
  method: string;
  dims: number;
  baseline: boolean;
  rank: number | null;
  may_be_best: boolean | null;
  value: number | null;
  interval: [number, number] | null;
  chance: number | null;
  maps: string[];
  columns: Record<string, string>;
  neighbors: (Chunked & { k: number; metric: string }) | null;
  /** The statistics of channels that squared distances are sums over; null if they are not. */
  account: string[] | null;
}

/** Where the latents of an encoder and variant lie, beside the explorer. */
export interface Latents {
  encoder: string;
  variant: string;
  shape: [number, number, number];
  type: "float16" | "float32";
  files: string[];
  starts: number[];
  offsets: number[];
}

/** Coordinates in a file. */
export interface StoredPlaces extends File {
  type: "uint16" | "float32";
  offset: number[];
  scale: number;
  unplaced: number;
  box: [number, number][];
  extent: [number, number][];
}

export interface MapEntry extends StoredPlaces {
  id: string;
  method: string;
  projection: string;
  kind: string;
  dims: 2 | 3;
  alignment: { reference: string; residual: number } | null;
  trust: { k: number; recall: number; trustworthiness: number } | null;
  columns: Record<string, string>;
  before?: (StoredPlaces & { run: string; count: number }) | null;
  regions?: {
    sources: string[];
    centres: number[][];
    shares: number[][];
    p_adjusted: (number | null)[];
  } | null;
}

interface ColumnFacts extends File {
  id: string;
  title: string;
  description: string | null;
  about: "sample" | "annotation" | "method" | "map";
  of: string | null;
  missing: number;
}

export interface CategoryEntry extends ColumnFacts {
  kind: "category";
  values: number;
  colors: string[] | null;
}

export interface NumberEntry extends ColumnFacts {
  kind: "number";
  low: number | null;
  high: number | null;
  whole: boolean;
  unit: string | null;
  /** Whether 0 is the middle of its scale; only columns that are made in the browser have it. */
  diverges?: boolean;
}

export type ColumnEntry = CategoryEntry | NumberEntry;

export interface SampleColumn {
  name: string;
  title: string;
  about: "sample" | "annotation";
  kind: "text" | "json";
}

export interface Manifest {
  format: string;
  version: number;
  run: string;
  key: string;
  count: number;
  first: { map: string | null; column: string | null };
  metric: { name: string; title: string } | null;
  methods: Method[];
  maps: MapEntry[];
  columns: ColumnEntry[];
  ids: Chunked;
  samples: Chunked & { columns: SampleColumn[] };
  thumbnails: Chunked | null;
  latents: Latents[];
  pictures: { files: number; bytes: number; host?: string | null } | null;
  palette: { categories: string[]; none: string; numbers: string[]; regions?: string[] };
  missing: { what: string; why: string; remedy: string }[];
}

/** Read a manifest; refuse what is none, and one of a version that this page does not know. */
export function readManifest(bytes: Uint8Array): Manifest {
  let content: Partial<Manifest>;
  try {
    content = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Manifest>;
  } catch {
    content = {};
  }
  if (content?.format !== FORMAT || typeof content.count !== "number") {
    throw new Failure(
      "manifest.json does not describe an explorer.", "It is damaged or comes from another tool.",
      REWRITE,
    );
  }
  if (content.version !== VERSION) {
    throw new Failure(
      `The data has version ${content.version}, this page reads version ${VERSION}.`,
      "The page and its data were written by different versions of latentmap.",
      REWRITE,
    );
  }
  return content as Manifest;
}

/** What follows from the state: loaded columns, what is shown, what is pointed at. */

import type { Column, Neighbor, Sample } from "./data/site";
import type { Failure } from "./data/failure";
import type { Region } from "./data/regions";

export interface Found {
  /** The colour's column, once it is here; null where all have one colour. */
  color: Column | null;
  /** One byte for each row: whether filters, legend and search let it through. */
  shown: Uint8Array;
  shownCount: number;
  /** The sample under the pointer. */
  hovered: number | null;
  /** The sample whose detail is open, and its neighbors in the embedding shown; null: none here. */
  sample: Sample | null;
  neighbors: readonly Neighbor[] | null;
  /** How much of the texts is searched, from 0 to 1; 1 if no search goes on. */
  searched: number;
  /** How often a column was made here: lists of columns are drawn again when it grows. */
  columns: number;
  /** Of each map shown: its regions, if they are asked for. */
  regions: readonly (readonly Region[])[];
  /** How many rules flag each sample as an outlier, if it is asked. */
  flags: Uint8Array | null;
  failure: Failure | null;
}

export function nothingFound(count: number): Found {
  return {
    color: null,
    shown: new Uint8Array(count).fill(1),
    shownCount: count,
    hovered: null,
    sample: null,
    neighbors: null,
    searched: 1,
    columns: 0,
    regions: [],
    flags: null,
    failure: null,
  };
}

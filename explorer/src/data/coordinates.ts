/** Coordinates of maps as views take them: what a view fits to lies between −1 and 1. */

import type { Table } from "@uwdata/flechette";

import type { MapEntry, StoredPlaces } from "./manifest";
import { valuesOf } from "./tables";

/** Where samples without a place are put: out of any view. */
const NOWHERE = 1e6;
const UNPLACED = 65535;
const FAR_OUT = 1.6;

/** What becomes 0 on each axis, and what becomes 1 from there on all of them. */
export interface Frame {
  middle: number[];
  half: number;
}

/** The frame of a map; it holds the samples of another run too, if they are on the map. */
export function frameOf(map: MapEntry): Frame {
  const boxes = [map, ...(map.before ? [map.before] : [])].map(fittedBox);
  const box = map.box.map((_, axis) => {
    const sides = boxes.map((one) => one[axis]!);
    return [Math.min(...sides.map(([low]) => low)), Math.max(...sides.map(([, high]) => high))] as const;
  });
  return {
    middle: box.map(([low, high]) => (low + high) / 2),
    half: Math.max(...box.map(([low, high]) => (high - low) / 2)) || 1,
  };
}

/** What a view of points fits to: their extent, unless few far out make that much larger. */
function fittedBox({ box, extent }: StoredPlaces): [number, number][] {
  return box.map(([low, high], axis) => {
    const [least, most] = extent[axis]!;
    return most - least <= FAR_OUT * (high - low) ? [least, most] : [low, high];
  });
}

/** x, y, z of points in a frame; z is 0 on a flat map. */
export function framed(table: Table, { offset, scale, type }: StoredPlaces, { middle, half }: Frame): Float32Array {
  const places = new Float32Array(3 * table.numRows);
  middle.forEach((centre, axis) => {
    const stored = valuesOf<Uint16Array | Float32Array>(table, "xyz"[axis]!);
    const [factor, shift] = [scale / half, (offset[axis]! - centre) / half];
    const unplaced = (value: number) => (type === "uint16" ? value === UNPLACED : value !== value);
    for (let row = 0; row < stored.length; row++) {
      const value = stored[row]!;
      places[3 * row + axis] = unplaced(value) ? NOWHERE : factor * value + shift;
    }
  });
  return places;
}

/** Coordinates of a map in its frame. */
export function inFrame(coordinates: readonly number[], { middle, half }: Frame): [number, number, number] {
  const [x = 0, y = 0, z = 0] = middle.map((centre, axis) => (coordinates[axis]! - centre) / half);
  return [x, y, z];
}

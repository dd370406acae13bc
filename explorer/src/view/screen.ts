/**
 * Where every point of a map lies on the screen, in a grid of cells: for hovering and for the lasso, alike
 * in 2D and in 3D. Made anew when the view has changed and is asked.
 */

import { focusOf, matrixOf, type Camera } from "./camera";
import { CONTEXT, PLAIN_SIZE, type Cloud } from "./cloud";
import { rowsOf } from "../selecting";

const CELL = 8;

export class ScreenGrid {
  readonly #columns: number;
  readonly #lines: number;
  readonly #xs: Float32Array;
  readonly #ys: Float32Array;
  readonly #depths: Float32Array;
  /** Rows by cell, and where each cell's begin. */
  readonly #rows: Uint32Array;
  readonly #starts: Uint32Array;

  constructor(
    readonly cloud: Cloud, positions: Float32Array, readonly camera: Camera,
    readonly width: number, readonly height: number,
  ) {
    this.#columns = Math.max(1, Math.ceil(width / CELL));
    this.#lines = Math.max(1, Math.ceil(height / CELL));
    const count = cloud.count;
    this.#xs = new Float32Array(count);
    this.#ys = new Float32Array(count);
    this.#depths = new Float32Array(count);
    const cells = this.#project(positions);
    this.#starts = new Uint32Array(this.#columns * this.#lines + 1);
    for (let row = 0; row < count; row++) if (cells[row]! >= 0) this.#starts[cells[row]! + 1]!++;
    for (let cell = 0; cell < this.#starts.length - 1; cell++) {
      this.#starts[cell + 1]! += this.#starts[cell]!;
    }
    this.#rows = new Uint32Array(this.#starts.at(-1)!);
    const next = this.#starts.slice();
    for (let row = 0; row < count; row++) {
      const cell = cells[row]!;
      if (cell >= 0) this.#rows[next[cell]!++] = row;
    }
  }

  /** Project every point; return its cell, −1 of those that are off the screen or set aside. */
  #project(positions: Float32Array): Int32Array {
    const { states, count } = this.cloud;
    const [xs, ys, depths, columns] = [this.#xs, this.#ys, this.#depths, this.#columns];
    const { width, height } = this;
    const m = matrixOf(this.camera, width, height);
    const deep = this.camera.dims === 3;
    const cells = new Int32Array(count).fill(-1);
    for (let row = 0; row < count; row++) {
      const x = positions[3 * row]!, y = positions[3 * row + 1]!, z = positions[3 * row + 2]!;
      const w = deep ? m[3]! * x + m[7]! * y + m[11]! * z + m[15]! : 1;
      const px = (1 + (m[0]! * x + m[4]! * y + m[8]! * z + m[12]!) / w) * 0.5 * width;
      const py = (1 - (m[1]! * x + m[5]! * y + m[9]! * z + m[13]!) / w) * 0.5 * height;
      xs[row] = px;
      ys[row] = py;
      depths[row] = w;
      if (w > 0 && states[row] !== CONTEXT && px >= 0 && py >= 0 && px < width && py < height) {
        cells[row] = ((py / CELL) | 0) * columns + ((px / CELL) | 0);
      }
    }
    return cells;
  }

  /** Where a row lies, in CSS pixels; undefined if it is off the screen. */
  place(row: number): { x: number; y: number } | undefined {
    const [x, y] = [this.#xs[row]!, this.#ys[row]!];
    const inside = this.#depths[row]! > 0 && x >= 0 && y >= 0 && x < this.width && y < this.height;
    return inside ? { x, y } : undefined;
  }

  /** How far a row is from the eye; in 2D all are as far. */
  depth(row: number): number {
    return this.#depths[row]!;
  }

  /**
   * The point under a place: in 3D the foremost of those whose discs lie there, else the nearest
   * within reach. Undefined if there is none.
   */
  nearest(x: number, y: number, size: number, reach = 12): number | undefined {
    const deep = this.camera.dims === 3;
    const focus = focusOf(this.camera);
    let [best, bestDistance, front] = [-1, Infinity, Infinity];
    this.#visit(x - reach, y - reach, x + reach, y + reach, (row) => {
      const distance = Math.hypot(this.#xs[row]! - x, this.#ys[row]! - y);
      if (distance > reach) return;
      const depth = this.#depths[row]!;
      const share = this.cloud.sizes[row]! / PLAIN_SIZE;
      const covers = distance <= (size * share * (deep ? Math.min(6, focus / depth) : 1)) / 2 + 1;
      if (deep && covers ? depth < front : front === Infinity && distance < bestDistance) {
        best = row;
        bestDistance = distance;
        if (deep && covers) front = depth;
      }
    });
    return best < 0 ? undefined : best;
  }

  /**
   * Rows inside a polygon (by the even-odd rule, as it is filled), in row order.
   *
   * Cells that no edge crosses are taken or left whole; points in the others are tried one by one.
   */
  inside(polygon: readonly (readonly [number, number])[]): Uint32Array {
    const crossed = this.#crossedCells(polygon);
    const taken = new Uint8Array(this.cloud.count);
    const xs = polygon.map(([x]) => x), ys = polygon.map(([, y]) => y);
    const [left, right] = [this.#column(Math.min(...xs)), this.#column(Math.max(...xs))];
    const [top, bottom] = [this.#line(Math.min(...ys)), this.#line(Math.max(...ys))];
    for (let line = top; line <= bottom; line++) {
      for (let column = left; column <= right; column++) {
        const cell = line * this.#columns + column;
        const [from, to] = [this.#starts[cell]!, this.#starts[cell + 1]!];
        if (from === to) continue;
        if (crossed[cell]) {
          for (let i = from; i < to; i++) {
            const row = this.#rows[i]!;
            if (contains(xs, ys, this.#xs[row]!, this.#ys[row]!)) taken[row] = 1;
          }
        } else if (contains(xs, ys, (column + 0.5) * CELL, (line + 0.5) * CELL)) {
          for (let i = from; i < to; i++) taken[this.#rows[i]!] = 1;
        }
      }
    }
    return rowsOf(taken);
  }

  /** Of these rows, those that no nearer point covers at the middle of their discs. */
  foremost(rows: Uint32Array, size: number): Uint32Array {
    if (this.camera.dims === 2) return rows;
    const focus = focusOf(this.camera);
    const largest = size * 6 * 4;
    return rows.filter((row) => {
      const [x, y, depth] = [this.#xs[row]!, this.#ys[row]!, this.#depths[row]!];
      let covered = false;
      const reach = Math.min(largest, 24);
      this.#visit(x - reach, y - reach, x + reach, y + reach, (other) => {
        if (covered || this.#depths[other]! >= depth) return;
        const share = this.cloud.sizes[other]! / PLAIN_SIZE;
        const radius = (size * share * Math.min(6, focus / this.#depths[other]!)) / 2;
        covered = Math.hypot(this.#xs[other]! - x, this.#ys[other]! - y) < radius;
      });
      return !covered;
    });
  }

  #visit(
    left: number, top: number, right: number, bottom: number, each: (row: number) => void,
  ): void {
    for (let line = this.#line(top); line <= this.#line(bottom); line++) {
      const cells = line * this.#columns;
      const from = this.#starts[cells + this.#column(left)]!;
      const to = this.#starts[cells + this.#column(right) + 1]!;
      for (let i = from; i < to; i++) each(this.#rows[i]!);
    }
  }

  #crossedCells(polygon: readonly (readonly [number, number])[]): Uint8Array {
    const crossed = new Uint8Array(this.#columns * this.#lines);
    polygon.forEach(([x1, y1], i) => {
      const [x2, y2] = polygon[(i + 1) % polygon.length]!;
      for (let line = this.#line(Math.min(y1, y2)); line <= this.#line(Math.max(y1, y2)); line++) {
        const at = (y: number): number =>
          y1 === y2 ? x1 : x1 + ((x2 - x1) * (clamp(y, Math.min(y1, y2), Math.max(y1, y2)) - y1)) / (y2 - y1);
        const ends = y1 === y2 ? [x1, x2] : [at(line * CELL), at((line + 1) * CELL)];
        const from = this.#column(Math.min(...ends)), to = this.#column(Math.max(...ends));
        crossed.fill(1, line * this.#columns + from, line * this.#columns + to + 1);
      }
    });
    return crossed;
  }

  #column(x: number): number {
    return clamp(Math.floor(x / CELL), 0, this.#columns - 1);
  }

  #line(y: number): number {
    return clamp(Math.floor(y / CELL), 0, this.#lines - 1);
  }
}

/** Whether a place lies inside a polygon with corners at `xs` and `ys`, by the even-odd rule. */
function contains(xs: readonly number[], ys: readonly number[], x: number, y: number): boolean {
  let inside = false;
  for (let i = 0, j = xs.length - 1; i < xs.length; j = i++) {
    const [yi, yj] = [ys[i]!, ys[j]!];
    if (yi > y !== yj > y && x < ((xs[j]! - xs[i]!) * (y - yi)) / (yj - yi) + xs[i]!) inside = !inside;
  }
  return inside;
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

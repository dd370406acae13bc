/** Small maps of many embeddings in one canvas, each with a sample of the points. */

import { homeCamera } from "./camera";
import { drawingOrder, restingAt, SELECTED, type Box, type Cloud, type Layer, type Look } from "./cloud";
import { Painter } from "./painter";

/** A small map shows no more points than that, and all that are selected up to as many. */
const MOST = 20_000;

export class Multiples {
  readonly #painter: Painter;
  #isDrawing = false;
  #next: (() => Promise<void>) | undefined;

  constructor(readonly host: HTMLElement, refresh: () => void) {
    this.#painter = new Painter(host, refresh);
  }

  /** Draw small maps; while some are being drawn, only the last call of the others counts. */
  async draw(
    cloud: Cloud, maps: readonly { positions: Float32Array; box: Box }[], dims: 2 | 3, look: Look,
    width: number, height: number,
  ): Promise<void> {
    const layers = maps.map(({ positions, box }): Layer => ({ cloud, box, ...restingAt(positions) }));
    this.#next = async () => {
      await this.#painter.drawFinely({ layers, camera: homeCamera(dims), look, width, height }, () => false);
    };
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    while (this.#next !== undefined) {
      const work = this.#next;
      this.#next = undefined;
      await work();
    }
    this.#isDrawing = false;
  }
}

/** Which rows small maps show: all selected ones, and an even sample of the others. */
export function sampledRows({ count, states, order }: Cloud): Uint32Array {
  if (count <= MOST) return Uint32Array.from({ length: count }, (_, row) => row);
  const selected = states.reduce((sum, state) => sum + Number(state === SELECTED), 0);
  const others = every(order.subarray(0, count - selected), MOST);
  return Uint32Array.from([...others, ...every(order.subarray(count - selected), MOST)]).sort();
}

function every(rows: Uint32Array, most: number): Uint32Array {
  const step = Math.max(1, Math.ceil(rows.length / most));
  return rows.filter((_, i) => i % step === 0);
}

/** A cloud of some of another one's rows. */
export function someOf(cloud: Cloud, rows: Uint32Array): Cloud {
  if (rows.length === cloud.count) return cloud;
  const { colors, palette, sizes } = cloud;
  const states = Uint8Array.from(rows, (row) => cloud.states[row]!);
  return {
    count: rows.length,
    palette,
    colors: Uint16Array.from(rows, (row) => colors[row]!),
    sizes: Uint8Array.from(rows, (row) => sizes[row]!),
    states,
    order: drawingOrder(states),
  };
}

/** The places of some rows. */
export function placesOf(positions: Float32Array, rows: Uint32Array): Float32Array {
  if (3 * rows.length === positions.length) return positions;
  const places = new Float32Array(3 * rows.length);
  rows.forEach((row, i) => places.set(positions.subarray(3 * row, 3 * row + 3), 3 * i));
  return places;
}

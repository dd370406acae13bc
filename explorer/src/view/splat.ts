/**
 * Draw clouds on the processor, into a plain canvas: fast enough to follow a hand with every
 * point, and the whole picture where there is no WebGL. Opacity is mixed with the background.
 */

import { focusOf, matrixOf, type Camera } from "./camera";
import { CONTEXT, PLAIN_SIZE, SELECTED, type Box, type Cloud, type Layer, type Look } from "./cloud";

/** A frame that takes longer is drawn coarser next time, one that takes far less, finer. */
const SLOW = 24;
const FAST = 5;
const LARGE = 50_000;
/** Of more points than that in all maps, a moving view shows every second, third … */
const MOST_MOVING = 1_000_000;

export class SplatPainter {
  readonly #context: CanvasRenderingContext2D;
  #coarse: boolean | undefined;
  #image: ImageData | undefined;
  #pixels = new Uint32Array();
  #depths = new Float32Array();
  readonly #inOrder = new InOrder();

  constructor(readonly canvas: HTMLCanvasElement) {
    this.#context = canvas.getContext("2d", { alpha: true })!;
  }

  /** Draw a frame of a moving view, in half the resolution where all of it would take too long. */
  drawMoving(layers: readonly Layer[], camera: Camera, look: Look, width: number, height: number): void {
    const points = layers.reduce((sum, { cloud }) => sum + cloud.count, 0);
    this.#coarse ??= points > LARGE;
    const started = performance.now();
    this.draw(layers, camera, look, width, height, this.#coarse ? 0.5 : 1, Math.ceil(points / MOST_MOVING));
    const took = performance.now() - started;
    if (took > SLOW) this.#coarse = true;
    else if (took < FAST / 4) this.#coarse = false;
  }

  /** Draw a view of so many CSS pixels with `density` pixels for each of them, and one of `step` points. */
  draw(
    layers: readonly Layer[], camera: Camera, look: Look, width: number, height: number, density: number,
    step = 1,
  ): void {
    this.#fit(Math.max(1, Math.round(width * density)), Math.max(1, Math.round(height * density)));
    if (this.#image === undefined) return;
    this.#pixels.fill(0);
    if (camera.dims === 3) this.#depths.fill(Infinity);
    for (const layer of layers) {
      const { left, top, width: wide, height: high } = layer.box;
      const box = { left: left * density, top: top * density, width: wide * density, height: high * density };
      this.#splat({ ...layer, box }, camera, { ...look, size: look.size * density }, step);
    }
    this.#context.putImageData(this.#image, 0, 0);
  }

  #fit(width: number, height: number): void {
    if (this.#image?.width === width && this.#image.height === height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.#image = this.#context.createImageData(width, height);
    this.#pixels = new Uint32Array(this.#image.data.buffer);
    this.#depths = new Float32Array(width * height);
  }

  #splat({ cloud, positions, before: from, arrived, box }: Layer, camera: Camera, look: Look, step: number): void {
    const { width } = this.canvas;
    const m = matrixOf(camera, box.width, box.height);
    const deep = camera.dims === 3;
    const focus = focusOf(camera);
    const { order } = cloud;
    // Memory is read from front to back: four times as fast as by row.
    const places = this.#inOrder.of(positions, order, 3);
    const colors = this.#inOrder.of(cloud.colors, order, 1);
    const sizes = this.#inOrder.of(cloud.sizes, order, 1);
    const states = this.#inOrder.of(cloud.states, order, 1);
    const flying = arrived < 1 && from !== positions;
    const before = flying ? this.#inOrder.of(from, order, 3) : places;
    const [plain, dim] = [mixedPalette(cloud, look, 1), mixedPalette(cloud, look, 0.25)];
    const context = mixed(look.context, look.paper, 1);
    const bounds = this.#bounds(box);
    const { left, top, right, bottom } = bounds;
    const [halfWidth, halfHeight] = [box.width / 2, box.height / 2];
    const [middleX, middleY] = [box.left + halfWidth, box.top + halfHeight];
    const [m0, m1, m3, m4, m5, m7] = [m[0]!, m[1]!, m[3]!, m[4]!, m[5]!, m[7]!];
    const [m8, m9, m11, m12, m13, m15] = [m[8]!, m[9]!, m[11]!, m[12]!, m[13]!, m[15]!];
    const pixels = this.#pixels;
    for (let i = 0, at = 0; i < order.length; i += step, at += 3 * step) {
      let x = places[at]!, y = places[at + 1]!, z = places[at + 2]!;
      if (flying) {
        x = before[at]! + arrived * (x - before[at]!);
        y = before[at + 1]! + arrived * (y - before[at + 1]!);
        z = before[at + 2]! + arrived * (z - before[at + 2]!);
      }
      const w = deep ? m3 * x + m7 * y + m11 * z + m15 : 1;
      if (w <= 0) continue;
      const px = middleX + ((m0 * x + m4 * y + m8 * z + m12) / w) * halfWidth;
      const py = middleY - ((m1 * x + m5 * y + m9 * z + m13) / w) * halfHeight;
      if (!(px >= left && py >= top && px < right && py < bottom)) continue;
      const state = states[i]!;
      const aside = state === CONTEXT;
      const shade = aside
        ? context
        : (look.dimmed && state !== SELECTED ? dim : plain)[colors[i]!]!;
      if (shade === 0) continue;
      const share = aside ? 0.6 : sizes[i]! / PLAIN_SIZE;
      const diameter = look.size * share * (deep ? Math.min(6, focus / w) : 1);
      if (diameter >= 2) this.#stamp(px, py, diameter / 2, w, shade, deep, bounds);
      else if (deep) this.#put((py | 0) * width + (px | 0), w, shade);
      else pixels[(py | 0) * width + (px | 0)] = shade;
    }
  }

  /** The pixels of a part of the canvas: from, and up to. */
  #bounds({ left, top, width, height }: Box): Bounds {
    return {
      left: Math.max(0, Math.round(left)),
      top: Math.max(0, Math.round(top)),
      right: Math.min(this.canvas.width, Math.round(left + width)),
      bottom: Math.min(this.canvas.height, Math.round(top + height)),
    };
  }

  /** Draw a pixel, unless something nearer is there. */
  #put(at: number, depth: number, shade: number): void {
    if (depth >= this.#depths[at]!) return;
    this.#depths[at] = depth;
    this.#pixels[at] = shade;
  }

  #stamp(px: number, py: number, radius: number, depth: number, shade: number, deep: boolean, bounds: Bounds): void {
    const { width } = this.canvas;
    const first = Math.max(bounds.top, Math.ceil(py - radius - 0.5));
    const last = Math.min(bounds.bottom - 1, Math.floor(py + radius - 0.5));
    for (let y = first; y <= last; y++) {
      const dy = y + 0.5 - py;
      const half = Math.sqrt(Math.max(0, radius * radius - dy * dy));
      const left = Math.max(bounds.left, Math.round(px - half));
      const right = Math.min(bounds.right, Math.max(left + 1, Math.round(px + half)));
      if (deep) for (let x = left; x < right; x++) this.#put(y * width + x, depth, shade);
      else this.#pixels.fill(shade, y * width + left, y * width + right);
    }
  }
}

interface Bounds {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

type Attribute = Float32Array | Uint16Array | Uint8Array;

/** Copies of attributes in an order of drawing, kept as long as both are. */
class InOrder {
  readonly #copies = new WeakMap<Uint32Array, WeakMap<Attribute, Attribute>>();

  of<T extends Attribute>(rows: T, order: Uint32Array, parts: 1 | 3): T {
    const copies = this.#copies.get(order) ?? new WeakMap<Attribute, Attribute>();
    this.#copies.set(order, copies);
    const known = copies.get(rows);
    if (known !== undefined) return known as T;
    const copy = rows.slice() as T;
    if (parts === 1) order.forEach((row, i) => (copy[i] = rows[row]!));
    else {
      order.forEach((row, i) => {
        copy[3 * i] = rows[3 * row]!;
        copy[3 * i + 1] = rows[3 * row + 1]!;
        copy[3 * i + 2] = rows[3 * row + 2]!;
      });
    }
    copies.set(rows, copy);
    return copy;
  }
}

/** Every colour of the palette as it looks above the background. */
function mixedPalette({ palette }: Cloud, look: Look, share: number): Uint32Array {
  return palette.map((color) => mixed(color, look.paper, look.opacity * share));
}

function mixed(color: number, paper: number, share: number): number {
  const alpha = ((color >>> 24) / 255) * share;
  if (alpha === 0) return 0;
  let result = 0xff000000;
  for (let shift = 0; shift < 24; shift += 8) {
    const [above, below] = [(color >>> shift) & 255, (paper >>> shift) & 255];
    result |= Math.round(below + alpha * (above - below)) << shift;
  }
  return result >>> 0;
}

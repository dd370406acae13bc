/**
 * Draw a cloud on the processor, into a plain canvas: fast enough to follow a hand with every
 * point, and the whole picture where there is no WebGL. Opacity is mixed with the background.
 */

import { focusOf, matrixOf, type Camera } from "./camera";
import { CONTEXT, PLAIN_SIZE, SELECTED, type Cloud, type Look } from "./cloud";

/** A frame that takes longer is drawn coarser next time, one that takes far less, finer. */
const SLOW = 24;
const FAST = 5;
const LARGE = 50_000;

export class SplatPainter {
  readonly #context: CanvasRenderingContext2D;
  #coarse: boolean | undefined;
  #image: ImageData | undefined;
  #pixels = new Uint32Array();
  #depths = new Float32Array();

  constructor(readonly canvas: HTMLCanvasElement) {
    this.#context = canvas.getContext("2d", { alpha: true })!;
  }

  /** Draw a frame of a moving view, in half the resolution where all of it would take too long. */
  drawMoving(cloud: Cloud, camera: Camera, look: Look, width: number, height: number): void {
    this.#coarse ??= cloud.count > LARGE;
    const started = performance.now();
    this.draw(cloud, camera, look, width, height, this.#coarse ? 0.5 : 1);
    const took = performance.now() - started;
    if (took > SLOW) this.#coarse = true;
    else if (took < FAST / 4) this.#coarse = false;
  }

  /** Draw a view of so many CSS pixels with `density` pixels for each of them. */
  draw(
    cloud: Cloud, camera: Camera, look: Look, width: number, height: number, density: number,
  ): void {
    this.#fit(Math.max(1, Math.round(width * density)), Math.max(1, Math.round(height * density)));
    if (this.#image === undefined) return;
    this.#pixels.fill(0);
    if (camera.dims === 3) this.#depths.fill(Infinity);
    this.#splat(cloud, camera, { ...look, size: look.size * density });
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

  #splat(cloud: Cloud, camera: Camera, look: Look): void {
    const { width, height } = this.canvas;
    const m = matrixOf(camera, width, height);
    const deep = camera.dims === 3;
    const focus = focusOf(camera);
    const { positions, before, arrived, colors, sizes, states, order } = cloud;
    const flying = arrived < 1 && before !== positions;
    const [plain, dim] = [mixedPalette(cloud, look, 1), mixedPalette(cloud, look, 0.25)];
    const context = mixed(look.context, look.paper, 1);
    const [halfWidth, halfHeight] = [width / 2, height / 2];
    for (let i = 0; i < order.length; i++) {
      const row = order[i]!;
      let x = positions[3 * row]!, y = positions[3 * row + 1]!, z = positions[3 * row + 2]!;
      if (flying) {
        x = before[3 * row]! + arrived * (x - before[3 * row]!);
        y = before[3 * row + 1]! + arrived * (y - before[3 * row + 1]!);
        z = before[3 * row + 2]! + arrived * (z - before[3 * row + 2]!);
      }
      const w = deep ? m[3]! * x + m[7]! * y + m[11]! * z + m[15]! : 1;
      if (w <= 0) continue;
      const px = (1 + (m[0]! * x + m[4]! * y + m[8]! * z + m[12]!) / w) * halfWidth;
      const py = (1 - (m[1]! * x + m[5]! * y + m[9]! * z + m[13]!) / w) * halfHeight;
      if (!(px >= 0 && py >= 0 && px < width && py < height)) continue;
      const state = states[row]!;
      const aside = state === CONTEXT;
      const shade = aside
        ? context
        : (look.dimmed && state !== SELECTED ? dim : plain)[colors[row]!]!;
      if (shade === 0) continue;
      const share = aside ? 0.6 : sizes[row]! / PLAIN_SIZE;
      const diameter = look.size * share * (deep ? Math.min(6, focus / w) : 1);
      if (diameter < 2) this.#put((py | 0) * width + (px | 0), w, shade, deep);
      else this.#stamp(px, py, diameter / 2, w, shade, deep);
    }
  }

  #put(at: number, depth: number, shade: number, deep: boolean): void {
    if (deep) {
      if (depth >= this.#depths[at]!) return;
      this.#depths[at] = depth;
    }
    this.#pixels[at] = shade;
  }

  #stamp(px: number, py: number, radius: number, depth: number, shade: number, deep: boolean): void {
    const { width, height } = this.canvas;
    const top = Math.max(0, Math.ceil(py - radius - 0.5));
    const bottom = Math.min(height - 1, Math.floor(py + radius - 0.5));
    for (let y = top; y <= bottom; y++) {
      const dy = y + 0.5 - py;
      const half = Math.sqrt(Math.max(0, radius * radius - dy * dy));
      const left = Math.max(0, Math.round(px - half));
      const right = Math.min(width, Math.max(left + 1, Math.round(px + half)));
      for (let x = left; x < right; x++) this.#put(y * width + x, depth, shade, deep);
    }
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

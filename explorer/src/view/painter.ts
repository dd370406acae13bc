/**
 * Draws clouds by what this browser has: WebGL finely, where it is fast enough moving views too; where
 * it is missing or was lost, the processor.
 */

import { element } from "../dom";
import type { Camera } from "./camera";
import type { Layer, Look } from "./cloud";
import { SplatPainter } from "./splat";
import { WebGLPainter } from "./webgl";

const FAST_ENOUGH = 16; // ms a frame

export interface View {
  layers: readonly Layer[];
  camera: Camera;
  look: Look;
  width: number;
  height: number;
}

export class Painter {
  readonly #splat = new SplatPainter(element("canvas"));
  #webgl: WebGLPainter | undefined;
  /** What the last frame of WebGL took, in ms. */
  #cost = Infinity;

  /** Draw into canvases of a host; `refresh` is called when WebGL was lost or is back. */
  constructor(host: HTMLElement, readonly refresh: () => void) {
    host.append(this.#splat.canvas);
    this.#startWebGL();
  }

  /** Where the points were drawn last. */
  get canvas(): HTMLCanvasElement {
    return this.#webgl?.canvas ?? this.#splat.canvas;
  }

  /** Draw a view that will be another one soon. */
  drawMoving({ layers, camera, look, width, height }: View): void {
    if (this.#webgl !== undefined && this.#cost < FAST_ENOUGH) {
      fitCanvas(this.#webgl.canvas, width, height);
      void this.#webgl.draw(layers, camera, look, devicePixelRatio).then((cost) => {
        this.#cost = cost;
      });
      this.#show(this.#webgl.canvas);
    } else {
      this.#splat.drawMoving(layers, camera, look, width, height);
      this.#show(this.#splat.canvas);
    }
  }

  /** Draw a view as finely as can be; what `isOld` once it is drawn is not shown. Say whether it is. */
  async drawFinely({ layers, camera, look, width, height }: View, isOld: () => boolean): Promise<boolean> {
    if (this.#webgl !== undefined) {
      const { canvas } = this.#webgl;
      fitCanvas(canvas, width, height);
      this.#cost = await this.#webgl.draw(layers, camera, look, devicePixelRatio);
      if (isOld() || this.#webgl === undefined) return false;
      this.#show(canvas);
    } else {
      this.#splat.draw(layers, camera, look, width, height, devicePixelRatio);
      this.#show(this.#splat.canvas);
    }
    return true;
  }

  #startWebGL(): void {
    const canvas = element("canvas");
    try {
      this.#webgl = new WebGLPainter(canvas);
    } catch {
      return;
    }
    this.#splat.canvas.before(canvas);
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.#webgl = undefined;
      canvas.style.visibility = "hidden";
      this.refresh();
    });
    canvas.addEventListener("webglcontextrestored", () => {
      canvas.remove();
      this.#startWebGL();
      this.refresh();
    });
  }

  #show(canvas: HTMLCanvasElement): void {
    for (const layer of [this.#webgl?.canvas, this.#splat.canvas]) {
      if (layer !== undefined) layer.style.visibility = layer === canvas ? "visible" : "hidden";
    }
  }
}

/** Give a canvas the screen's resolution; one that has it is not touched. */
export function fitCanvas(canvas: HTMLCanvasElement, width: number, height: number): void {
  const [wide, high] = [width, height].map((side) => Math.round(side * devicePixelRatio)) as [number, number];
  if (canvas.width !== wide) canvas.width = wide;
  if (canvas.height !== high) canvas.height = high;
}

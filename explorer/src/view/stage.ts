/**
 * The map on the screen. While it moves, the processor draws every point; once it rests, WebGL
 * draws it finely. Where WebGL is fast enough it draws moving views too; where it is missing, the
 * processor draws all.
 */

import { element } from "../dom";
import { homeCamera, type Camera } from "./camera";
import { drawingOrder, emptyCloud, type Cloud, type Look } from "./cloud";
import { drawGround } from "./ground";
import { ScreenGrid } from "./screen";
import { SplatPainter } from "./splat";
import { WebGLPainter } from "./webgl";

const REST_AFTER = 130; // ms without movement
const FAST_ENOUGH = 16; // ms a frame
const FLIGHT = 800; // ms

interface Flight {
  started: number;
  resolve(): void;
}

export class Stage {
  readonly host = element("div", { class: "stage" });
  readonly #ground = element("canvas");
  readonly #splat = new SplatPainter(element("canvas"));
  readonly #overlay = element("canvas");
  #webgl: WebGLPainter | undefined;
  #cost = Infinity;

  cloud: Cloud;
  camera: Camera = homeCamera(2);
  look: Look = { size: 3, opacity: 1, context: 0, paper: 0, dimmed: false };
  /** Draws what lies above the points. */
  drawAbove: (context: CanvasRenderingContext2D, grid: () => ScreenGrid) => void = () => {};

  #grid: ScreenGrid | undefined;
  #frame = 0;
  #restTimer = 0;
  #version = 0;
  #flight: Flight | undefined;
  #hasPlaces = false;
  #wasSeen = false;

  constructor(count: number, readonly calm: () => boolean) {
    this.cloud = emptyCloud(count);
    this.host.append(this.#ground, this.#splat.canvas, this.#overlay);
    this.#startWebGL();
    new ResizeObserver(() => this.refresh()).observe(this.host);
  }

  get width(): number {
    return Math.max(1, this.host.clientWidth);
  }

  get height(): number {
    return Math.max(1, this.host.clientHeight);
  }

  /** Where points lie on the screen now. */
  get grid(): ScreenGrid {
    this.#grid ??= new ScreenGrid(this.cloud, this.camera, this.width, this.height);
    return this.#grid;
  }

  /** Look from elsewhere. */
  move(camera: Camera): void {
    this.camera = camera;
    this.#moved();
  }

  /** Draw again what looks otherwise: colours, sizes, what is shown. */
  change(change: Partial<Pick<Cloud, "colors" | "palette" | "sizes" | "states">>): void {
    const order = change.states === undefined ? this.cloud.order : drawingOrder(change.states);
    this.cloud = { ...this.cloud, ...change, order };
    this.refresh();
  }

  refresh(): void {
    this.#moved();
  }

  /** Redraw what lies above the points, and nothing else. */
  drawOverlay(): void {
    const context = this.#cleared(this.#overlay);
    this.drawAbove(context, () => this.grid);
  }

  /** Let the points fly to other places. */
  async fly(positions: Float32Array, camera: Camera): Promise<void> {
    const before = this.#placesNow();
    const jumps = !this.#hasPlaces || this.calm();
    this.#hasPlaces = true;
    this.cloud = { ...this.cloud, positions, before: jumps ? positions : before, arrived: jumps ? 1 : 0 };
    this.camera = camera;
    this.#flight?.resolve();
    if (jumps) return this.refresh();
    await new Promise<void>((resolve) => {
      this.#flight = { started: performance.now(), resolve };
      this.#moved();
    });
  }

  /** A picture of the view. */
  async picture(paper: string): Promise<HTMLCanvasElement> {
    await this.#rest();
    const picture = element("canvas", { width: this.#ground.width, height: this.#ground.height });
    const context = picture.getContext("2d")!;
    context.fillStyle = paper;
    context.fillRect(0, 0, picture.width, picture.height);
    const points = this.#webgl?.canvas ?? this.#splat.canvas;
    for (const layer of [this.#ground, points, this.#overlay]) {
      context.drawImage(layer, 0, 0, picture.width, picture.height);
    }
    return picture;
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

  #moved(): void {
    this.#version++;
    this.#grid = undefined;
    this.host.dataset["view"] = "moving";
    this.#frame ||= requestAnimationFrame((time) => this.#drawMoving(time));
    clearTimeout(this.#restTimer);
    this.#restTimer = setTimeout(() => void this.#rest(), REST_AFTER);
  }

  #drawMoving(time: number): void {
    this.#frame = 0;
    if (this.#flight !== undefined) {
      this.#advance(this.#flight, time);
      this.#moved();
    }
    const { width, height } = this;
    if (this.#webgl !== undefined && this.#cost < FAST_ENOUGH) {
      this.#sized(this.#webgl.canvas);
      void this.#webgl.draw(this.cloud, this.camera, this.look, devicePixelRatio).then((cost) => {
        this.#cost = cost;
      });
      this.#show(this.#webgl.canvas);
    } else {
      this.#splat.drawMoving(this.cloud, this.camera, this.look, width, height);
      this.#show(this.#splat.canvas);
    }
    this.#drawAround();
    if (this.#hasPlaces && !this.#wasSeen) {
      this.#wasSeen = true;
      performance.mark("first points");
    }
  }

  #advance(flight: Flight, time: number): void {
    const share = Math.min(1, Math.max(0, (time - flight.started) / FLIGHT));
    const arrived = share * share * (3 - 2 * share);
    const before = share < 1 ? this.cloud.before : this.cloud.positions;
    this.cloud = { ...this.cloud, before, arrived };
    if (share < 1) return;
    this.#flight = undefined;
    flight.resolve();
  }

  /** Draw the view as finely as can be. */
  async #rest(): Promise<void> {
    clearTimeout(this.#restTimer);
    if (this.#flight !== undefined) return;
    const version = this.#version;
    const { width, height } = this;
    if (this.#webgl !== undefined) {
      const { canvas } = this.#webgl;
      this.#sized(canvas);
      this.#cost = await this.#webgl.draw(this.cloud, this.camera, this.look, devicePixelRatio);
      if (version !== this.#version || this.#webgl === undefined) return;
      this.#show(canvas);
    } else {
      this.#splat.draw(this.cloud, this.camera, this.look, width, height, devicePixelRatio);
      this.#show(this.#splat.canvas);
    }
    this.#drawAround();
    this.host.dataset["view"] = "resting";
  }

  #drawAround(): void {
    const color = getComputedStyle(this.host).getPropertyValue("--grid");
    drawGround(this.#cleared(this.#ground), this.camera, this.width, this.height, color);
    this.drawOverlay();
  }

  #show(canvas: HTMLCanvasElement): void {
    for (const layer of [this.#webgl?.canvas, this.#splat.canvas]) {
      if (layer !== undefined) layer.style.visibility = layer === canvas ? "visible" : "hidden";
    }
  }

  /** A canvas of the screen's resolution; those that keep their size are not touched. */
  #sized(canvas: HTMLCanvasElement): void {
    const [width, height] = [this.width, this.height].map((side) => Math.round(side * devicePixelRatio));
    if (canvas.width !== width) canvas.width = width!;
    if (canvas.height !== height) canvas.height = height!;
  }

  #cleared(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
    this.#sized(canvas);
    const context = canvas.getContext("2d")!;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    // Chromium keeps the old picture of a canvas that is cleared as a whole and not drawn on after.
    const middle = Math.ceil(this.height / 2);
    context.clearRect(0, 0, this.width, middle);
    context.clearRect(0, middle, this.width, middle);
    return context;
  }

  #placesNow(): Float32Array {
    const { positions, before, arrived } = this.cloud;
    if (arrived === 1) return positions;
    return positions.map((to, i) => before[i]! + arrived * (to - before[i]!));
  }
}

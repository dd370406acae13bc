/**
 * The maps on the screen: one, or several beside one another that are seen from the same side. While
 * they move they are drawn fast, once they rest finely.
 */

import { element } from "../dom";
import { boxesOf } from "./boxes";
import { homeCamera, type Camera } from "./camera";
import { drawingOrder, plainCloud, restingAt, type Box, type Cloud, type Layer, type Look, type Places } from "./cloud";
import { drawGround } from "./ground";
import { fitCanvas, Painter } from "./painter";
import type { Pen } from "./pen";
import { ScreenGrid } from "./screen";
import { drawnShapes } from "./shapes";

const REST_AFTER = 130; // ms without movement
const FLIGHT = 800; // ms
/** Beside others, a map whose shorter side has fewer pixels has smaller points. */
const PLAIN_SIDE = 500;
const LEAST_SHARE = 0.5;

/** What a map shows: the places of all samples, and below them points of another cloud, if there are any. */
export interface Shown {
  positions: Float32Array;
  below: { cloud: Cloud; positions: Float32Array } | null;
}

interface Flight {
  started: number;
  resolve(): void;
}

export class Stage {
  readonly host = element("div", { class: "stage" });
  readonly #ground = element("canvas");
  readonly #painter: Painter;
  readonly #overlay = element("canvas");

  cloud: Cloud;
  camera: Camera = homeCamera(2);
  look: Look = { size: 3, opacity: 1, context: 0, paper: 0, dimmed: false };
  /** Which map panels and keys are about. */
  active = 0;
  /** Draws what lies below the points of a map, in its own coordinates. */
  drawBelow: (pen: Pen, pane: number, box: Box) => void = () => {};
  /** Draws what lies above them. */
  drawAbove: (pen: Pen, grid: () => ScreenGrid, pane: number) => void = () => {};
  /** Told when points look otherwise. */
  changed: () => void = () => {};
  /** Told when the maps lie elsewhere in the view. */
  laidOut: () => void = () => {};

  #panes: { places: Places; below: Shown["below"] }[];
  #boxes: Box[] = [];
  #grids: (ScreenGrid | undefined)[] = [];
  #frame = 0;
  #restTimer = 0;
  #version = 0;
  #flight: Flight | undefined;
  #hasPlaces = false;
  #wasSeen = false;

  constructor(count: number, readonly calm: () => boolean) {
    this.cloud = plainCloud(count);
    this.#panes = [{ places: restingAt(new Float32Array(3 * count)), below: null }];
    this.host.append(this.#ground);
    this.#painter = new Painter(this.host, () => this.refresh());
    this.host.append(this.#overlay);
    new ResizeObserver(() => {
      this.#layOut();
      this.refresh();
    }).observe(this.host);
  }

  /** How points look on the maps as they lie now: smaller on small ones, where there are several. */
  get drawnLook(): Look {
    if (this.boxes.length === 1) return this.look;
    const { width, height } = this.box;
    const share = Math.max(LEAST_SHARE, Math.min(1, Math.min(width, height) / PLAIN_SIDE));
    return { ...this.look, size: share * this.look.size };
  }

  get width(): number {
    return Math.max(1, this.host.clientWidth);
  }

  get height(): number {
    return Math.max(1, this.host.clientHeight);
  }

  /** Where the maps lie in the view. */
  get boxes(): readonly Box[] {
    if (this.#boxes.length === 0) this.#layOut();
    return this.#boxes;
  }

  /** Where that map lies that panels and keys are about. */
  get box(): Box {
    return this.boxes[this.active] ?? this.boxes[0]!;
  }

  /** The number of the map that lies under a place of the view. */
  paneAt(x: number, y: number): number {
    const found = this.boxes.findIndex(({ left, top, width, height }) =>
      x >= left && x < left + width && y >= top && y < top + height);
    return found < 0 ? this.active : found;
  }

  /** Where the points of the active map lie now, in its part of the view. */
  get grid(): ScreenGrid {
    return this.gridOf(this.active);
  }

  gridOf(pane: number): ScreenGrid {
    const { width, height } = this.boxes[pane]!;
    this.#grids[pane] ??= new ScreenGrid(this.cloud, this.#panes[pane]!.places.positions, this.camera, width, height);
    return this.#grids[pane];
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
    this.changed();
  }

  /** Redraw what lies above the points, and nothing else. */
  drawOverlay(): void {
    const context = this.#cleared(this.#overlay);
    this.#inEachBox(context, (pane) => this.drawAbove(context, () => this.gridOf(pane), pane));
  }

  /** Let the points fly to their places on other maps; those of a map that comes anew fly from the first. */
  async fly(maps: readonly Shown[], camera: Camera): Promise<void> {
    const jumps = !this.#hasPlaces || this.calm();
    this.#hasPlaces = true;
    const earlier = this.#panes.map(({ places }) => placesNow(places));
    this.#panes = maps.map(({ positions, below }, pane) => {
      const before = jumps ? positions : earlier[pane] ?? earlier[0]!;
      return { places: { positions, before, arrived: before === positions ? 1 : 0 }, below };
    });
    this.camera = camera;
    this.#layOut();
    this.#flight?.resolve();
    this.#flight = undefined;
    if (this.#panes.every(({ places }) => places.arrived === 1)) return this.refresh();
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
    for (const layer of [this.#ground, this.#painter.canvas, this.#overlay]) {
      context.drawImage(layer, 0, 0, picture.width, picture.height);
    }
    return picture;
  }

  /** The view as a drawing of shapes. */
  async shapes(): Promise<SVGGElement> {
    await this.#rest();
    const { camera, drawnLook: look, boxes, width, height } = this;
    return drawnShapes({
      layers: this.#layers(), camera, look, boxes, width, height,
      grid: getComputedStyle(this.host).getPropertyValue("--grid"),
      below: this.drawBelow,
      above: (pen, pane) => this.drawAbove(pen, () => this.gridOf(pane), pane),
      raster: this.#painter.canvas,
    });
  }

  #layOut(): void {
    this.#boxes = boxesOf(this.#panes.length, this.width, this.height);
    this.laidOut();
  }

  #moved(): void {
    this.#version++;
    this.#grids = [];
    this.host.dataset["view"] = "moving";
    this.#frame ||= requestAnimationFrame((time) => this.#drawMoving(time));
    clearTimeout(this.#restTimer);
  }

  /**
   * Rest once nothing has moved for a while: counted from a frame later, because what a hand does comes
   * with frames, and these are late while a slow machine still draws the last view finely.
   */
  #restSoon(): void {
    const version = this.#version;
    requestAnimationFrame(() => {
      if (version === this.#version) this.#restTimer = setTimeout(() => void this.#rest(), REST_AFTER);
    });
  }

  #drawMoving(time: number): void {
    this.#frame = 0;
    if (this.#flight !== undefined) {
      this.#advance(this.#flight, time);
      this.#moved();
    }
    this.#painter.drawMoving(this.#view());
    this.#drawAround();
    this.#restSoon();
    if (this.#hasPlaces && !this.#wasSeen) {
      this.#wasSeen = true;
      performance.mark("first points");
    }
  }

  #advance(flight: Flight, time: number): void {
    const share = Math.min(1, Math.max(0, (time - flight.started) / FLIGHT));
    const arrived = share * share * (3 - 2 * share);
    this.#panes = this.#panes.map(({ places, below }) => ({
      places: share < 1 && places.arrived < 1 ? { ...places, arrived } : restingAt(places.positions), below,
    }));
    if (share < 1) return;
    this.#flight = undefined;
    flight.resolve();
  }

  /** Draw the view as finely as can be. */
  async #rest(): Promise<void> {
    clearTimeout(this.#restTimer);
    if (this.#flight !== undefined) return;
    const version = this.#version;
    if (!await this.#painter.drawFinely(this.#view(), () => version !== this.#version)) return;
    this.#drawAround();
    this.host.dataset["view"] = "resting";
  }

  #view(): Parameters<Painter["drawMoving"]>[0] {
    const { camera, drawnLook: look, width, height } = this;
    return { layers: this.#layers(), camera, look, width, height };
  }

  /** What lies below a map shows itself once the points have arrived. */
  #layers(): Layer[] {
    return this.boxes.flatMap((box, pane) => {
      const { places, below } = this.#panes[pane]!;
      const own = { cloud: this.cloud, box, ...places };
      return below === null || places.arrived < 1
        ? [own]
        : [{ cloud: below.cloud, box, ...restingAt(below.positions) }, own];
    });
  }

  #drawAround(): void {
    const color = getComputedStyle(this.host).getPropertyValue("--grid");
    const context = this.#cleared(this.#ground);
    this.#inEachBox(context, (pane, box) => {
      this.drawBelow(context, pane, box);
      drawGround(context, this.camera, box.width, box.height, color);
    });
    this.drawOverlay();
  }

  /** Draw into the part of each map, as if it were all there is. */
  #inEachBox(context: CanvasRenderingContext2D, draw: (pane: number, box: Box) => void): void {
    this.boxes.forEach((box, pane) => {
      context.save();
      context.translate(box.left, box.top);
      context.beginPath();
      context.rect(0, 0, box.width, box.height);
      context.clip();
      draw(pane, box);
      context.restore();
    });
  }

  #cleared(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
    fitCanvas(canvas, this.width, this.height);
    const context = canvas.getContext("2d")!;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    // Chromium keeps the old picture of a canvas that is cleared as a whole and not drawn on after.
    const middle = Math.ceil(this.height / 2);
    context.clearRect(0, 0, this.width, middle);
    context.clearRect(0, middle, this.width, middle);
    return context;
  }
}

/** Where points are in flight. */
function placesNow({ positions, before, arrived }: Places): Float32Array {
  if (arrived === 1) return positions;
  return positions.map((to, i) => before[i]! + arrived * (to - before[i]!));
}

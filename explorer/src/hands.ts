/** What a person does on the map and on the keyboard. */

import { showDims, stepMethod } from "./embeddings";
import type { Explorer } from "./explorer";
import type { card } from "./panels/card";
import { stepBeside } from "./panels/beside";
import { activated } from "./beside";
import { united, without } from "./selecting";
import { NONE } from "./state";
import { drawAbove } from "./view/above";
import { homeCamera, panned, rotated, zoomed, type Camera } from "./view/camera";
import { listen } from "./view/gestures";
import { drawDifferences, drawTints } from "./view/regions";
import type { Pen } from "./view/pen";
import { drawRings, ringed } from "./view/rings";

const STEP = 40; // pixels that an arrow moves
const TURN_AFTER = 1500; // ms without a touch
const TURN = 0.02; // pixels of a drag in each millisecond, of a map that turns by itself

export class Hands {
  /** What is drawn around samples, in coordinates of the map on which it was begun. */
  #shape: (readonly [number, number])[] = [];
  #drawnOn = 0;
  #touched = false;
  #ringed: readonly number[] = [];

  constructor(
    readonly explorer: Explorer, readonly hover: ReturnType<typeof card>, readonly help: HTMLDialogElement,
  ) {
    const { stage, state, found } = explorer;
    stage.host.tabIndex = 0;
    stage.host.setAttribute("role", "application");
    stage.host.setAttribute("aria-label", "Map of all samples: arrows move, plus and minus zoom, Enter opens the sample in the middle");
    stage.drawAbove = (context, grid, pane) => this.#drawAbove(context, grid, pane);
    stage.drawBelow = (context, pane, { width, height }) =>
      drawTints(context, stage.camera, width, height, found.now.regions[pane] ?? []);
    found.watch(["hovered", "neighbors"], () => stage.drawOverlay());
    state.watch(["row"], () => stage.drawOverlay());
    found.watch(["flags", "shown"], ({ flags, shown }) => {
      this.#ringed = flags === null ? [] : ringed(flags, shown);
      stage.drawOverlay();
    });
    // The point under the pointer is no longer there, or no longer shown.
    state.watch(["camera", "map", "row"], () => hover.hide());
    found.watch(["shown"], () => hover.hide());
    this.#touched = explorer.hasGivenView;
    let before: number | undefined;
    state.watch(["map"], ({ map }) => {
      const dims = explorer.site.map(map)?.dims;
      if (before !== undefined && dims !== before) this.#touched = false;
      before = dims;
      if (dims === 3 && !this.#touched) this.#turnWhileIdle();
    });
    this.#listen();
    addEventListener("keydown", (event) => this.#key(event));
  }

  /** Show the whole map. */
  fit(): void {
    const { state } = this.explorer;
    state.set({ camera: homeCamera(state.now.camera.dims) });
  }

  #listen(): void {
    const { explorer, hover } = this;
    const { stage, state } = explorer;
    listen(stage.host, {
      touch: () => {
        this.#touched = true;
      },
      hover: (x, y) => {
        const row = this.#rowAt(x, y);
        if (row === undefined) hover.hide();
        else hover.show(row, x, y);
      },
      leave: () => hover.hide(),
      click: (x, y) => {
        const row = this.#rowAt(x, y);
        this.#activate(stage.paneAt(x, y));
        if (row !== undefined) explorer.open(row);
      },
      drag: (dx, dy, pans) => this.#drag(dx, dy, pans),
      zoom: (factor, x, y) => {
        hover.hide();
        const { left, top, width, height } = stage.boxes[stage.paneAt(x, y)]!;
        this.#look(zoomed(state.now.camera, factor, x - left, y - top, width, height));
      },
      draws: () => state.now.tool !== "move",
      draw: (viewX, viewY, began) => {
        if (began) this.#drawnOn = stage.paneAt(viewX, viewY);
        const box = stage.boxes[this.#drawnOn]!;
        const [x, y] = [viewX - box.left, viewY - box.top];
        if (began) this.#shape = [[x, y]];
        else if (state.now.tool === "lasso") this.#shape.push([x, y]);
        else {
          const [left, top] = this.#shape[0]!;
          this.#shape = [[left, top], [x, top], [x, y], [left, y]];
        }
        stage.drawOverlay();
      },
      drawn: (event) => this.#select(event),
    });
  }

  /** The sample under a place of the view, whichever map lies there. */
  #rowAt(x: number, y: number): number | undefined {
    const { stage } = this.explorer;
    const pane = stage.paneAt(x, y);
    const { left, top } = stage.boxes[pane]!;
    return stage.gridOf(pane).nearest(x - left, y - top, stage.drawnLook.size);
  }

  /** Let panels be about another of the maps shown. */
  #activate(pane: number): void {
    const { state, site, stage } = this.explorer;
    if (pane !== stage.active) state.set(activated(site, state.now, pane));
  }

  #look(camera: Camera): void {
    this.explorer.state.set({ camera });
  }

  #drag(dx: number, dy: number, pans: boolean): void {
    const { stage, state } = this.explorer;
    const { camera } = state.now;
    this.#look(camera.dims === 3 && !pans
      ? rotated(camera, dx, dy)
      : panned(camera, dx, dy, stage.box.width, stage.box.height));
  }

  #select({ shiftKey, altKey }: PointerEvent): void {
    const { explorer } = this;
    const { stage, state } = explorer;
    const shape = this.#shape;
    this.#shape = [];
    stage.drawOverlay();
    const grid = stage.gridOf(this.#drawnOn);
    let rows = grid.inside(shape);
    if (!state.now.through) rows = grid.foremost(rows, stage.drawnLook.size);
    const { selected } = state.now;
    explorer.select(shiftKey ? united(selected, rows) : altKey ? without(selected, rows) : rows);
  }

  #key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || this.help.open) return;
    if (event.key === "Escape") return this.#escape(target);
    if (target.closest("input:not([type=checkbox]), select, textarea")) return;
    const act = this.#actions(target)[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (act === undefined) return;
    this.#touched = true;
    event.preventDefault();
    act();
  }

  #actions(target: HTMLElement): Record<string, () => void> {
    const { explorer } = this;
    const { stage, state } = explorer;
    const zoom = (factor: number) => () => {
      const { width, height } = stage.box;
      this.#look(zoomed(state.now.camera, factor, width / 2, height / 2, width, height));
    };
    const onMap: Record<string, () => void> = {
      ArrowLeft: () => this.#drag(STEP, 0, false),
      ArrowRight: () => this.#drag(-STEP, 0, false),
      ArrowUp: () => this.#drag(0, STEP, false),
      ArrowDown: () => this.#drag(0, -STEP, false),
      Enter: () => {
        const row = stage.grid.nearest(stage.box.width / 2, stage.box.height / 2, stage.drawnLook.size, 200);
        if (row !== undefined) explorer.open(row);
      },
    };
    return {
      ...(target === stage.host || target === document.body ? onMap : {}),
      "+": zoom(1.3),
      "=": zoom(1.3),
      "-": zoom(1 / 1.3),
      "[": () => stepMethod(explorer, -1),
      "]": () => stepMethod(explorer, 1),
      "2": () => showDims(explorer, 2),
      "3": () => showDims(explorer, 3),
      v: () => state.set({ tool: "move" }),
      l: () => state.set({ tool: "lasso" }),
      r: () => state.set({ tool: "rectangle" }),
      f: () => this.fit(),
      s: () => stepBeside(explorer),
      a: () => state.set({ gallery: !state.now.gallery }),
      "/": () => document.getElementById("query")?.focus(),
      "?": () => this.help.showModal(),
      n: () => explorer.step(1),
      p: () => explorer.step(-1),
      m: () => document.getElementById("mark")?.click(),
      Backspace: () => explorer.back(),
    };
  }

  /** Put away what came last: first the field, then the sample, then selection and search. */
  #escape(target: HTMLElement): void {
    const { state, stage } = this.explorer;
    if (target.closest("input, select, textarea")) stage.host.focus();
    else if (state.now.gallery) state.set({ gallery: false });
    else if (state.now.tool !== "move") state.set({ tool: "move" });
    else if (state.now.row !== null) state.set({ row: null, trail: [] });
    else if (state.now.selected.length > 0) state.set({ selected: NONE });
    else state.set({ query: "", filters: [], hidden: [], only: null });
  }

  /** Turn a solid map slowly, until somebody touches it; not while a pointer is over it. */
  #turnWhileIdle(): void {
    const { state, stage, site } = this.explorer;
    if (stage.calm()) return;
    let before = performance.now() + TURN_AFTER;
    const turn = (now: number): void => {
      if (this.#touched || site.map(state.now.map)?.dims !== 3) return;
      const { camera } = state.now;
      const waits = camera.dims !== 3 || now < before || stage.host.matches(":hover");
      if (!waits) this.#look(rotated(camera, (before - now) * TURN, 0));
      before = Math.max(before, now);
      requestAnimationFrame(turn);
    };
    requestAnimationFrame(turn);
  }

  #drawAbove(context: Pen, grid: Parameters<typeof drawAbove>[1], pane: number): void {
    const { stage, state, found } = this.explorer;
    const style = getComputedStyle(document.documentElement);
    const { width, height } = stage.boxes[pane]!;
    drawDifferences(context, stage.camera, width, height, found.now.regions[pane] ?? [],
      style.getPropertyValue("--ink"), style.getPropertyValue("--map"));
    const { flags } = found.now;
    if (flags !== null) drawRings(context, grid(), this.#ringed, flags, style.getPropertyValue("--same"));
    drawAbove(context, grid, {
      hovered: found.now.hovered,
      row: state.now.row,
      neighbors: found.now.neighbors?.map(({ row }) => row) ?? [],
      shape: pane === this.#drawnOn ? this.#shape : [],
      ink: style.getPropertyValue("--ink"),
      accent: style.getPropertyValue("--link"),
    });
  }
}

/** The maps on the screen as a drawing of shapes; of many points their raster is in it. */

import { focusOf, type Camera } from "./camera";
import { CONTEXT, PLAIN_SIZE, SHOWN, type Box, type Layer, type Look } from "./cloud";
import { drawGround } from "./ground";
import { shape, ShapePen, type Pen } from "./pen";
import { ScreenGrid } from "./screen";

/** Points that are shapes of their own; programs that edit drawings do not bear many more. */
const MOST = 5_000;

export interface Drawn {
  layers: readonly Layer[];
  camera: Camera;
  look: Look;
  boxes: readonly Box[];
  width: number;
  height: number;
  grid: string;
  /** Draw what lies below and above the points of a map. */
  below(pen: Pen, pane: number, box: Box): void;
  above(pen: Pen, pane: number): void;
  /** The points alone, as a picture. */
  raster: HTMLCanvasElement;
}

export function drawnShapes({ layers, camera, look, boxes, width, height, grid, below, above, raster }: Drawn): SVGGElement {
  const group = shape("g", {});
  boxes.forEach((box, pane) => group.append(clipPath(box, pane)));
  const inBoxes = (draw: (pen: Pen, box: Box, pane: number) => void): void => boxes.forEach((box, pane) => {
    const inside = framed(box, pane);
    draw(new ShapePen(inside), box, pane);
    if (inside.childNodes.length > 0) group.append(inside);
  });
  inBoxes((pen, box, pane) => {
    below(pen, pane, box);
    drawGround(pen, camera, box.width, box.height, grid);
  });
  const count = layers.reduce((sum, { cloud }) => sum + cloud.count, 0);
  if (count > MOST) group.append(shape("image", { width, height, href: raster.toDataURL("image/png") }));
  else for (const layer of layers) group.append(framed(layer.box, boxes.indexOf(layer.box), ...circles(layer, camera, look)));
  inBoxes((pen, _, pane) => above(pen, pane));
  return group;
}

function clipPath({ width, height }: Box, pane: number): SVGClipPathElement {
  return shape("clipPath", { id: `map-${pane}` }, shape("rect", { width, height }));
}

function framed({ left, top }: Box, pane: number, ...children: Node[]): SVGGElement {
  return shape("g", { transform: `translate(${left} ${top})`, "clip-path": `url(#map-${pane})` }, ...children);
}

/** The points of a layer in the order in which they are drawn, those farther off first. */
function circles({ cloud, positions, box }: Layer, camera: Camera, look: Look): SVGCircleElement[] {
  const places = new ScreenGrid(cloud, positions, camera, box.width, box.height);
  const focus = focusOf(camera);
  const deep = camera.dims === 3;
  const rows = Array.from(cloud.order);
  if (deep) rows.sort((a, b) => places.depth(b) - places.depth(a));
  return rows.flatMap((row) => {
    const place = places.place(row);
    if (place === undefined) return [];
    const state = cloud.states[row]!;
    const aside = state === CONTEXT;
    const distance = deep ? focus / places.depth(row) : 1;
    const share = aside ? 0.6 : cloud.sizes[row]! / PLAIN_SIZE;
    const fading = deep ? Math.max(0.25, Math.min(1, 1.5 * distance - 0.35)) : 1;
    const dimming = look.dimmed && state === SHOWN ? 0.25 : 1;
    return [shape("circle", {
      cx: place.x, cy: place.y, r: Math.max(0.5, (look.size * share * Math.min(6, distance)) / 2),
      fill: hexOf(aside ? look.context : cloud.palette[cloud.colors[row]!]!),
      "fill-opacity": aside ? 1 : look.opacity * fading * dimming,
    })];
  });
}

/** #rrggbb of 0xAABBGGRR. */
function hexOf(color: number): string {
  return `#${[0, 8, 16].map((shift) => ((color >> shift) & 255).toString(16).padStart(2, "0")).join("")}`;
}

/** What each position of a latent adds, drawn over a picture. */

import { element } from "../dom";
import { percent, number } from "../words";

export interface Heat {
  /** Row by row. */
  values: Float64Array;
  height: number;
  width: number;
  /** What all of it adds up to. */
  total: number;
}

/** Colours of what is above and below zero. */
export interface HeatColors {
  above: readonly [number, number, number];
  below: readonly [number, number, number];
}

/** A picture, or an empty ground, under the heat; tells what the position under the pointer adds. */
export function heated(
  picture: string | null, name: string, heat: Heat, colors: HeatColors, tell: (text: string | null) => void,
): HTMLElement {
  const { height, width, values, total } = heat;
  const canvas = painted(heat, colors);
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const [row, column] = [[event.clientY - box.top, box.height, height], [event.clientX - box.left, box.width, width]]
      .map(([at, side, cells]) => Math.max(0, Math.min(cells! - 1, Math.floor((at! / side!) * cells!)))) as [number, number];
    tell(placeSaid(values[row * width + column]!, row, column, total));
  });
  canvas.addEventListener("pointerleave", () => tell(null));
  const ground = picture === null ? element("div", { class: "ground" }) : element("img", { src: picture, alt: name });
  if (picture === null) ground.style.aspectRatio = `${width} / ${height}`;
  return element("div", { class: "heated" }, ground, canvas);
}

/** "row 3, column 12 adds 0.0012, 4 % of all". */
export function placeSaid(value: number, row: number, column: number, total: number): string {
  return `Row ${row + 1}, column ${column + 1} adds ${number(value)}${total > 0 ? `, ${percent(value / total)} of all` : ""}.`;
}

/** The position that adds most, whatever its sign. */
export function strongest({ values, width, total }: Heat): string {
  let place = 0;
  values.forEach((value, i) => {
    if (Math.abs(value) > Math.abs(values[place]!)) place = i;
  });
  return `Most: ${placeSaid(values[place]!, Math.floor(place / width), place % width, total).replace("Row", "row")}`;
}

function painted({ values, height, width }: Heat, { above, below }: HeatColors): HTMLCanvasElement {
  const canvas = element("canvas", { width, height, "aria-hidden": "true" });
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(width, height);
  const most = values.reduce((found, value) => Math.max(found, Math.abs(value)), 0) || 1;
  values.forEach((value, i) => {
    image.data.set(value > 0 ? above : below, 4 * i);
    // Square roots, so that weak ones are seen beside the strongest.
    image.data[4 * i + 3] = Math.round(225 * Math.sqrt(Math.abs(value) / most));
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Draws how a source is spread over the regions of a map: flat ones are tinted, and each says by how much. */

import { isCertain, nearestCentre, type Region } from "../data/regions";
import { placeOn, projector, type Camera } from "./camera";
import type { Pen } from "./pen";
import { DIVERGING, along } from "./shades";

const CELL = 6; // pixels of a tint
const TINT = 0.22;

/** Tint each region by how much more of a source lies there than of the others. */
export function drawTints(
  context: Pen, camera: Camera, width: number, height: number, regions: readonly Region[],
): void {
  if (camera.dims === 3 || regions.length === 0) return;
  const colors = tintsOf(regions);
  context.globalAlpha = TINT;
  for (let y = 0; y < height; y += CELL) {
    let [from, region] = [0, -1];
    for (let x = 0; x <= width + CELL; x += CELL) {
      const [mapX, mapY] = placeOn(camera, x + CELL / 2, y + CELL / 2, width, height);
      const here = x > width ? -1 : nearestCentre(regions, mapX, mapY, 0);
      if (here === region) continue;
      if (region >= 0) {
        context.fillStyle = colors[region]!;
        context.fillRect(from, y, x - from, CELL);
      }
      [from, region] = [x, here];
    }
  }
  context.globalAlpha = 1;
}

/** Write the differences in percentage points at the middle of each region, bold where they are beyond chance. */
export function drawDifferences(
  context: Pen, camera: Camera, width: number, height: number,
  regions: readonly Region[], ink: string, paper: string,
): void {
  const project = projector(camera, width, height);
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 3;
  context.lineJoin = "round";
  context.strokeStyle = paper;
  context.fillStyle = ink;
  for (const region of regions) {
    const place = project(region.centre);
    if (place === undefined) continue;
    context.font = `${isCertain(region) ? "bold 14px" : "12px"} system-ui, sans-serif`;
    const text = points(region);
    context.strokeText(text, ...place);
    context.fillText(text, ...place);
  }
}

/** How much more of a source than of the others, in percentage points: "+12.5", "−3.0". */
export function points({ share, others }: Region): string {
  const difference = (100 * (share - others)).toFixed(1);
  return Number(difference) > 0 ? `+${difference}` : difference.replace("-", Number(difference) === 0 ? "" : "−");
}

function tintsOf(regions: readonly Region[]): string[] {
  const differences = regions.map(({ share, others }) => share - others);
  const most = Math.max(...differences.map(Math.abs)) || 1;
  return differences.map((difference) => along(DIVERGING, (1 + difference / most) / 2));
}

/** Draws above the points: what is pointed at, the open sample with its neighbors, the lasso. */

import type { Pen } from "./pen";
import type { ScreenGrid } from "./screen";

export interface Above {
  hovered: number | null;
  row: number | null;
  neighbors: readonly number[];
  shape: readonly (readonly [number, number])[];
  ink: string;
  accent: string;
}

export function drawAbove(context: Pen, grid: () => ScreenGrid, above: Above): void {
  const { hovered, row, neighbors, shape, ink, accent } = above;
  if (row !== null) {
    const own = grid().place(row);
    context.strokeStyle = accent;
    context.lineWidth = 1;
    for (const neighbor of neighbors) {
      const place = grid().place(neighbor);
      if (place === undefined) continue;
      if (own !== undefined) line(context, own, place);
      ring(context, place, 6);
    }
    context.lineWidth = 2.5;
    if (own !== undefined) ring(context, own, 9);
  }
  if (hovered !== null) {
    const place = grid().place(hovered);
    context.strokeStyle = ink;
    context.lineWidth = 2;
    if (place !== undefined) ring(context, place, 7);
  }
  if (shape.length > 1) {
    context.beginPath();
    shape.forEach(([x, y]) => context.lineTo(x, y));
    context.closePath();
    context.fillStyle = accent;
    context.globalAlpha = 0.12;
    context.fill("evenodd");
    context.globalAlpha = 1;
    context.strokeStyle = accent;
    context.lineWidth = 1.5;
    context.stroke();
  }
}

function ring(context: Pen, { x, y }: { x: number; y: number }, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
}

function line(
  context: Pen, from: { x: number; y: number }, to: { x: number; y: number },
): void {
  context.globalAlpha = 0.5;
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.lineTo(to.x, to.y);
  context.stroke();
  context.globalAlpha = 1;
}

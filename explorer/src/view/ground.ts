/** What lies under the points in 3D: a grid on the ground, and the three axes. */

import { projector, type Camera } from "./camera";
import type { Pen } from "./pen";

const LINES = 8;

export function drawGround(
  context: Pen, camera: Camera, width: number, height: number, color: string,
): void {
  if (camera.dims === 2) return;
  const project = projector(camera, width, height);
  const line = (from: readonly number[], to: readonly number[]): void => {
    const [start, end] = [project(from), project(to)];
    if (start === undefined || end === undefined) return;
    context.beginPath();
    context.moveTo(...start);
    context.lineTo(...end);
    context.stroke();
  };
  context.strokeStyle = color;
  context.fillStyle = color;
  context.lineWidth = 1;
  context.globalAlpha = 0.45;
  for (let i = 0; i <= LINES; i++) {
    const at = (2 * i) / LINES - 1;
    line([at, -1, -1], [at, -1, 1]);
    line([-1, -1, at], [1, -1, at]);
  }
  context.globalAlpha = 1;
  context.font = "11px system-ui, sans-serif";
  for (const [name, end] of [["x", [1.1, -1, -1]], ["y", [-1, 1.1, -1]], ["z", [-1, -1, 1.1]]] as const) {
    line([-1, -1, -1], end);
    const place = project(end);
    if (place !== undefined) context.fillText(name, place[0] + 3, place[1] - 3);
  }
}

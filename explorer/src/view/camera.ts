/** Where the map is seen from: a pan and a zoom in 2D, a turntable around a target in 3D. */

export interface Camera {
  dims: 2 | 3;
  /** What the middle of the view looks at; the third is 0 in 2D. */
  target: readonly [number, number, number];
  /** How much of the map the shorter side of the view shows, from its middle to its edge. */
  reach: number;
  /** Around the vertical axis and above the ground, in radians; both 0 in 2D. */
  turn: number;
  tilt: number;
}

/** Maps are scaled so that nearly all samples lie between −1 and 1 in every dimension. */
const FITTED_REACH = 1.06;
const REACHES = { least: 1e-4, most: 20 };
const HALF_FIELD = Math.tan(Math.PI / 9); // of a field of view of 40 degrees
const STEEPEST = Math.PI / 2 - 0.01;

export function homeCamera(dims: 2 | 3): Camera {
  return dims === 2
    ? { dims, target: [0, 0, 0], reach: FITTED_REACH, turn: 0, tilt: 0 }
    : { dims, target: [0, 0, 0], reach: 1.45, turn: 0.6, tilt: 0.4 };
}

/** From a map's coordinates to clip space, by columns as WebGL takes it. */
export type Matrix = Float32Array;

export function matrixOf(camera: Camera, width: number, height: number): Matrix {
  const [x, y, z] = camera.target;
  const shorter = Math.min(width, height);
  const [sx, sy] = [shorter / width, shorter / height];
  if (camera.dims === 2) {
    const scale = 1 / camera.reach;
    // prettier-ignore
    return new Float32Array([
      sx * scale, 0, 0, 0,
      0, sy * scale, 0, 0,
      0, 0, 0, 0,
      -x * sx * scale, -y * sy * scale, 0, 1,
    ]);
  }
  const { right, up, back } = axesOf(camera);
  const distance = camera.reach / HALF_FIELD;
  const [near, far] = [distance / 50, distance * 20];
  const focal = 1 / HALF_FIELD;
  const depth = (far + near) / (near - far);
  const column = (i: 0 | 1 | 2): [number, number, number, number] => [
    sx * focal * right[i],
    sy * focal * up[i],
    depth * back[i],
    -back[i],
  ];
  const [cx, cy, cz] = [column(0), column(1), column(2)];
  const moved = (row: 0 | 1 | 2 | 3): number => -(cx[row] * x + cy[row] * y + cz[row] * z);
  // prettier-ignore
  return new Float32Array([
    ...cx, ...cy, ...cz,
    moved(0), moved(1), moved(2) - depth * distance + (2 * far * near) / (near - far), moved(3) + distance,
  ]);
}

/** Gives the pixel at which a place of the map is seen; undefined for what lies behind the eye. */
export function projector(
  camera: Camera, width: number, height: number,
): (place: readonly number[]) => [number, number] | undefined {
  const m = matrixOf(camera, width, height);
  return ([x, y, z]) => {
    const [px, py, , w] = [0, 1, 2, 3].map(
      (i) => m[i]! * x! + m[4 + i]! * y! + m[8 + i]! * z! + m[12 + i]!,
    ) as [number, number, number, number];
    return w <= 1e-3 ? undefined : [(1 + px / w) * width * 0.5, (1 - py / w) * height * 0.5];
  };
}

/** The place of a flat map that is seen at a pixel. */
export function placeOn(camera: Camera, x: number, y: number, width: number, height: number): [number, number] {
  const step = (2 * camera.reach) / Math.min(width, height);
  return [camera.target[0] + (x - width / 2) * step, camera.target[1] - (y - height / 2) * step];
}

interface Axes {
  right: [number, number, number];
  up: [number, number, number];
  back: [number, number, number];
}

/** The camera's own axes in the coordinates of the map; `back` leads from the target to the eye. */
function axesOf({ turn, tilt }: Camera): Axes {
  const [st, ct, sp, cp] = [Math.sin(turn), Math.cos(turn), Math.sin(tilt), Math.cos(tilt)];
  return { right: [ct, 0, -st], up: [-st * sp, cp, -ct * sp], back: [st * cp, sp, ct * cp] };
}

/** Distance from the eye at which a point has its plain size: that of the target. */
export function focusOf(camera: Camera): number {
  return camera.dims === 2 ? 1 : camera.reach / HALF_FIELD;
}

export function rotated(camera: Camera, dx: number, dy: number): Camera {
  const tilt = Math.max(-STEEPEST, Math.min(STEEPEST, camera.tilt + dy * 0.008));
  return { ...camera, turn: camera.turn - dx * 0.008, tilt };
}

/** Move what is seen by pixels. */
export function panned(camera: Camera, dx: number, dy: number, width: number, height: number): Camera {
  const step = (2 * camera.reach) / Math.min(width, height);
  const { right, up } = axesOf(camera);
  const moved = ([0, 1, 2] as const).map(
    (i) => camera.target[i] + step * (dy * up[i] - dx * right[i]),
  ) as [number, number, number];
  return { ...camera, target: moved };
}

/** Zoom by a factor (above 1 is nearer) and keep the place under a pixel where it is. */
export function zoomed(
  camera: Camera, factor: number, x: number, y: number, width: number, height: number,
): Camera {
  const reach = Math.max(REACHES.least, Math.min(REACHES.most, camera.reach / factor));
  const kept = 1 - reach / camera.reach;
  const [dx, dy] = [(width / 2 - x) * kept, (height / 2 - y) * kept];
  return { ...panned(camera, dx, dy, width, height), reach };
}

/** Fit the view to a box of the map. */
export function fittedTo(camera: Camera, low: readonly number[], high: readonly number[]): Camera {
  const middle = [0, 1, 2].map((i) => ((low[i] ?? 0) + (high[i] ?? 0)) / 2);
  const extents = [0, 1, 2].map((i) => ((high[i] ?? 0) - (low[i] ?? 0)) / 2);
  const half = camera.dims === 2 ? Math.max(...extents) : Math.hypot(...extents);
  return {
    ...camera,
    target: [middle[0]!, middle[1]!, middle[2]!],
    reach: Math.max(REACHES.least, Math.min(REACHES.most, 1.2 * half || 0.05)),
  };
}

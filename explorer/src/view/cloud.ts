/** What is drawn: one point for every sample, in row order, at its places on each map. */

/** How a sample is drawn. Greater ones are drawn later, above the others. */
export const CONTEXT = 0;
export const SHOWN = 1;
export const SELECTED = 2;

export interface Cloud {
  readonly count: number;
  /** Which colour of the palette each has. */
  colors: Uint16Array;
  /** 0xAABBGGRR of every colour, as a Canvas holds them. */
  palette: Uint32Array;
  /** Size of each as a share of 255; 64 is the plain size. */
  sizes: Uint8Array;
  /** CONTEXT, SHOWN or SELECTED. */
  states: Uint8Array;
  /** Rows in the order in which they are drawn. */
  order: Uint32Array;
}

/** Where the points of a cloud lie on a map. */
export interface Places {
  /** x, y, z of every sample; z is 0 on a flat map. */
  positions: Float32Array;
  /** Places that the points fly from, and how far they have come: from 0 to 1. */
  before: Float32Array;
  arrived: number;
}

/** A part of the view, in CSS pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** A cloud at its places in a part of the view; of those in the same part, later ones lie above. */
export interface Layer extends Places {
  cloud: Cloud;
  box: Box;
}

/** How points look, whoever draws them. */
export interface Look {
  /** Diameter in CSS pixels of a point of the plain size. */
  size: number;
  opacity: number;
  /** 0xAABBGGRR of what is not shown, and of the background. */
  context: number;
  paper: number;
  /** Whether some are selected, so that the others step back. */
  dimmed: boolean;
}

export const PLAIN_SIZE = 64;

export function restingAt(positions: Float32Array): Places {
  return { positions, before: positions, arrived: 1 };
}

/** All points shown, alike. */
export function plainCloud(count: number, color = 0xff888888, size = PLAIN_SIZE): Cloud {
  const states = new Uint8Array(count).fill(SHOWN);
  return {
    count,
    colors: new Uint16Array(count),
    palette: Uint32Array.of(color),
    sizes: new Uint8Array(count).fill(size),
    states,
    order: drawingOrder(states),
  };
}

/**
 * Order in which rows are drawn: by state, and within each scattered, so that no category that
 * happens to come last covers the others.
 */
export function drawingOrder(states: Uint8Array): Uint32Array {
  const count = states.length;
  const step = goldenStep(count);
  const ends = [0, 0, 0];
  for (const state of states) ends[state]!++;
  const next = [0, ends[0]!, ends[0]! + ends[1]!];
  const order = new Uint32Array(count);
  for (let i = 0, row = 0; i < count; i++, row = (row + step) % count) {
    order[next[states[row]!]!++] = row;
  }
  return order;
}

/** A step near the golden section that meets every row once: every prefix is an even sample. */
function goldenStep(count: number): number {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  let step = Math.max(1, Math.round(count * 0.6180339887));
  while (gcd(step, count) > 1) step++;
  return step;
}

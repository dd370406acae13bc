/** What is drawn: one point for every sample, in row order. */

/** How a sample is drawn. Greater ones are drawn later, above the others. */
export const CONTEXT = 0;
export const SHOWN = 1;
export const SELECTED = 2;

export interface Cloud {
  readonly count: number;
  /** x, y, z of every sample; z is 0 on a flat map. */
  positions: Float32Array;
  /** Places that the points fly from, and how far they have come: from 0 to 1. */
  before: Float32Array;
  arrived: number;
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

export function emptyCloud(count: number): Cloud {
  const positions = new Float32Array(3 * count);
  const states = new Uint8Array(count).fill(SHOWN);
  return {
    count,
    positions,
    before: positions,
    arrived: 1,
    colors: new Uint16Array(count),
    palette: new Uint32Array(1).fill(0xff888888),
    sizes: new Uint8Array(count).fill(PLAIN_SIZE),
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

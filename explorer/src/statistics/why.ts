/**
 * Why two samples are neighbors: what each channel and position of their latents adds to the
 * squared distance of their vectors. docs/explorer-format.md has the formulas.
 */

export type Shape = readonly [channels: number, height: number, width: number];

/** Boxes of both samples as fractions of width and height: x0, y0, x1, y1. */
export type Boxes = readonly [readonly (readonly number[])[], readonly (readonly number[])[]];

/** A sum over statistics, channels and positions. */
export interface Account {
  total: number;
  /** What belongs to no position: where boxes lie, and how large they are. */
  elsewhere: number;
  byStatistic: Float64Array;
  byChannel: Float64Array;
  /** Of every channel, position by position. */
  byCell: Float64Array;
}

/** The account of the squared distance between two latents, under these statistics. */
export function accountOf(
  a: Float32Array, b: Float32Array, shape: Shape, statistics: readonly string[], boxes: Boxes,
): Account {
  const positions = shape[1] * shape[2];
  let elsewhere = 0;
  const added = statistics.map((name) => {
    const cells = new Float64Array(a.length);
    elsewhere += contributionOf(name)!(a, b, cells, shape, boxes) ?? 0;
    return cells;
  });
  const byCell = new Float64Array(a.length);
  for (const cells of added) cells.forEach((value, i) => (byCell[i]! += value));
  return {
    total: sum(byCell) + elsewhere,
    elsewhere,
    byStatistic: Float64Array.from(added, sum),
    byChannel: Float64Array.from({ length: shape[0] }, (_, c) => sum(byCell.subarray(c * positions, (c + 1) * positions))),
    byCell,
  };
}

/** How much less a distance is than the mean of others: positive where it is nearer than they are. */
export function nearerThan(others: readonly Account[], account: Account): Account {
  const less = (of: (one: Account) => Float64Array): Float64Array =>
    of(account).map((value, i) => others.reduce((mean, one) => mean + of(one)[i]! / others.length, 0) - value);
  const byChannel = less((one) => one.byChannel);
  const elsewhere = less((one) => Float64Array.of(one.elsewhere))[0]!;
  return {
    total: sum(byChannel) + elsewhere, elsewhere, byStatistic: less((one) => one.byStatistic), byChannel, byCell: less((one) => one.byCell),
  };
}

/** What positions add, over all channels or of one. */
export function overPositions({ byCell, byChannel }: Account, channel: number | null): Float64Array {
  const positions = byCell.length / byChannel.length;
  if (channel !== null) return byCell.slice(channel * positions, (channel + 1) * positions);
  const found = new Float64Array(positions);
  byCell.forEach((value, i) => (found[i % positions]! += value));
  return found;
}

/** Whether this page knows the statistics of an account. */
export function isKnown(statistics: readonly string[]): boolean {
  return statistics.every((name) => contributionOf(name) !== undefined);
}

/** The least extent of a box, as a fraction of the picture. */
const POINT = 1e-6;

/** Adds what each position of each channel contributes to its cell; returns what belongs to none, if anything. */
type Contribution = (a: Float32Array, b: Float32Array, cells: Float64Array, shape: Shape, boxes: Boxes) => number | void;

/** Writes the part of each position in a statistic of its channel: the parts sum to the statistic. */
type Parts = (values: Float32Array, parts: Float64Array) => void;

const CONTRIBUTIONS: ReadonlyMap<string, Contribution> = new Map<string, Contribution>([
  ["value", (a, b, cells) => fillEach(cells, (i) => (a[i]! - b[i]!) ** 2)],
  ["mean", channelwise((x, parts) => fillEach(parts, (i) => x[i]! / x.length))],
  ["std", channelwise((x, parts) => {
    const mean = sum(x) / x.length;
    fillEach(parts, (i) => (x[i]! - mean) ** 2);
    const deviation = Math.sqrt(sum(parts) / x.length);
    fillEach(parts, (i) => (deviation === 0 ? 0 : parts[i]! / (x.length * deviation)));
  })],
  ["minimum", channelwise((x, parts) => at(x, parts, extreme(x, -1), 1))],
  ["maximum", channelwise((x, parts) => at(x, parts, extreme(x, 1), 1))],
  ["spread", channelwise((x, parts) => {
    at(x, parts, extreme(x, 1), 1);
    at(x, parts, extreme(x, -1), -1);
  })],
  ["positive_mean", channelwise((x, parts) => cubicMean(x, parts, 1))],
  ["negative_mean", channelwise((x, parts) => cubicMean(x, parts, -1))],
  ["percentiles", (a, b, cells, shape) => {
    for (const percent of [5, 25, 50, 75, 95]) {
      channelwise((x, parts) => percentile(x, parts, percent))(a, b, cells, shape, [[], []]);
    }
  }],
  ["unit_mean", (a, b, cells, shape) => {
    const [toUnit, toUnitToo] = [a, b].map((x) => 1 / (lengthOfMeans(x, shape) || 1)) as [number, number];
    channelwise((x, parts) => fillEach(parts, (i) => x[i]! / x.length))(
      a.map((value) => value * toUnit), b.map((value) => value * toUnitToo), cells, shape, [[], []],
    );
  }],
  ["covariance", covariance],
  ["regions", regions],
]);

/** Grids of means and waves come in any number: `cells_4` are the means of 4 × 4 cells. */
function contributionOf(name: string): Contribution | undefined {
  const [, family, size] = /^(cells|cosines)_(\d{1,3})$/.exec(name) ?? [];
  if (family === undefined) return CONTRIBUTIONS.get(name);
  return family === "cells" ? linear((side) => cellsOf(side, Number(size))) : linear((side) => cosinesOf(side, Number(size)));
}

function channelwise(parts: Parts): Contribution {
  return (a, b, cells, [channels, height, width]) => {
    const positions = height * width;
    for (let channel = 0; channel < channels; channel++) {
      const [ours, theirs] = [new Float64Array(positions), new Float64Array(positions)];
      const [start, end] = [channel * positions, (channel + 1) * positions];
      parts(a.subarray(start, end), ours);
      parts(b.subarray(start, end), theirs);
      const difference = sum(ours) - sum(theirs);
      for (let i = 0; i < positions; i++) cells[start + i]! += difference * (ours[i]! - theirs[i]!);
    }
  };
}

/** Weights of the positions of a side from one on; all others have none. */
interface Span {
  from: number;
  weights: Float64Array;
}

/** Of sums over positions with fixed weights, which are products of one for the row and one for the column. */
function linear(spansOf: (side: number) => readonly Span[]): Contribution {
  return (a, b, cells, [channels, height, width]) => {
    const [rows, columns] = [spansOf(height), spansOf(width)];
    const positions = height * width;
    for (let start = 0; start < channels * positions; start += positions) {
      for (const down of rows) for (const across of columns) addSum(a, b, cells, start, width, down, across);
    }
  };
}

/** Add what the positions of one sum contribute. */
function addSum(
  a: Float32Array, b: Float32Array, cells: Float64Array, start: number, width: number, down: Span, across: Span,
): void {
  let difference = 0;
  const each = (visit: (i: number, weighed: number) => void): void => down.weights.forEach((high, row) => {
    const line = start + (down.from + row) * width + across.from;
    across.weights.forEach((wide, column) => visit(line + column, high * wide * (a[line + column]! - b[line + column]!)));
  });
  each((_, weighed) => (difference += weighed));
  each((i, weighed) => (cells[i]! += difference * weighed));
}

/** Weights of the means of nearly equal spans that cover a side; they may share a position. */
function cellsOf(side: number, count: number): Span[] {
  return Array.from({ length: count }, (_, i) => {
    const [from, stop] = [Math.floor((i * side) / count), Math.ceil(((i + 1) * side) / count)];
    return { from, weights: new Float64Array(stop - from).fill(1 / (stop - from)) };
  });
}

/** The lowest rows of the orthonormal DCT-II. */
function cosinesOf(side: number, count: number): Span[] {
  return Array.from({ length: Math.min(count, side) }, (_, frequency) => ({
    from: 0,
    weights: Float64Array.from({ length: side }, (_, i) =>
      Math.sqrt((frequency === 0 ? 1 : 2) / side) * Math.cos((Math.PI / side) * (i + 0.5) * frequency)),
  }));
}

/** Of two channels' covariance each has half. */
function covariance(a: Float32Array, b: Float32Array, cells: Float64Array, [channels, height, width]: Shape): void {
  const positions = height * width;
  const [ours, theirs] = [centred(a, positions), centred(b, positions)];
  for (let first = 0; first < channels; first++) {
    for (let second = first; second < channels; second++) {
      const [i, j] = [first * positions, second * positions];
      const part = (p: number): number => (ours[i + p]! * ours[j + p]! - theirs[i + p]! * theirs[j + p]!) / positions;
      let difference = 0;
      for (let p = 0; p < positions; p++) difference += part(p);
      for (let p = 0; p < positions; p++) {
        const half = 0.5 * difference * part(p);
        cells[i + p]! += half;
        cells[j + p]! += half;
      }
    }
  }
}

/** Means in the first two boxes, the first less the second, and the boxes' centres and extents. */
function regions(a: Float32Array, b: Float32Array, cells: Float64Array, [channels, height, width]: Shape, boxes: Boxes): number {
  const [ours, theirs] = boxes.map(twoBoxes) as [number[][], number[][]];
  const [weights, otherWeights] = [ours, theirs].map((two) => two.map((box) => coverage(box, height, width))) as
    [Float64Array[], Float64Array[]];
  const positions = height * width;
  for (let start = 0; start < channels * positions; start += positions) {
    const part = (box: number, p: number): number =>
      weights[box]![p]! * a[start + p]! - otherWeights[box]![p]! * b[start + p]!;
    let [first, second] = [0, 0];
    for (let p = 0; p < positions; p++) {
      first += part(0, p);
      second += part(1, p);
    }
    // Of the squares of the first, the second, and the first less the second.
    for (let p = 0; p < positions; p++) {
      cells[start + p]! += (2 * first - second) * part(0, p) + (2 * second - first) * part(1, p);
    }
  }
  return sum(ours.flatMap((box, i) => geometry(box).map((value, j) => (value - geometry(theirs[i]!)[j]!) ** 2)));
}

/** A box that is missing is the whole picture. */
function twoBoxes(boxes: readonly (readonly number[])[]): number[][] {
  return [0, 1].map((i) => boxes[i]?.map((side) => Math.max(0, Math.min(1, side))) ?? [0, 0, 1, 1]);
}

function geometry([x0, y0, x1, y1]: readonly number[]): number[] {
  return [(x0! + x1!) / 2, (y0! + y1!) / 2, x1! - x0!, y1! - y0!];
}

/** The share of each position in the mean inside a box, by the area that the box covers of it. */
function coverage([x0, y0, x1, y1]: readonly number[], height: number, width: number): Float64Array {
  const [down, across] = [spanned(y0!, y1!, height), spanned(x0!, x1!, width)];
  return Float64Array.from({ length: height * width }, (_, p) => down[Math.floor(p / width)]! * across[p % width]!);
}

function spanned(start: number, stop: number, side: number): number[] {
  const from = Math.min(start, 1 - POINT) * side;
  const to = Math.max(stop * side, from + POINT * side);
  const covered = Array.from({ length: side }, (_, i) => Math.max(0, Math.min(to, i + 1) - Math.max(from, i)));
  const all = sum(covered);
  return covered.map((share) => share / all);
}

function centred(x: Float32Array, positions: number): Float64Array {
  const found = Float64Array.from(x);
  for (let start = 0; start < x.length; start += positions) {
    const mean = sum(x.subarray(start, start + positions)) / positions;
    for (let i = start; i < start + positions; i++) found[i]! -= mean;
  }
  return found;
}

function lengthOfMeans(x: Float32Array, [channels, height, width]: Shape): number {
  const positions = height * width;
  return Math.hypot(...Array.from({ length: channels }, (_, c) => sum(x.subarray(c * positions, (c + 1) * positions)) / positions));
}

/** The generalised mean, of power three, of the values of one sign. */
function cubicMean(x: Float32Array, parts: Float64Array, sign: 1 | -1): void {
  fillEach(parts, (i) => Math.max(0, sign * x[i]!) ** 3);
  const mean = Math.cbrt(sum(parts) / x.length);
  fillEach(parts, (i) => (mean === 0 ? 0 : parts[i]! / (x.length * mean ** 2)));
}

/** Between the two values next to it, linearly. */
function percentile(x: Float32Array, parts: Float64Array, percent: number): void {
  const order = Array.from(x.keys()).sort((i, j) => x[i]! - x[j]!);
  const rank = (percent / 100) * (x.length - 1);
  const [below, above] = [Math.floor(rank), Math.ceil(rank)];
  parts.fill(0);
  at(x, parts, order[below]!, 1 - (rank - below));
  at(x, parts, order[above]!, rank - below);
}

/** The first position of the greatest value times a sign. */
function extreme(x: Float32Array, sign: 1 | -1): number {
  let found = 0;
  for (let i = 1; i < x.length; i++) if (sign * x[i]! > sign * x[found]!) found = i;
  return found;
}

function at(x: Float32Array, parts: Float64Array, position: number, weight: number): void {
  parts[position]! += weight * x[position]!;
}

function fillEach(values: Float64Array, value: (i: number) => number): void {
  for (let i = 0; i < values.length; i++) values[i] = value(i);
}

function sum(values: ArrayLike<number>): number {
  let found = 0;
  for (let i = 0; i < values.length; i++) found += values[i]!;
  return found;
}

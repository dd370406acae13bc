/** Is a value more frequent in a selection than chance would have it? */

/** Logarithm of n!, by Stirling's series; exact to the last digits from 20 on, summed below. */
export function logFactorial(n: number): number {
  if (n < 20) {
    let sum = 0;
    for (let i = 2; i <= n; i++) sum += Math.log(i);
    return sum;
  }
  const x = n + 1;
  const series = 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5);
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series;
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

/**
 * Probability that of `drawn` samples, drawn from `all` of which `marked` have a value, at least
 * `seen` have it: the upper tail of the hypergeometric distribution.
 */
export function probabilityOfAtLeast(
  seen: number, all: number, marked: number, drawn: number,
): number {
  const [least, most] = [Math.max(0, drawn + marked - all), Math.min(drawn, marked)];
  if (seen <= least) return 1;
  if (seen > most) return 0;
  const mode = Math.floor(((drawn + 1) * (marked + 1)) / (all + 2));
  const up = seen > mode;
  // From where it starts, each term follows from the last; they fall away from the mode.
  const start = up ? seen : seen - 1;
  let term = Math.exp(
    logChoose(marked, start) + logChoose(all - marked, drawn - start) - logChoose(all, drawn),
  );
  let sum = 0;
  for (let k = start; up ? k <= most : k >= least; k += up ? 1 : -1) {
    sum += term;
    if (term < sum * 1e-17) break;
    const rest = all - marked - drawn + k;
    term *= up
      ? ((marked - k) * (drawn - k)) / ((k + 1) * (rest + 1))
      : (k * rest) / ((marked - k + 1) * (drawn - k + 1));
  }
  return Math.min(1, up ? sum : 1 - sum);
}

/** P values adjusted so that of those below a level at most that share is expected to be false. */
export function benjaminiHochberg(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[b]! - values[a]!);
  const adjusted = new Array<number>(values.length);
  let least = 1;
  order.forEach((i, place) => {
    least = Math.min(least, (values[i]! * values.length) / (values.length - place));
    adjusted[i] = least;
  });
  return adjusted;
}

export interface Enriched {
  column: string;
  value: string | null;
  seen: number;
  expected: number;
  /** Adjusted over all values that were tried. */
  p: number;
}

export interface Counted {
  title: string;
  values: readonly (string | null)[];
  indices: ArrayLike<number>;
}

/** Every value of these columns that the selection has, the least likely first. */
export function enrichment(columns: readonly Counted[], selected: Uint32Array, all: number): Enriched[] {
  const found: Enriched[] = [];
  const raw: number[] = [];
  for (const { title, values, indices } of columns) {
    const [whole, inside] = [new Uint32Array(values.length), new Uint32Array(values.length)];
    for (let row = 0; row < all; row++) whole[indices[row]!]!++;
    for (const row of selected) inside[indices[row]!]!++;
    values.forEach((value, i) => {
      const [seen, marked] = [inside[i]!, whole[i]!];
      if (seen === 0 || value === null) return;
      raw.push(probabilityOfAtLeast(seen, all, marked, selected.length));
      found.push({ column: title, value, seen, expected: (marked * selected.length) / all, p: 1 });
    });
  }
  const adjusted = benjaminiHochberg(raw);
  // Many share an adjusted value: their own ones order them.
  return found
    .map((one, i) => ({ one: { ...one, p: adjusted[i]! }, own: raw[i]! }))
    .sort((a, b) => a.own - b.own)
    .map(({ one }) => one);
}

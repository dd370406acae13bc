/** Numbers as people write them. */

const COUNTS = new Intl.NumberFormat("en");

export function count(value: number): string {
  return COUNTS.format(value).replace("-", "−");
}

/** "1 sample", "12,000 samples". */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`;
}

/** A measured number with three significant digits; whole ones as they are. */
export function number(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return count(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1).replace("-", "−");
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

export function percent(share: number): string {
  return `${Math.round(100 * share)}\u00a0%`.replace("-", "−");
}

export function pValue(p: number): string {
  return p < 1e-4 ? "< 0.0001" : p.toPrecision(2);
}

/** Ascending rows as sets. */

export function united(a: Uint32Array, b: Uint32Array): Uint32Array {
  const mask = maskOf(a, b);
  for (const row of b) mask[row] = 1;
  return rowsOf(mask);
}

export function without(a: Uint32Array, b: Uint32Array): Uint32Array {
  const mask = maskOf(a, b);
  for (const row of b) mask[row] = 0;
  return rowsOf(mask);
}

/** The rows that a mask marks. */
export function rowsOf(mask: Uint8Array): Uint32Array {
  let count = 0;
  for (const one of mask) count += one;
  const rows = new Uint32Array(count);
  for (let row = 0, at = 0; row < mask.length; row++) if (mask[row]) rows[at++] = row;
  return rows;
}

/** A mask of the rows of `a`, long enough for those of `b`. */
function maskOf(a: Uint32Array, b: Uint32Array): Uint8Array {
  const mask = new Uint8Array(Math.max(a.at(-1) ?? -1, b.at(-1) ?? -1) + 1);
  for (const row of a) mask[row] = 1;
  return mask;
}

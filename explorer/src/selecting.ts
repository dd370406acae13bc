/** Ascending rows as sets. */

export function united(a: Uint32Array, b: Uint32Array): Uint32Array {
  return Uint32Array.from(new Set([...a, ...b])).sort();
}

export function without(a: Uint32Array, b: Uint32Array): Uint32Array {
  const taken = new Set(b);
  return a.filter((row) => !taken.has(row));
}

export function rowsOf(mask: Uint8Array): Uint32Array {
  const rows: number[] = [];
  for (let row = 0; row < mask.length; row++) if (mask[row]) rows.push(row);
  return Uint32Array.from(rows);
}

/** Sets of rows as text, for addresses and for what a browser keeps. */

/** Ascending rows as the distances between them, seven bits to a byte, in base64 for addresses. */
export function encodeRows(rows: Uint32Array): string {
  const bytes: number[] = [];
  let before = -1;
  for (const row of rows) {
    let distance = row - before - 1;
    for (; distance > 127; distance >>>= 7) bytes.push((distance & 127) | 128);
    bytes.push(distance);
    before = row;
  }
  const text = bytes.map((byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function decodeRows(text: string, count: number): Uint32Array {
  let bytes: string;
  try {
    bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return new Uint32Array();
  }
  const rows: number[] = [];
  let [row, distance, shift] = [-1, 0, 0];
  for (const character of bytes) {
    const byte = character.charCodeAt(0);
    distance |= (byte & 127) << shift;
    shift += 7;
    if (byte & 128) continue;
    row += distance + 1;
    if (row >= count) break;
    rows.push(row);
    [distance, shift] = [0, 0];
  }
  return Uint32Array.from(rows);
}

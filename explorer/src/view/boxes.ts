/** Where several maps lie in one view. */

import type { Box } from "./cloud";

const GAP = 1; // pixels between maps

/** Parts of a view for so many maps: two beside each other or, where it is tall, above each other; more in two lines. */
export function boxesOf(count: number, width: number, height: number): Box[] {
  const columns = count === 1 || (count === 2 && height > width) ? 1 : 2;
  const lines = Math.ceil(count / columns);
  const [wide, high] = [width / columns, height / lines];
  return Array.from({ length: count }, (_, i) => {
    const [column, line] = [i % columns, Math.floor(i / columns)];
    return {
      left: Math.round(column * wide) + (column > 0 ? GAP : 0),
      top: Math.round(line * high) + (line > 0 ? GAP : 0),
      width: Math.round((column + 1) * wide) - Math.round(column * wide) - (column > 0 ? GAP : 0),
      height: Math.round((line + 1) * high) - Math.round(line * high) - (line > 0 ? GAP : 0),
    };
  });
}

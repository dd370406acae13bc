/** Arrow tables of a site, checked against its manifest. */

import { tableFromIPC, type Table } from "@uwdata/flechette";

import type { FetchBytes } from "./door";
import { damagedFile } from "./failure";
import type { File } from "./manifest";

/** Fetch a file and check that it is what the manifest says, and of the same run. */
export async function fetchTable(fetchBytes: FetchBytes, entry: File, key: string): Promise<Table> {
  const bytes = await fetchBytes(entry.file);
  if (bytes.length !== entry.bytes) {
    throw damagedFile(entry.file, `It has ${bytes.length} bytes in place of ${entry.bytes}.`);
  }
  if (crc32(bytes) !== entry.crc32) throw damagedFile(entry.file, "Its checksum is another.");
  const table = tableFromIPC(bytes);
  if (table.schema.metadata?.get("key") !== key) {
    throw damagedFile(entry.file, "It says that it belongs to other samples.");
  }
  return table;
}

/** The values of a column of numbers, as they lie in the file. */
export function valuesOf<T extends Uint16Array | Float32Array | Float64Array>(
  table: Table, name: string,
): T {
  return table.getChild(name).toArray() as unknown as T;
}

/** The indices and the texts of a column of categories; null is the last, if samples have none. */
export function categoriesOf(
  table: Table, name: string,
): { indices: ArrayLike<number>; values: (string | null)[] } {
  const batch = table.getChild(name).data[0] as unknown as {
    values: ArrayLike<number>; dictionary: { toArray(): ArrayLike<string | null> };
  };
  return { indices: batch.values, values: Array.from(batch.dictionary.toArray()) };
}

const CRC_TABLES = makeCrcTables();

function makeCrcTables(): Uint32Array[] {
  const tables = [0, 1, 2, 3].map(() => new Uint32Array(256));
  for (let i = 0; i < 256; i++) {
    let value = i;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    tables[0]![i] = value;
  }
  for (let i = 0; i < 256; i++) {
    for (let n = 1; n < 4; n++) {
      const before = tables[n - 1]![i]!;
      tables[n]![i] = (before >>> 8) ^ tables[0]![before & 255]!;
    }
  }
  return tables;
}

/** CRC-32 as zip and gzip have it, four bytes at a time. */
export function crc32(bytes: Uint8Array): number {
  const [t0, t1, t2, t3] = CRC_TABLES as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  let crc = 0xffffffff;
  let i = 0;
  for (; i + 4 <= bytes.length; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc = t3[crc & 255]! ^ t2[(crc >>> 8) & 255]! ^ t1[(crc >>> 16) & 255]! ^ t0[crc >>> 24]!;
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[i]!) & 255]!;
  return (crc ^ 0xffffffff) >>> 0;
}

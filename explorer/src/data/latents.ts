/** Latents of single samples, read by ranges of bytes from the files of the run. */

import { fetchPart } from "./door";
import { damagedFile } from "./failure";
import type { Latents, Manifest, Method } from "./manifest";
import { lastAtMost } from "./sorted";

/** Where the latents are that a method pools; undefined if none are told of. */
export function latentsOf({ latents }: Manifest, { encoder, variant }: Method): Latents | undefined {
  return latents?.find((entry) => entry.encoder === encoder && entry.variant === variant);
}

/** The values of a sample's latent, channel by channel, each row by row. */
export async function fetchLatent({ shape, type, files, starts, offsets }: Latents, row: number): Promise<Float32Array> {
  const file = lastAtMost(starts, row);
  const size = shape[0] * shape[1] * shape[2] * (type === "float16" ? 2 : 4);
  const bytes = await fetchPart(files[file]!, offsets[file]! + (row - starts[file]!) * size, size);
  if (bytes.length !== size) throw damagedFile(files[file]!, `It ends before the latent of sample ${row}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  return type === "float32"
    ? Float32Array.from({ length: size / 4 }, (_, i) => view.getFloat32(4 * i, true))
    : Float32Array.from({ length: size / 2 }, (_, i) => half(view.getUint16(2 * i, true)));
}

/** A number of IEEE 754 binary16. */
function half(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const sign = bits >> 15 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * The one door to the data: files beside the page, or the same files inside a page that was opened
 * from disk.
 */

import { missingFile, notInParts } from "./failure";

/** Fetch a file by its path relative to the manifest. */
export type FetchBytes = (path: string) => Promise<Uint8Array>;

/** Whether this page carries its data. */
export function isInOneFile(page: Document): boolean {
  return page.getElementById(elementOf("manifest.json")) !== null;
}

/** The door of this page: its own elements where it carries the data, else the server it is from. */
export function openDoor(page: Document): FetchBytes {
  return isInOneFile(page) ? (path) => readFromPage(page, path) : fetchFromServer;
}

async function fetchFromServer(path: string): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(path);
  } catch {
    throw missingFile(path, location.protocol === "file:"
      ? "A page opened from disk may read no files beside it: open it with `latentmap view`."
      : "The server does not answer.");
  }
  if (!response.ok) throw missingFile(path, `The server answered ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Fetch some bytes of a file beside the page, and no more: such files may be far larger than memory. */
export async function fetchPart(path: string, start: number, length: number): Promise<Uint8Array> {
  const rest = new AbortController();
  let response: Response;
  try {
    const headers = { Range: `bytes=${start}-${start + length - 1}` };
    response = await fetch(path, { headers, signal: rest.signal });
  } catch {
    throw missingFile(path, "The server does not answer.");
  }
  if (response.status !== 206) {
    rest.abort();
    throw response.ok ? notInParts(path) : missingFile(path, `The server answered ${response.status}.`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

async function readFromPage(page: Document, path: string): Promise<Uint8Array> {
  const element = page.getElementById(elementOf(path));
  if (element === null) throw missingFile(path, "This page does not carry it.");
  const packed = fromBase64(element.textContent.trim());
  const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

function elementOf(path: string): string {
  return `file:${path}`;
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const native = (Uint8Array as unknown as { fromBase64?(text: string): Uint8Array<ArrayBuffer> }).fromBase64;
  return native === undefined
    ? Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
    : native.call(Uint8Array, text);
}

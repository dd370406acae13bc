/** What a reviewer notes of samples: kept in this browser, and in CSV files to keep and to merge. */

import type { Site } from "./data/site";
import { readText, writeText } from "./data/storage";

export interface Note {
  marked: boolean;
  /** Words apart by commas. */
  tags: string;
  comment: string;
  reviewer: string;
  /** When it was last changed, in UTC. */
  time: string;
}

const COLUMNS = ["id", "review_mark", "review_tags", "review_comment", "reviewer", "reviewed_at"];

export class Reviews {
  /** Notes by id: ids outlive the order of rows. */
  readonly #notes: Map<string, Note>;
  readonly #watchers: (() => void)[] = [];
  readonly #key: string;

  constructor(site: Site) {
    this.#key = `latentmap reviews ${site.manifest.run}`;
    this.#notes = new Map(readStored(this.#key));
  }

  get size(): number {
    return this.#notes.size;
  }

  get reviewer(): string {
    return readText("latentmap reviewer");
  }

  set reviewer(name: string) {
    writeText("latentmap reviewer", name);
  }

  note(id: string): Note | undefined {
    return this.#notes.get(id);
  }

  ids(): string[] {
    return Array.from(this.#notes.keys());
  }

  /** Change a note; one that says nothing is dropped. False if this browser keeps nothing. */
  change(id: string, change: Partial<Pick<Note, "marked" | "tags" | "comment">>): boolean {
    const before = this.#notes.get(id) ?? { marked: false, tags: "", comment: "" };
    const after = { ...before, ...change, reviewer: this.reviewer, time: new Date().toISOString() };
    if (after.marked || after.tags !== "" || after.comment !== "") this.#notes.set(id, after);
    else this.#notes.delete(id);
    return this.#store();
  }

  watch(tell: () => void): void {
    this.#watchers.push(tell);
    tell();
  }

  asCsv(): string {
    const lines = Array.from(this.#notes, ([id, { marked, tags, comment, reviewer, time }]) =>
      [id, marked ? "yes" : "no", tags, comment, reviewer, time]);
    return [COLUMNS, ...lines].map((line) => `${line.map(quoted).join(",")}\r\n`).join("");
  }

  /** Take notes from a CSV file; of two on one sample the later one stays. Return how many were taken. */
  takeCsv(text: string): number {
    const [header, ...lines] = readCsv(text);
    const places = COLUMNS.map((name) => header?.indexOf(name) ?? -1);
    if (places[0] === -1 || places.every((place, i) => i === 0 || place === -1)) {
      throw new Error(`The file needs the columns ${COLUMNS.join(", ")}.`);
    }
    let taken = 0;
    for (const line of lines) {
      const [id, mark, tags, comment, reviewer, time] = places.map((place) => line[place] ?? "") as
        [string, string, string, string, string, string];
      if (id === "" || (this.#notes.get(id)?.time ?? "") > time) continue;
      this.#notes.set(id, { marked: mark === "yes", tags, comment, reviewer, time });
      taken++;
    }
    this.#store();
    return taken;
  }

  #store(): boolean {
    for (const tell of this.#watchers) tell();
    return writeText(this.#key, JSON.stringify(Array.from(this.#notes)));
  }
}

/** Fields of a CSV file as RFC 4180 has it. */
export function readCsv(text: string): string[][] {
  const lines: string[][] = [];
  let [line, field, inQuotes]: [string[], string, boolean] = [[], "", false];
  const end = (): void => {
    line.push(field);
    field = "";
  };
  for (let i = text.startsWith("\ufeff") ? 1 : 0; i < text.length; i++) {
    const character = text[i]!;
    if (inQuotes) {
      if (character !== '"') field += character;
      else if (text[i + 1] === '"') field += text[i++];
      else inQuotes = false;
    } else if (character === '"') inQuotes = true;
    else if (character === ",") end();
    else if (character === "\n") {
      end();
      lines.push(line);
      line = [];
    } else if (character !== "\r") field += character;
  }
  if (field !== "" || line.length > 0) {
    end();
    lines.push(line);
  }
  return lines;
}

/** A field of a CSV file. */
export function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function readStored(key: string): [string, Note][] {
  try {
    const content: unknown = JSON.parse(readText(key) || "[]");
    return Array.isArray(content) ? (content as [string, Note][]) : [];
  } catch {
    return [];
  }
}

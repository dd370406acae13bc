/** All that is known of one sample, and its nearest neighbors in the embedding. */

import { breakable, data, element, fill, section } from "../dom";
import type { Neighbor, Sample } from "../data/site";
import type { Explorer } from "../explorer";
import { ownColumns } from "../state";
import { inkOn } from "../view/shades";
import { count, counted, number } from "../words";
import { annotationsOf, wholeValueOf } from "./annotations";
import { shortened, valueOf } from "./card";
import { readColumns } from "./columns";
import { noteFields } from "./review";
import { why } from "./why";

const LONG_TEXT = 20_000;
/** So many columns of a sample, and more, are searched rather than read. */
const MANY = 20;
const SVG = "http://www.w3.org/2000/svg";

export function detail(explorer: Explorer): HTMLElement {
  const host = element("section", { class: "detail", "aria-label": "Sample", tabindex: -1, hidden: true });
  const reasons = why(explorer);
  explorer.found.watch(["sample", "neighbors"], ({ sample, neighbors }) => {
    host.hidden = sample === null;
    if (sample !== null) {
      show(host, explorer, sample, neighbors, reasons).catch((error: unknown) => explorer.fail(error));
    }
  });
  return host;
}

async function show(
  host: HTMLElement, explorer: Explorer, sample: Sample, neighbors: readonly Neighbor[] | null,
  reasons: HTMLElement,
): Promise<void> {
  const { state } = explorer;
  const [picture, label, annotations, facts] = await Promise.all([
    pictureOf(explorer, sample), labelOf(explorer, sample.row), annotationsOf(explorer, sample, long), factsOf(explorer, sample),
  ]);
  const near = neighbors === null ? [] : await Promise.all(neighbors.map((one) => tile(explorer, one)));
  if (explorer.found.now.sample !== sample) return;
  const { trail } = state.now;
  fill(
    host,
    element(
      "div", { class: "row" },
      trail.length > 0 && element("button", {
        onclick: () => explorer.back(), "aria-keyshortcuts": "Backspace", title: "Previous sample (Backspace)",
      }, "← Back"),
      element("span", { class: "spring" }),
      ...stepButtons(explorer, sample.row),
      element("button", { onclick: () => state.set({ row: null, trail: [] }), "aria-label": "Close", title: "Esc" }, "×"),
    ),
    picture,
    label !== null && element("p", { class: "label" }, data(label)),
    ...textOf(sample),
    annotations,
    neighborSection(explorer, neighbors, near, reasons),
    facts,
    noteFields(explorer, sample),
  );
  host.dataset["row"] = String(sample.row);
}

/** Which of the selected samples this is, and the way to those beside it. */
function stepButtons(explorer: Explorer, row: number): HTMLElement[] {
  const { selected } = explorer.state.now;
  const place = selected.indexOf(row);
  if (place < 0 || selected.length < 2) return [];
  const step = (by: 1 | -1, sign: string, label: string, key: string): HTMLElement => element("button", {
    "aria-label": label, title: `${label} (${key})`, "aria-keyshortcuts": key, onclick: () => explorer.step(by),
  }, sign);
  return [
    step(-1, "‹", "Previous of the selection", "P"),
    element("span", { class: "place" }, `${count(place + 1)} of ${count(selected.length)}`),
    step(1, "›", "Next of the selection", "N"),
  ];
}

/** The whole picture with boxes that can be switched off; the small one where there is no other. */
async function pictureOf(explorer: Explorer, sample: Sample): Promise<HTMLElement | null> {
  const { site } = explorer;
  const small = await explorer.orNull(site.thumbnail(sample.row));
  const alt = `Picture of ${sample.id}`;
  if (sample.picture === null) return small === null ? null : element("img", { class: "picture", src: small, alt });
  const image = element("img", { src: sample.picture, alt });
  const frame = element("div", { class: "picture framed" }, image);
  image.addEventListener("error", () => fill(
    frame, small !== null && element("img", { src: small, alt }),
    element("p", { class: "note" }, data(`The whole picture is not at ${image.src}`)),
  ), { once: true });
  if (sample.boxes.length === 0 || sample.size === null) return frame;
  const { regions, categories } = site.manifest.palette;
  const boxes = boxesOver(sample.boxes, sample.size, regions ?? categories);
  const toggle = element("input", {
    type: "checkbox", checked: true, onchange: () => boxes.toggleAttribute("hidden", !toggle.checked),
  });
  frame.append(boxes, element("label", { class: "boxes" }, toggle, " ", counted(sample.boxes.length, "box", "boxes")));
  return frame;
}

/** Boxes with their names, in the colours of the thumbnails; equal ones are drawn once. */
function boxesOver(
  boxes: readonly number[][], { width, height }: { width: number; height: number }, colors: readonly string[],
): HTMLElement {
  const overlay = document.createElementNS(SVG, "svg");
  overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
  overlay.setAttribute("aria-hidden", "true");
  const names: HTMLElement[] = [];
  const taken: { left: number; top: number }[] = [];
  for (const [box, indices] of Map.groupBy(boxes.keys(), (i) => boxes[i]!.join())) {
    const [x0, y0, x1, y1] = box.split(",").map(Number) as [number, number, number, number];
    const color = colors[indices[0]! % colors.length]!;
    const drawn = document.createElementNS(SVG, "rect");
    const sides = { x: x0, y: y0, width: Math.max(0, x1 - x0), height: Math.max(0, y1 - y0) };
    for (const [name, value] of Object.entries(sides)) drawn.setAttribute(name, String(value));
    drawn.style.stroke = color;
    overlay.append(drawn);
    const place = { left: within((100 * x0) / width, 75), top: within((100 * y0) / height, 92) };
    while (taken.some(({ left, top }) => Math.abs(left - place.left) < 25 && Math.abs(top - place.top) < 8)) place.top += 8;
    taken.push(place);
    const name = element("span", { class: "region" }, `Region ${indices.map((i) => `[${i}]`).join(" ")}`);
    Object.assign(name.style, {
      left: `${place.left}%`, top: `${place.top}%`, background: color, color: inkOn(color),
    });
    names.push(name);
  }
  return element("div", { class: "regions" }, overlay, ...names);
}

function within(value: number, most: number): number {
  return Math.max(0, Math.min(most, value));
}

function textOf({ text, messages }: Sample): HTMLElement[] {
  if (messages !== null) {
    return messages.map(({ role, content }) => element(
      "div", { class: "message" }, element("h3", {}, data(role)), ...long(String(content)),
    ));
  }
  return text === null ? [] : [element("div", { class: "text" }, ...long(text))];
}

/** Very long texts are shown in part until more is asked for. */
function long(text: string): HTMLElement[] {
  const shown = data(shortened(text, LONG_TEXT), { class: "long" });
  if (text.length <= LONG_TEXT) return [shown];
  const more = element("button", { class: "link", onclick: () => {
    shown.textContent = text;
    more.remove();
  } }, `Show all ${count(text.length)} characters`);
  return [shown, more];
}

async function factsOf({ site, state }: Explorer, sample: Sample): Promise<HTMLElement> {
  const { map } = state.now;
  const own = ownColumns(site, map).values();
  const ids = new Set([...site.entries("sample").map(({ id }) => id), ...own]);
  const { columns, missing } = await readColumns(site, Array.from(ids));
  const titles = new Set(columns.map(({ entry }) => entry.title));
  const facts: [string, string][] = [
    ...columns.map((column): [string, string] => [column.entry.title, wholeValueOf(column, sample)]),
    ...sample.fields.filter(({ title, about }) => about === "sample" && !titles.has(title)).map(({ title, value }): [string, string] => [title, value]),
    ["id", sample.id],
  ];
  return element("div", {}, factList(facts), missing);
}

/** What is known of a sample; long lists can be searched. */
function factList(facts: readonly (readonly [string, string])[]): HTMLElement {
  const lines = facts.map(([title, value]) => ({
    words: `${title} ${value}`.toLowerCase(),
    parts: [element("dt", {}, breakable(title)), element("dd", {}, ...long(value))],
  }));
  const list = element("dl", { class: "facts" }, ...lines.flatMap(({ parts }) => parts));
  if (facts.length <= MANY) return list;
  const query = element("input", {
    type: "search", placeholder: `Search ${facts.length} columns`, "aria-label": "Search what is known of this sample",
    oninput: () => {
      const wanted = query.value.trim().toLowerCase();
      for (const { words, parts } of lines) for (const part of parts) part.hidden = !words.includes(wanted);
    },
  });
  return element("div", { class: "searched" }, query, list);
}

function neighborSection(
  { site, state }: Explorer, neighbors: readonly Neighbor[] | null, tiles: HTMLElement[], reasons: HTMLElement,
): HTMLElement {
  const method = site.method(site.map(state.now.map)?.method ?? "");
  if (neighbors === null) {
    const missing = site.manifest.missing.find(({ what }) => /neighbor/i.test(what));
    return section(
      "Nearest in the embedding",
      element("p", { class: "note" }, missing
        ? data(`${missing.why} ${missing.remedy}`)
        : "The neighbors in this embedding are not in these files."),
    );
  }
  const same = neighbors.some(({ sameSource }) => sameSource);
  const found = section(
    "Nearest in the embedding",
    reasons,
    element("div", { class: site.manifest.thumbnails === null ? "tiles texts" : "tiles" }, ...tiles),
    element("p", { class: "note" },
      `${method?.neighbors?.metric === "cosine" ? "Cosine" : "Euclidean"} distances.`,
      same && element("span", { class: "same" }, " Outlined: same source.")),
  );
  found.classList.add("nearest");
  return found;
}

async function tile(explorer: Explorer, { row, distance, sameSource }: Neighbor): Promise<HTMLElement> {
  const { site } = explorer;
  const [picture, sample] = await Promise.all([explorer.orNull(site.thumbnail(row)), site.sample(row)]);
  const label = await labelOf(explorer, row);
  return sampleTile(explorer, row, picture, shortened(sample.text ?? sample.id, 90), {
    below: number(distance),
    label,
    title: [label, sample.id, `distance ${number(distance)}`, sameSource ? "same source" : null].filter(Boolean).join("\n"),
    outlined: sameSource,
  });
}

export async function labelOf({ site }: Explorer, row: number): Promise<string | null> {
  const { column } = site.manifest.first;
  const { columns } = await readColumns(site, column === null ? [] : [column]);
  return columns.length === 0 ? null : valueOf(columns[0]!, row);
}

/** A sample as a button: its picture or the start of its text. */
export function sampleTile(
  explorer: Explorer, row: number, picture: string | null, text: string,
  { below, label = null, title, outlined }: { below: string | null; label?: string | null; title: string; outlined: boolean },
): HTMLElement {
  return element(
    "button", {
      class: outlined ? "tile outlined" : "tile", title, "aria-label": title.replaceAll("\n", ", "), "data-row": row,
      onclick: () => explorer.open(row),
      onpointerenter: () => explorer.found.set({ hovered: row }),
      onpointerleave: () => explorer.found.set({ hovered: null }),
    },
    picture === null ? data(text, { class: "words" }) : element("img", { src: picture, alt: "" }),
    label !== null && data(label, { class: "of" }),
    below !== null && element("span", { class: "below" }, below),
  );
}

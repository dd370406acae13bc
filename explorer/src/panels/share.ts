/** The view to take along: a link, a picture, a drawing. */

import { Failure } from "../data/failure";
import { mapsShown } from "../beside";
import type { MapEntry } from "../data/manifest";
import type { Column, Site } from "../data/site";
import { download, element } from "../dom";
import type { Explorer } from "../explorer";
import type { Box } from "../view/cloud";
import { shape } from "../view/pen";
import { along, colorOfCategory, colorsOf, scaleOf } from "../view/shades";
import { count, number } from "../words";

/** Values of the legend that a drawing has. */
const LISTED = 24;
const LEGEND = 220;

export function shareButtons(explorer: Explorer): HTMLElement[] {
  const fail = (error: unknown): void => explorer.fail(error);
  const link = element("button", { class: "wide", onclick: () => void copyAddress(explorer, link) }, "Copy link");
  return [
    link,
    element("div", { class: "joined share", role: "group", "aria-label": "Save the view" },
      element("button", { onclick: () => void savePicture(explorer).catch(fail) }, "Save PNG"),
      element("button", { onclick: () => void saveDrawing(explorer).catch(fail), "aria-label": "Save SVG" }, "SVG")),
  ];
}

async function savePicture(explorer: Explorer): Promise<void> {
  const { stage, site, state } = explorer;
  const picture = await stage.picture(styled("--map"));
  const shown = mapsShown(site, state.now);
  const context = picture.getContext("2d")!;
  context.scale(devicePixelRatio, devicePixelRatio);
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = styled("--ink");
  if (shown.length > 1) shown.forEach((map, i) => context.fillText(mapName(site, map), ...cornerOf(stage.boxes[i]!)));
  picture.toBlob((content) => content !== null && download("map.png", content));
}

/** The maps with their names, and what the colours mean. */
async function saveDrawing(explorer: Explorer): Promise<void> {
  const { stage, site, state, found } = explorer;
  const maps = await stage.shapes();
  const { width, height } = stage;
  const shown = mapsShown(site, state.now);
  const title = [site.manifest.run, ...(shown.length === 1 ? [mapName(site, shown[0]!)] : [])].join(": ");
  const drawing = shape(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg", width: width + LEGEND, height: height + 30,
      viewBox: `0 0 ${width + LEGEND} ${height + 30}`, "font-family": "system-ui, sans-serif", "font-size": 12,
    },
    shape("title", {}, title),
    shape("rect", { width: "100%", height: "100%", fill: styled("--map") }),
    shape("text", { x: 10, y: 20, fill: styled("--ink"), "font-size": 14 }, title),
    shape("g", { transform: "translate(0 30)" }, maps, ...(shown.length === 1 ? [] : shown.map((map, i) =>
      {
      const [x, y] = cornerOf(stage.boxes[i]!);
      return shape("text", { x, y, fill: styled("--ink") }, mapName(site, map));
    }))),
    shape("g", { transform: `translate(${width + 14} 44)` }, ...(found.now.color === null ? [] : legend(explorer, found.now.color))),
  );
  const text = new XMLSerializer().serializeToString(drawing);
  download("map.svg", new Blob([text], { type: "image/svg+xml" }));
}

/** Where the name of one of several maps is written. */
function cornerOf({ left, top }: Box): [number, number] {
  return [left + 10, top + 18];
}

function legend({ site, found }: Explorer, column: Column): SVGElement[] {
  const ink = styled("--ink");
  const heading = shape("text", { fill: ink, "font-weight": 600 }, column.entry.title);
  const { palette } = site.manifest;
  if (column.kind === "number") {
    const { low, high } = scaleOf(column);
    const scale = colorsOf(column, palette);
    const steps = Array.from({ length: 40 }, (_, i) =>
      shape("rect", { x: 4.5 * i, y: 10, width: 5, height: 12, fill: along(scale, i / 39) }));
    const ends = [[0, "start", low], [180, "end", high]] as const;
    return [heading, ...steps, ...ends.map(([x, anchor, value]) =>
      shape("text", { x, y: 38, fill: ink, "text-anchor": anchor }, number(value)))];
  }
  const sizes = new Uint32Array(column.values.length);
  const { shown } = found.now;
  for (let row = 0; row < site.count; row++) if (shown[row]) sizes[column.indices[row]!]!++;
  const present = Array.from(sizes.keys()).filter((i) => sizes[i]! > 0);
  const lines = present.slice(0, LISTED).flatMap((i, line) => [
    shape("circle", { cx: 5, cy: 18 * line + 18, r: 5, fill: colorOfCategory(column, i, palette) }),
    shape("text", { x: 16, y: 18 * line + 22, fill: ink }, `${shortName(column.values[i]!)} (${count(sizes[i]!)})`),
  ]);
  const rest = present.length - LISTED;
  if (rest > 0) lines.push(shape("text", { x: 16, y: 18 * LISTED + 22, fill: ink }, `${count(rest)} more`));
  return [heading, ...lines];
}

function mapName(site: Site, { method, projection }: MapEntry): string {
  return [site.method(method) && site.nameOf(site.method(method)!), projection].filter(Boolean).join(", ");
}

function shortName(value: string | null): string {
  const name = value === "" ? "(empty)" : value ?? "no value";
  return name.length > 28 ? `${name.slice(0, 27)}…` : name;
}

function styled(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

async function copyAddress(explorer: Explorer, button: HTMLButtonElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(location.href);
  } catch {
    return explorer.fail(new Failure("The link is not copied.", "This browser does not allow it.", "Copy it from the address bar."));
  }
  button.style.minWidth = `${button.offsetWidth}px`; // what is beside it stays in its place
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy link"), 2500);
}

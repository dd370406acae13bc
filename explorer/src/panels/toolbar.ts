/** Which map is shown: of which embedding, by which projection, flat or deep. */

import type { MapEntry, Method } from "../data/manifest";
import { data, download, element, fill } from "../dom";
import type { Explorer } from "../explorer";
import { number } from "../words";

export function toolbar(explorer: Explorer, help: () => void): HTMLElement {
  const { site, state } = explorer;
  const { manifest } = site;
  const methods = methodPicker(explorer);
  const projections = element("select", {
    "aria-label": "Map", onchange: () => state.set({ map: projections.value }),
  });
  const dims = ([2, 3] as const).map((of) =>
    element("button", { "aria-keyshortcuts": of, onclick: () => showDims(explorer, of) }, `${of}D`));
  const query = element("input", {
    type: "search", id: "query", placeholder: "Search ids, texts, labels  ( / )",
    "aria-label": "Search ids, texts and labels", "aria-keyshortcuts": "/",
    onchange: () => state.set({ query: query.value.trim() }),
  });
  state.watch(["map", "query"], ({ map: id, query: words }) => {
    const map = site.map(id);
    if (map === undefined) return;
    methods.value = map.method;
    fill(projections, ...ofMethod(explorer, map.method, map.dims).map((one) =>
      element("option", { value: one.id, selected: one.id === id }, one.projection)));
    dims.forEach((button, i) => {
      const of = ofMethod(explorer, map.method, (i + 2) as 2 | 3);
      button.disabled = of.length === 0;
      button.setAttribute("aria-pressed", String(map.dims === i + 2));
    });
    if (document.activeElement !== query) query.value = words;
  });
  const share = element("button", { class: "wide", onclick: () => void copyAddress(share) }, "Copy link");
  return element(
    "header", { class: "toolbar" },
    element("h1", {}, data(manifest.run)),
    methods, projections,
    element("div", { class: "joined", role: "group", "aria-label": "Dimensions" }, ...dims),
    element("span", { class: "spring" }), query, share,
    element("button", { class: "wide", onclick: () => void savePicture(explorer) }, "Save PNG"),
    element("button", { "aria-label": "Help", "aria-keyshortcuts": "?", onclick: help }, "?"),
  );
}

function methodPicker(explorer: Explorer): HTMLSelectElement {
  const { site } = explorer;
  const groups = Map.groupBy(
    site.manifest.methods.filter((method) => method.maps.length > 0),
    ({ encoder, variant }) => `${encoder} · ${variant}`,
  );
  const picker = element(
    "select", {
      "aria-label": "Encoder, variant and pooling method, best first", id: "method",
      onchange: () => showMethod(explorer, picker.value),
    },
    ...Array.from(groups, ([label, methods]) =>
      element("optgroup", { label }, ...methods.map((method) =>
        element("option", { value: method.id }, named(method, groups.size > 1))))),
  );
  return picker;
}

function named({ encoder, method, variant, value }: Method, several: boolean): string {
  const name = several ? `${method} · ${encoder} (${variant})` : method;
  return value === null ? name : `${name} — ${number(value)}`;
}

function ofMethod({ site }: Explorer, method: string, dims: 2 | 3): MapEntry[] {
  return (site.method(method)?.maps ?? [])
    .map((id) => site.map(id)!)
    .filter((map) => map.dims === dims);
}

/** Show another embedding by the same projection, or else by its first in as many dimensions. */
export function showMethod(explorer: Explorer, id: string): void {
  const before = explorer.site.map(explorer.state.now.map);
  const maps = explorer.site.method(id)?.maps.map((map) => explorer.site.map(map)!) ?? [];
  const next = maps.find((map) => map.projection === before?.projection)
    ?? maps.find((map) => map.dims === before?.dims) ?? maps[0];
  if (next !== undefined) explorer.state.set({ map: next.id });
}

/** The next or the previous embedding in the order of the list. */
export function stepMethod(explorer: Explorer, step: 1 | -1): void {
  const { site, state } = explorer;
  const ids = site.manifest.methods.filter(({ maps }) => maps.length > 0).map(({ id }) => id);
  const place = ids.indexOf(site.map(state.now.map)?.method ?? "");
  showMethod(explorer, ids.at((place + step) % ids.length)!);
}

/** Show the same embedding in two or three dimensions, if it has such a map: of the same kind first. */
export function showDims(explorer: Explorer, dims: 2 | 3): void {
  const map = explorer.site.map(explorer.state.now.map);
  if (map === undefined || map.dims === dims) return;
  const maps = ofMethod(explorer, map.method, dims);
  const next = maps.find(({ kind }) => kind === map.kind) ?? maps[0];
  if (next !== undefined) explorer.state.set({ map: next.id });
}

async function savePicture(explorer: Explorer): Promise<void> {
  const paper = getComputedStyle(document.documentElement).getPropertyValue("--map");
  const picture = await explorer.stage.picture(paper);
  picture.toBlob((content) => content !== null && download("map.png", content));
}

async function copyAddress(button: HTMLButtonElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Copy it from the address bar";
  }
  setTimeout(() => (button.textContent = "Copy link"), 2500);
}

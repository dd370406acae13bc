/** Which map is shown: of which embedding, by which projection, flat or deep. */

import type { Manifest, MapEntry, Method } from "../data/manifest";
import type { Site } from "../data/site";
import { data, element, fill } from "../dom";
import type { Explorer } from "../explorer";
import { number } from "../words";
import { besideButtons, hasSeveral } from "./beside";
import { isTouched } from "./help";
import { shareButtons } from "./share";

export function toolbar(explorer: Explorer, help: () => void): HTMLElement {
  const { site, state } = explorer;
  const { manifest } = site;
  const methods = methodPicker(explorer);
  const projections = element("select", {
    "aria-label": "Map", onchange: () => state.set({ map: projections.value }),
  });
  const dims = ([2, 3] as const).map((of) =>
    element("button", { "aria-keyshortcuts": of, onclick: () => showDims(explorer, of) }, `${of}D`));
  const hasBoth = new Set(manifest.maps.map((map) => map.dims)).size > 1;
  const query = element("input", {
    type: "search", id: "query", placeholder: `Search ids, texts, labels${isTouched() ? "" : "  ( / )"}`,
    "aria-label": "Search ids, texts and labels", "aria-keyshortcuts": "/",
    onchange: () => state.set({ query: query.value.trim() }),
  });
  state.watch(["map", "query"], ({ map: id, query: words }) => {
    const map = site.map(id);
    if (map === undefined) return;
    methods.value = map.method;
    methods.title = score(site.method(map.method)!, manifest.metric);
    fill(projections, ...ofMethod(explorer, map.method, map.dims).map((one) =>
      element("option", { value: one.id, selected: one.id === id }, one.projection)));
    dims.forEach((button, i) => {
      const of = ofMethod(explorer, map.method, (i + 2) as 2 | 3);
      button.disabled = of.length === 0;
      button.title = button.disabled ? `This embedding has no ${i + 2}D map` : "";
      button.setAttribute("aria-pressed", String(map.dims === i + 2));
    });
    if (document.activeElement !== query) query.value = words;
  });
  return element(
    "header", { class: "toolbar" },
    element("h1", {}, data(manifest.run)),
    methods, projections,
    hasBoth && element("div", { class: "joined", role: "group", "aria-label": "Dimensions" }, ...dims),
    hasSeveral(explorer) && besideButtons(explorer),
    element("span", { class: "spring" }), query, ...shareButtons(explorer),
    element("button", { "aria-label": "Help", "aria-keyshortcuts": "?", onclick: help }, "?"),
  );
}

function methodPicker(explorer: Explorer): HTMLSelectElement {
  const { site } = explorer;
  const { metric } = site.manifest;
  const listed = listedMethods(site);
  const groups = [
    { label: "Encoders", methods: listed.filter(({ baseline }) => !baseline) },
    { label: "Baselines", methods: listed.filter(({ baseline }) => baseline) },
  ].filter(({ methods }) => methods.length > 0);
  const by = metric === null ? "" : `, by ${metric.title}`;
  const picker = element(
    "select", {
      "aria-label": `Embedding${by}`, id: "method", onchange: () => showMethod(explorer, picker.value),
    },
    ...groups.map(({ label, methods }) =>
      element("optgroup", { label: `${label}${by}` }, ...methods.map((method) =>
        element("option", { value: method.id }, named(site, method))))),
  );
  return picker;
}

/** The embeddings that have maps: those of encoders, then those of baselines, best first in each. */
export function listedMethods(site: Site): Method[] {
  const listed = site.manifest.methods.filter(({ maps }) => maps.length > 0);
  return [...listed.filter(({ baseline }) => !baseline), ...listed.filter(({ baseline }) => baseline)];
}

export function fullName({ encoder, method, variant }: Method): string {
  return `${method} · ${encoder} (${variant})`;
}

function named(site: Site, method: Method): string {
  const name = site.nameOf(method);
  return method.value === null ? name : `${name} — ${number(method.value)}`;
}

/** What an embedding scores in the metric that ranks: "purity: 0.094 [0.05, 0.17], chance 0.055". */
export function score({ value, interval, chance }: Method, metric: Manifest["metric"]): string {
  if (metric === null || value === null) return "";
  return [
    `${metric.title}: ${number(value)}`,
    interval === null ? "" : ` [${interval.map(number).join(", ")}]`,
    chance === null ? "" : `, chance ${number(chance)}`,
  ].join("");
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
  const ids = listedMethods(site).map(({ id }) => id);
  const place = ids.indexOf(site.map(state.now.map)?.method ?? "");
  showMethod(explorer, ids.at((place + step) % ids.length)!);
}

/** Show the same embedding in two or three dimensions: by the projection last seen in them, or one of the same kind. */
export function showDims(explorer: Explorer, dims: 2 | 3): void {
  const map = explorer.site.map(explorer.state.now.map);
  if (map === undefined || map.dims === dims) return;
  const maps = ofMethod(explorer, map.method, dims);
  const last = explorer.projections.get(dims);
  const next = maps.find(({ projection }) => projection === last)
    ?? maps.find(({ kind }) => kind === map.kind) ?? maps[0];
  if (next !== undefined) explorer.state.set({ map: next.id });
}

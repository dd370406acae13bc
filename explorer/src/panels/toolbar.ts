/** Which map is shown: of which embedding, by which projection, flat or deep. */

import type { Method } from "../data/manifest";
import type { Site } from "../data/site";
import { data, element, fill } from "../dom";
import { listedMethods, ofMethod, score, showDims, showMethod } from "../embeddings";
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

function named(site: Site, method: Method): string {
  const name = site.nameOf(method);
  return method.value === null ? name : `${name} — ${number(method.value)}`;
}

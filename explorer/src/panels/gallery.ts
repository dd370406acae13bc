/** All embeddings of an encoder, small; the one that is pressed becomes the map. */

import { likest } from "../beside";
import type { MapEntry } from "../data/manifest";
import { groupOf } from "../data/site";
import { data, element, fill } from "../dom";
import { listedMethods, score, showMethod } from "../embeddings";
import type { Explorer } from "../explorer";
import type { Box } from "../view/cloud";
import { Multiples, placesOf, sampledRows, someOf } from "../view/multiples";
import { counted, number } from "../words";

/** How large the points of a small map are, beside those of the map. */
const SMALLER = 0.5;

export function gallery(explorer: Explorer): HTMLElement {
  const { site, state, stage } = explorer;
  const title = element("p");
  const tiles = element("div", { class: "small-maps" });
  const drawn = element("div", { class: "drawn" });
  const groups = groupPicker(explorer);
  const host = element(
    "section", { class: "gallery", "aria-label": "All embeddings of this encoder", hidden: true },
    element("div", { class: "row wraps" }, groups, title, element("span", { class: "spring" }),
      element("button", { onclick: () => state.set({ gallery: false }), title: "Esc" }, "Back to the map")),
    element("div", { class: "multiples" }, drawn, tiles),
  );
  let multiples: Multiples | undefined;
  let maps: MapEntry[] = [];
  let rows: Uint32Array = new Uint32Array();
  let places = new Map<string, Float32Array>();

  function draw(): void {
    if (host.hidden || maps.length === 0) return;
    const shown = maps.flatMap((map) => {
      const positions = places.get(map.id);
      return positions === undefined ? [] : [{ positions, box: boxOf(map.id) }];
    });
    const look = { ...stage.look, size: Math.max(2, SMALLER * stage.look.size) };
    const { clientWidth: width, clientHeight: height } = tiles;
    const isWhole = shown.length === maps.length;
    multiples ??= new Multiples(drawn, draw);
    multiples.draw(someOf(stage.cloud, rows), shown, maps[0]!.dims, look, width, height)
      .then(() => host.toggleAttribute("data-drawn", isWhole), (error: unknown) => explorer.fail(error));
  }

  function boxOf(id: string): Box {
    const tile = tiles.querySelector<HTMLElement>(`[data-map="${CSS.escape(id)}"]`)!;
    const name = tile.querySelector<HTMLElement>(".name")!;
    return { left: tile.offsetLeft, top: tile.offsetTop, width: tile.offsetWidth, height: tile.offsetHeight - name.offsetHeight };
  }

  async function show(): Promise<void> {
    const here = site.map(state.now.map);
    if (here === undefined) return;
    maps = smallMaps(explorer, here);
    title.textContent = `${counted(maps.length, "embedding")}, best first`;
    host.removeAttribute("data-drawn");
    fill(tiles, ...maps.map((map) => tile(explorer, map)));
    tiles.querySelector<HTMLElement>("[aria-current]")?.focus();
    const wanted = maps;
    rows = sampledRows(stage.cloud);
    places = new Map();
    draw();
    for (const map of wanted) {
      const positions = await site.places(map);
      if (maps !== wanted || host.hidden) return;
      places.set(map.id, placesOf(positions, rows));
      draw();
    }
  }

  state.watch(["gallery", "map"], ({ gallery: open }) => {
    const hasFocus = host.contains(document.activeElement);
    host.hidden = !open;
    stage.host.inert = open;
    if (open) show().catch((error: unknown) => explorer.fail(error));
    else {
      places = new Map();
      if (hasFocus) stage.host.focus();
    }
  });
  stage.changed = draw;
  new ResizeObserver(draw).observe(tiles);
  return host;
}

/** A map of each embedding of the encoder and variant shown, as like to the one shown as there is. */
function smallMaps({ site }: Explorer, here: MapEntry): MapEntry[] {
  const group = groupOf(site.method(here.method)!);
  return listedMethods(site).filter((method) => groupOf(method) === group).flatMap(({ maps }) =>
    likest(maps.map((id) => site.map(id)!).filter(({ dims }) => dims === here.dims), here) ?? []);
}

function tile({ site, state }: Explorer, map: MapEntry): HTMLElement {
  const method = site.method(map.method)!;
  const told = [`${method.method}, ${map.projection}`, score(method, site.manifest.metric)].filter(Boolean).join("\n");
  return element(
    "button", {
      "data-map": map.id, title: told, "aria-label": told.replaceAll("\n", ", "),
      "aria-current": map.id === state.now.map ? "true" : null,
      onclick: () => state.set({ map: map.id, gallery: false }),
    },
    element("span", { class: "name" }, data(method.method),
      element("span", { class: "faint" }, method.value === null ? "" : ` ${number(method.value)}`)),
  );
}

/** Encoders and variants, where there are several: the same method of another one is shown. */
function groupPicker(explorer: Explorer): HTMLElement | null {
  const { site, state } = explorer;
  const groups = Map.groupBy(listedMethods(site), groupOf);
  if (groups.size < 2) return null;
  const picker = element(
    "select", { "aria-label": "Encoder and variant", onchange: () => {
      const method = site.method(site.map(state.now.map)?.method ?? "")?.method;
      const offered = groups.get(picker.value)!;
      showMethod(explorer, (offered.find((one) => one.method === method) ?? offered[0]!).id);
    } },
    ...Array.from(groups, ([group, methods]) =>
      element("option", { value: group }, `${methods[0]!.encoder} (${methods[0]!.variant})`)),
  );
  state.watch(["map"], ({ map }) => {
    const method = site.method(site.map(map)?.method ?? "");
    if (method !== undefined) picker.value = groupOf(method);
  });
  return picker;
}

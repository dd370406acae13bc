/** Several maps at once: how many, what each is called, and which one the panels are about. */

import { activated, activePlace, mapsShown, withMaps, withoutMap } from "../beside";
import type { MapEntry } from "../data/manifest";
import { data, element, fill } from "../dom";
import { listedMethods } from "../embeddings";
import type { Explorer } from "../explorer";
import { number } from "../words";

const COUNTS = [1, 2, 4] as const;
const NAMES = { 1: "One map", 2: "Two maps beside each other", 4: "Four maps beside one another" };

/** Show so many maps beside one another. */
export function showBeside({ site, state }: Explorer, count: number): void {
  state.set({ ...withMaps(site, state.now, count, listedMethods(site)), gallery: false });
}

/** One map, then two, four and one again. */
export function stepBeside(explorer: Explorer): void {
  const shown = mapsShown(explorer.site, explorer.state.now).length;
  showBeside(explorer, shown === 1 ? 2 : shown === 2 ? 4 : 1);
}

/** Whether there is more than one map to show. */
export function hasSeveral(explorer: Explorer): boolean {
  const { maps } = explorer.site.manifest;
  return maps.some(({ dims }) => maps.filter((other) => other.dims === dims).length > 1);
}

export function besideButtons(explorer: Explorer): HTMLElement {
  const { state, site } = explorer;
  const buttons = COUNTS.map((count) => element("button", {
    "aria-label": NAMES[count], title: `${NAMES[count]} (S)`, "aria-keyshortcuts": "S",
    onclick: () => showBeside(explorer, count),
  }, count));
  const all = element("button", {
    "aria-label": "All embeddings of this encoder, small", title: "All embeddings of this encoder, small (A)",
    "aria-keyshortcuts": "A", onclick: () => state.set({ gallery: !state.now.gallery }),
  }, "All");
  state.watch(["map", "others", "gallery"], (now) => {
    const shown = mapsShown(site, now).length;
    COUNTS.forEach((count, i) => buttons[i]!.setAttribute("aria-pressed", String(
      !now.gallery && (count === 4 ? shown > 2 : count === shown))));
    all.setAttribute("aria-pressed", String(now.gallery));
  });
  return element("div", { class: "joined maps", role: "group", "aria-label": "Maps beside one another" }, ...buttons, all);
}

/** A frame around each of several maps, with its name: pressed, the panels are about that map. */
export function frames(explorer: Explorer): HTMLElement {
  const { state, site, stage } = explorer;
  const host = element("div", { class: "frames", role: "group", "aria-label": "Maps shown" });
  state.watch(["map", "others", "place"], (now) => {
    const maps = mapsShown(site, now);
    const active = activePlace(site, now);
    fill(host, ...(maps.length < 2 ? [] : maps.map((map, i) => frame(explorer, map, i, i === active))));
    place();
  });
  function place(): void {
    const { boxes } = stage;
    Array.from(host.children).forEach((one, i) => {
      const box = boxes[i];
      if (box === undefined) return;
      for (const side of ["left", "top", "width", "height"] as const) {
        (one as HTMLElement).style[side] = `${box[side]}px`;
      }
    });
  }
  stage.laidOut = place;
  return host;
}

function frame(explorer: Explorer, map: MapEntry, place: number, active: boolean): HTMLElement {
  const { state, site } = explorer;
  const method = site.method(map.method)!;
  const name = site.nameOf(method);
  return element(
    "div", { class: active ? "frame active" : "frame" },
    element("button", {
      class: "caption", "aria-pressed": active, title: `${name}, ${map.projection}: let the panels be about this map`,
      onclick: () => state.set(activated(site, state.now, place)),
    }, data(name), element("span", { class: "faint" }, ` ${map.projection}`),
    method.value !== null && element("span", { class: "faint" }, ` ${number(method.value)}`)),
    element("button", { class: "away", "aria-label": `Put ${name} away`, onclick: () => state.set(withoutMap(site, state.now, place)) }, "×"),
  );
}

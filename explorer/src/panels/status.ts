/** What is shown, and how far it can be believed. */

import { element, fill } from "../dom";
import { score } from "../embeddings";
import type { Explorer } from "../explorer";
import { count, percent } from "../words";

export function statusBar(explorer: Explorer): HTMLElement {
  const { site, found, state } = explorer;
  const shown = element("span", { role: "status" });
  const map = element("span");
  const method = element("span", { title: "of this embedding, with its 95 % interval" });
  const tell = (): void => {
    const { shownCount, searched } = found.now;
    const selected = state.now.selected.length;
    const all = site.count;
    const filtered = shownCount !== all;
    const told = (number: number, what: string): (HTMLElement | string)[] =>
      [element("strong", {}, count(number)), ` of ${count(all)} ${what}`];
    fill(
      shown,
      ...(selected > 0 ? told(selected, "selected") : []),
      selected > 0 && filtered && ", ",
      ...(filtered ? told(shownCount, "shown") : []),
      ...(selected === 0 && !filtered ? [element("strong", {}, count(all)), all === 1 ? " sample" : " samples"] : []),
      searched < 1 && `, searching: ${percent(searched)}`,
    );
  };
  found.watch(["shownCount", "searched"], tell);
  state.watch(["selected"], tell);
  state.watch(["map"], ({ map: id }) => {
    const entry = site.map(id);
    const of = site.method(entry?.method ?? "");
    const trust = entry?.trust;
    fill(
      map,
      trust && `This map keeps ${percent(trust.recall)} of the ${trust.k} nearest neighbors`,
      entry !== undefined && entry.unplaced > 0 && `, ${count(entry.unplaced)} samples have no place on it`,
    );
    method.textContent = of === undefined ? "" : score(of, site.manifest.metric);
  });
  return element("footer", { class: "status" }, shown, map, element("span", { class: "spring" }), method);
}

/** What is shown, and how far it can be believed. */

import { element, fill } from "../dom";
import type { Explorer } from "../explorer";
import { count, number, percent } from "../words";

export function statusBar(explorer: Explorer): HTMLElement {
  const { site, found, state } = explorer;
  const shown = element("span", { role: "status" });
  const map = element("span");
  const method = element("span");
  found.watch(["shownCount", "searched"], ({ shownCount, searched }) => {
    const all = site.count;
    fill(
      shown, element("strong", {}, count(shownCount)),
      shownCount === all ? ` ${all === 1 ? "sample" : "samples"}` : ` of ${count(all)} shown`,
      searched < 1 && `, searching: ${percent(searched)}`,
    );
  });
  state.watch(["map"], ({ map: id }) => {
    const entry = site.map(id);
    const of = site.method(entry?.method ?? "");
    const trust = entry?.trust;
    fill(
      map,
      trust && `This map keeps ${percent(trust.recall)} of the ${trust.k} nearest neighbors`,
      entry !== undefined && entry.unplaced > 0 && `, ${count(entry.unplaced)} samples have no place on it`,
    );
    const { metric } = site.manifest;
    fill(
      method, metric !== null && of?.value != null && `${metric.title} of this embedding: ${number(of.value)}`,
      of?.interval != null && ` [${of.interval.map(number).join(", ")}]`,
      of?.chance != null && `, chance ${number(of.chance)}`,
    );
  });
  return element("footer", { class: "status" }, shown, map, element("span", { class: "spring" }), method);
}

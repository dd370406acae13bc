/** Before and after: the samples of a reference run, and in which regions sources differ. */

import { isCertain, regionsOf, rowsIn, type Region } from "../data/regions";
import type { MapEntry } from "../data/manifest";
import { data, element, fill, section } from "../dom";
import type { Explorer } from "../explorer";
import { points } from "../view/regions";
import { counted, pValue } from "../words";

export function compared(explorer: Explorer): HTMLElement {
  const { site, state } = explorer;
  const before = beforeSwitch(explorer);
  const picker = element("select", {
    id: "regions", "aria-label": "Differences by region",
    onchange: () => state.set({ regions: picker.value === "" ? null : picker.value }),
  });
  const list = element("div");
  const host = section("Before and after", before, picker, list);
  state.watch(["map", "regions"], ({ map: id, regions: source }) => {
    const map = site.map(id);
    const sources = map?.regions?.sources ?? [];
    fill(picker, element("option", { value: "" }, "By region: none"),
      ...sources.map((name) => element("option", { value: name }, `By region: ${name}`)));
    picker.value = source !== null && sources.includes(source) ? source : "";
    picker.hidden = sources.length < 2;
    host.hidden = picker.hidden && !map?.before;
    host.querySelector("h2")!.textContent = map?.before ? "Before and after" : "Sources";
    fill(list, map && source !== null && sources.includes(source) && regionList(explorer, map, source));
  });
  return host;
}

function beforeSwitch({ site, state }: Explorer): HTMLElement {
  const box = element("input", { type: "checkbox", id: "before", onchange: () => state.set({ before: box.checked }) });
  const told = element("span");
  const swatch = element("span", { class: "swatch" });
  swatch.style.background = site.manifest.palette.none;
  const host = element("label", { class: "before" }, box, " ", swatch, told);
  state.watch(["map", "before"], ({ map, before }) => {
    const found = site.map(map)?.before;
    host.hidden = !found;
    box.checked = before;
    if (found) fill(told, ` ${counted(found.count, "sample")} of `, data(found.run), " in grey");
  });
  return host;
}

/** Every region with its shares, the greatest difference first; pressed, its samples are selected. */
function regionList(explorer: Explorer, map: MapEntry, source: string): HTMLElement {
  const regions = regionsOf(map, source);
  const differs = ({ share, others }: Region): number => Math.abs(share - others);
  const order = Array.from(regions.keys()).sort((a, b) => differs(regions[b]!) - differs(regions[a]!));
  const tested = regions.some(({ p }) => p !== null);
  const rest = map.regions!.sources.filter((name) => name !== source);
  return element(
    "div", {},
    element("p", { class: "note" }, "Percentage points more of ", data(source), " than of ",
      rest.length === 1 ? data(rest[0]!) : "the others on average",
      tested ? "; bold: beyond chance at 5 %, adjusted for all regions." : ". Not tested: its samples did not shape the map."),
    element("ul", { class: "regions-list" }, ...order.map((i) => {
      const region = regions[i]!;
      const [share, others] = [region.share, region.others].map((value) => (100 * value).toFixed(1));
      const told = `${points(region)}: ${share} % against ${others} %`;
      return element("li", {}, element("button", {
        class: "value", title: "Select the samples in this region",
        onclick: () => {
          rowsIn(explorer.site, map, regions, i).then((rows) => explorer.select(rows), (error: unknown) => explorer.fail(error));
        },
      }, element(isCertain(region) ? "strong" : "span", { class: "name" }, told),
      region.p !== null && element("span", { class: "number" }, `p ${pValue(region.p)}`)));
    })),
  );
}

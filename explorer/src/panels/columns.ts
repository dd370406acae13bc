/** Columns to choose from: those of the samples, of the embedding shown, and of all others. */

import type { ColumnEntry, Method } from "../data/manifest";
import { differenceId } from "../data/derived";
import type { Site } from "../data/site";
import { element, fill } from "../dom";
import { listedMethods } from "../embeddings";
import type { Explorer } from "../explorer";
import { lessKey, OWN, ownColumns, type State } from "../state";

/** What a choice is kept as, and how it is called. */
type Choice = readonly [key: string, title: string];
type Group = readonly [label: string, choices: readonly Choice[]];

/** A list of columns for the colour or the size of points. */
export function columnPicker(
  explorer: Explorer, key: "color" | "size", label: string, none: string, kinds: readonly ColumnEntry["kind"][],
): HTMLSelectElement {
  const { site, state, found } = explorer;
  const picker = element("select", {
    id: key, "aria-label": label,
    onchange: () => state.set({ [key]: picker.value === "" ? null : picker.value } as Partial<State>),
  });
  const list = (): void => {
    const { map, [key]: chosen } = state.now;
    offer(picker, none, [
      ...sampleGroups(site, kinds),
      ["The embedding and map shown", Array.from(ownColumns(site, map), ([role, id]) => [`${OWN}${role}`, site.entry(id)!] as const)
        .filter(([, entry]) => kinds.includes(entry.kind))
        .map(([own, { title }]) => [own, title])],
      ...differences(site, map, kinds, (role, _, other) => lessKey(role, other)),
      ...otherEmbeddings(site, map, kinds),
    ]);
    picker.value = chosen ?? "";
  };
  state.watch(["map", key], list);
  found.watch(["columns"], list);
  return picker;
}

/** A list of columns to filter on; what is chosen is told, and the list is as before. */
export function filterPicker(explorer: Explorer, choose: (id: string) => void): HTMLSelectElement {
  const { site, state, found } = explorer;
  const kinds = ["category", "number"] as const;
  const picker = element("select", { id: "filter", "aria-label": "Add a filter", onchange: () => {
    choose(picker.value);
    picker.value = "";
  } });
  const list = (): void => {
    const { map } = state.now;
    const own = Array.from(ownColumns(site, map).values(), (id): Choice => [id, site.entry(id)!.title]);
    offer(picker, "Add a filter on …", [
      ...sampleGroups(site, kinds), ["The embedding and map shown", own],
      ...differences(site, map, kinds, differenceId), ...otherEmbeddings(site, map, kinds),
    ]);
    picker.value = "";
  };
  state.watch(["map"], list);
  found.watch(["columns"], list);
  return picker;
}

/** What a column is called beside those of other embeddings and maps. */
export function columnName(site: Site, { title, of, diverges }: ColumnEntry & { diverges?: boolean }): string {
  if (of === null || diverges) return title;
  const map = site.map(of);
  const method = site.method(map?.method ?? of);
  return [title, method && site.nameOf(method), map?.projection].filter(Boolean).join(" · ");
}

function offer(picker: HTMLSelectElement, none: string, groups: readonly Group[]): void {
  fill(
    picker,
    element("option", { value: "" }, none),
    ...groups.filter(([, choices]) => choices.length > 0).map(([label, choices]) =>
      element("optgroup", { label }, ...choices.map(([value, title]) => element("option", { value }, title)))),
  );
}

function sampleGroups(site: Site, kinds: readonly ColumnEntry["kind"][]): Group[] {
  return ([["Samples", "sample"], ["Annotations", "annotation"]] as const).map(([label, about]) => [
    label,
    site.entries(about).filter(({ kind }) => kinds.includes(kind)).map(({ id, title }) => [id, title]),
  ]);
}

/** What tells two embeddings apart sample by sample: how far each keeps labels together. */
function differences(
  site: Site, map: string, kinds: readonly ColumnEntry["kind"][],
  keyOf: (role: string, here: string, other: string) => string,
): Group[] {
  const here = site.map(map)?.method ?? "";
  const own = ownColumns(site, map).get("purity");
  if (own === undefined || !kinds.includes("number")) return [];
  const others = listedMethods(site).filter(({ id, columns }) => id !== here && Object.hasOwn(columns, "purity"));
  const { title } = site.entry(own)!;
  return [[`${title}: here less there`, others.map((other) =>
    [keyOf("purity", here, other.id), `here − ${site.nameOf(other)}`])]];
}

function otherEmbeddings(site: Site, map: string, kinds: readonly ColumnEntry["kind"][]): Group[] {
  const here = site.map(map)?.method;
  return listedMethods(site).filter(({ id }) => id !== here).map((method) => [
    site.nameOf(method),
    [...Object.values(method.columns), ...mapColumns(site, method)]
      .map((id) => site.entry(id)!)
      .filter(({ kind }) => kinds.includes(kind))
      .map((entry) => [entry.id, columnName(site, entry)]),
  ]);
}

function mapColumns(site: Site, { maps }: Method): string[] {
  return maps.flatMap((id) => Object.values(site.map(id)!.columns));
}

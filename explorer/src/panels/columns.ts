/** Columns to choose from: those of the samples, of the embedding shown, and of all others. */

import type { ColumnEntry, Method } from "../data/manifest";
import { differenceId } from "../data/derived";
import { asFailure, Failure } from "../data/failure";
import type { Column, Site } from "../data/site";
import { data, element, fill } from "../dom";
import { listedMethods } from "../embeddings";
import type { Explorer } from "../explorer";
import { lessKey, OWN, ownColumns, type State } from "../state";
import { counted } from "../words";
import { failureText } from "./notice";

/** What a choice is kept as, and how it is called. */
type Choice = readonly [key: string, title: string];
type Group = readonly [label: string, choices: readonly Choice[]];

/** A list of columns for the colour or the size of points. */
export function columnPicker(
  explorer: Explorer, key: "color" | "size", label: string, none: string, kinds: readonly ColumnEntry["kind"][],
): HTMLElement {
  const { site, state, found } = explorer;
  const picker = element("select", {
    id: key, "aria-label": label,
    onchange: () => state.set({
      ...{ [key]: picker.value === "" ? null : picker.value } as Partial<State>, ...(key === "color" && { hidden: [], only: null }),
    }),
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
  return searchable(picker, label);
}

/** A list of columns to filter on; what is chosen is told, and the list is as before. */
export function filterPicker(explorer: Explorer, choose: (id: string) => void): HTMLElement {
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
  return searchable(picker, "Add a filter");
}

/** Lists of so many columns are searched. */
const MANY = 20;
const MATCHES = 12;

/** A list with a field beside it that finds what the list offers. */
function searchable(picker: HTMLSelectElement, label: string): HTMLElement {
  const matches = element("ul", { class: "matches" });
  const query = element("input", {
    type: "search", placeholder: "Search columns", "aria-label": `${label}: search columns`, hidden: true,
    oninput: () => refresh(),
    onkeydown: (event: KeyboardEvent) => {
      if (event.key === "Enter") matches.querySelector("button")?.click();
      else if (event.key === "Escape") show(false);
    },
  });
  const open = element("button", {
    class: "search", "aria-label": `Search: ${label}`, title: "Search columns", "aria-expanded": "false",
    onclick: () => show(query.hidden === true),
  }, "⌕");
  const show = (shown: boolean): void => {
    query.hidden = !shown;
    query.value = "";
    open.setAttribute("aria-expanded", String(shown));
    refresh();
    if (shown) query.focus();
  };
  const refresh = (): void => {
    const words = query.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
    const options = Array.from(picker.options).filter(({ value }) => value !== "");
    const found = words.length === 0 ? [] : options.filter((option) => {
      const text = `${option.text} ${groupOf(option)}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    fill(matches, ...found.slice(0, MATCHES).map((option) => element("li", {}, element("button", {
      class: "value", onclick: () => {
        picker.value = option.value;
        picker.dispatchEvent(new Event("change"));
        show(false);
      },
    }, element("span", {}, data(option.text), element("span", { class: "of" }, data(groupOf(option))))))),
    found.length > MATCHES && element("li", { class: "note" }, `${counted(found.length - MATCHES, "more column")}: type more.`),
    words.length > 0 && found.length === 0 && element("li", { class: "note" }, "No such column."));
  };
  const offerSearch = (): void => {
    open.hidden = picker.options.length <= MANY;
  };
  offerSearch();
  new MutationObserver(offerSearch).observe(picker, { childList: true });
  return element("div", { class: "picker" }, element("div", { class: "row" }, picker, open), query, matches);
}

function groupOf(option: HTMLOptionElement): string {
  return option.parentElement instanceof HTMLOptGroupElement ? option.parentElement.label : "";
}

/** Reasons of so many unreadable columns are told one by one. */
const TOLD = 3;

/** Columns that are shown together, and what is to be said of those among them that cannot be read. */
export async function readColumns(site: Site, ids: readonly string[]): Promise<{ columns: Column[]; missing: HTMLElement | null }> {
  const asked = await Promise.allSettled(ids.map((id) => site.column(id)));
  const columns = asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const lost = asked.flatMap((one, i) => (one.status === "rejected" ? [[ids[i]!, one.reason] as const] : []));
  if (lost.length === 0) return { columns, missing: null };
  return { columns, missing: element("div", { class: "lost" },
    ...lost.slice(0, TOLD).map(([id, reason]) => failureText(unreadable(site, id, reason))),
    lost.length > TOLD && element("p", { class: "note" }, `So are ${counted(lost.length - TOLD, "more column")}.`)) };
}

/** Why a column is not shown. */
export function unreadable(site: Site, id: string, reason: unknown): Failure {
  const { what, why, remedy } = asFailure(reason);
  return new Failure(`“${site.entry(id)?.title ?? id}” is missing here.`, `${what} ${why}`, remedy);
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

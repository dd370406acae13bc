/** Filters on any column: what they keep out stays on the map, in grey. */

import type { Categories, Column, Numbers } from "../data/site";
import { data, element, fill, section } from "../dom";
import type { Explorer } from "../explorer";
import { rowsOf } from "../selecting";
import type { Filter } from "../state";
import { count, number } from "../words";
import { columnName, filterPicker, unreadable } from "./columns";
import { failureText } from "./notice";

const SUGGESTED = 1_000;

export function filters(explorer: Explorer): HTMLElement {
  const { site, state, found } = explorer;
  const add = filterPicker(explorer, (id) => {
    addFilter(explorer, id).catch((error: unknown) => explorer.fail(error));
  });
  const list = element("div");
  state.watch(["filters"], ({ filters: given }) => {
    Promise.all(given.map((filter, place) => filterBox(explorer, filter, place)))
      .then((boxes) => replaceKeepingFocus(list, boxes), (error: unknown) => explorer.fail(error));
  });
  const take = element("button", { class: "link", onclick: () => explorer.select(rowsOf(found.now.shown)) });
  found.watch(["shownCount"], ({ shownCount }) => {
    take.hidden = shownCount === site.count || shownCount === 0;
    take.textContent = `Select the ${count(shownCount)} shown`;
  });
  return section("Filter", list, add, take);
}

/** Show other boxes; the field that has the focus keeps it, in the box that takes its place. */
function replaceKeepingFocus(list: HTMLElement, boxes: readonly HTMLElement[]): void {
  const name = list.contains(document.activeElement) ? document.activeElement!.ariaLabel : null;
  fill(list, ...boxes);
  Array.from(list.querySelectorAll<HTMLElement>("[aria-label]")).find((one) => one.ariaLabel === name)?.focus();
}

async function addFilter({ site, state }: Explorer, id: string): Promise<void> {
  const { filters: given } = state.now;
  if (id === "" || given.some(({ column }) => column === id)) return;
  const column = await site.column(id);
  const filter: Filter = column.kind === "number"
    ? { column: id, low: column.entry.low ?? 0, high: column.entry.high ?? 0 }
    : { column: id, values: [] };
  state.set({ filters: [...given, filter] });
}

async function filterBox(explorer: Explorer, filter: Filter, place: number): Promise<HTMLElement> {
  const { site, state } = explorer;
  const replace = (next: Filter | null): void => {
    const given = state.now.filters.slice();
    given.splice(place, 1, ...(next === null ? [] : [next]));
    state.set({ filters: given });
  };
  const title = columnName(site, site.entry(filter.column)!);
  const fields = await site.column(filter.column).then(
    (column) => fieldsOf(column, filter, replace, place),
    (error: unknown) => [failureText(unreadable(site, filter.column, error)), element("p", { class: "note" }, "It lets all samples through.")],
  );
  return element(
    "fieldset", { class: "filter" },
    element("legend", {}, data(title)),
    element("button", { class: "away", "aria-label": `Remove the filter on ${title}`, onclick: () => replace(null) }, "×"),
    ...fields,
  );
}

function fieldsOf(column: Column, filter: Filter, replace: (filter: Filter) => void, place: number): HTMLElement[] {
  if (column.kind === "number") return "low" in filter ? numberFields(column, filter, replace) : [];
  return "values" in filter ? valueFields(column, filter, replace, place) : [];
}

function numberFields(
  { entry }: Numbers, filter: Extract<Filter, { low: number }>, replace: (filter: Filter) => void,
): HTMLElement[] {
  const field = (key: "low" | "high", label: string): HTMLElement => {
    const input = element("input", {
      type: "number", step: "any", value: filter[key], "aria-label": `${entry.title} ${label}`,
      onchange: () => replace({ ...filter, [key]: input.valueAsNumber }),
    });
    return element("label", {}, `${label} `, input);
  };
  return [element("div", { class: "bounds" }, field("low", "from"), field("high", "to")),
    element("p", { class: "note" }, `All: ${number(entry.low ?? 0)} to ${number(entry.high ?? 0)}`)];
}

function valueFields(
  { values, entry }: Categories, filter: Extract<Filter, { values: unknown }>,
  replace: (filter: Filter) => void, place: number,
): HTMLElement[] {
  const chips = filter.values.map((value) => element("button", {
    class: "chip", "aria-label": `Leave out ${value ?? "no value"}`,
    onclick: () => replace({ ...filter, values: filter.values.filter((kept) => kept !== value) }),
  }, data(value ?? "no value"), " ×"));
  const input = element("input", {
    list: `values-${place}`, placeholder: "choose values", "aria-label": `Value of ${entry.title} to let through`,
    onchange: () => {
      if (values.includes(input.value)) replace({ ...filter, values: [...filter.values, input.value] });
    },
  });
  const others = values.filter((value) => value !== null && !filter.values.includes(value));
  const suggestions = element("datalist", { id: `values-${place}` },
    ...others.slice(0, SUGGESTED).map((value) => element("option", { value })));
  return [element("div", { class: "chips" }, ...chips), input, suggestions,
    ...(chips.length === 0 ? [element("p", { class: "note" }, "Without a value all are shown.")] : [])];
}

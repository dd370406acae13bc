/** Columns that are made of selections. */

import { isTooLong } from "../address";
import { Failure } from "../data/failure";
import { madeId, type Made } from "../data/made";
import { data, download, element, fill, section } from "../dom";
import type { Explorer } from "../explorer";
import { quoted } from "../reviews";
import { count } from "../words";

/** A field and a button that make a column of what is selected. */
export function columnMaker(explorer: Explorer, selected: Uint32Array): HTMLElement {
  const { state } = explorer;
  const name = element("input", { type: "text", placeholder: "name", "aria-label": "Name of the column", maxlength: 80 });
  const make = (): void => {
    const called = name.value.trim() || `selection ${state.now.made.length + 1}`;
    if (!explorer.makeColumn({ name: called, rows: selected })) explorer.fail(notKept());
    state.set({ color: madeId(called), hidden: [], only: null });
    name.value = "";
  };
  return element("form", { class: "row fields-row", onsubmit: (event: SubmitEvent) => {
    event.preventDefault();
    make();
  } }, name, element("button", { type: "submit" }, "Make a column"));
}

/** All columns that were made: each colours and filters; here they are selected, kept and removed. */
export function madeColumns(explorer: Explorer): HTMLElement {
  const { state } = explorer;
  const list = element("ul");
  const save = element("button", { class: "link", onclick: () =>
    void saveColumns(explorer).catch((error: unknown) => explorer.fail(error)) }, "Export as CSV");
  const long = element("p", { class: "note" }, "Columns of so many samples are not kept in the page's link: export them.");
  const host = section("Your columns", list, save, long);
  host.classList.add("made");
  state.watch(["made"], ({ made }) => {
    host.hidden = made.length === 0;
    long.hidden = !made.some(({ rows }) => isTooLong(rows));
    fill(list, ...made.map((one) => line(explorer, one)));
  });
  return host;
}

function line(explorer: Explorer, { name, rows }: Made): HTMLElement {
  return element("li", {},
    element("button", { class: "value", title: "Colour by it and select its samples", onclick: () => {
      explorer.state.set({ color: madeId(name), hidden: [], only: null });
      explorer.select(rows);
    } }, data(name, { class: "name" }), element("span", { class: "number" }, count(rows.length))),
    element("button", { class: "away", "aria-label": `Remove the column ${name}`, onclick: () => explorer.removeColumn(name) }, "×"));
}

/** Every sample that is in one of the columns, with what each says of it: a table to join as `annotations`. */
async function saveColumns({ site, state }: Explorer): Promise<void> {
  const { made } = state.now;
  const rows = Uint32Array.from(new Set(made.flatMap((one) => Array.from(one.rows)))).sort();
  const inside = made.map((one) => new Set(one.rows));
  const ids = await site.ids(rows);
  const lines = [
    ["id", ...made.map(({ name }) => name)],
    ...ids.map((id, i) => [id, ...inside.map((set) => (set.has(rows[i]!) ? "yes" : "no"))]),
  ];
  const text = lines.map((fields) => `${fields.map(quoted).join(",")}\r\n`).join("");
  download("columns.csv", new Blob([text], { type: "text/csv;charset=utf-8" }));
}

function notKept(): Failure {
  return new Failure("The column is lost when this page is closed.", "This browser keeps nothing for it.", "Export it as CSV.");
}

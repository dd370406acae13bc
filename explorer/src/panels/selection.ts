/** What the selected samples have in common, how they look, and their ids to keep. */

import { breakable, data, download, element, fill, section } from "../dom";
import { fullName } from "../embeddings";
import type { Explorer } from "../explorer";
import type { Categories } from "../data/site";
import { quoted } from "../reviews";
import { NONE } from "../state";
import { enrichment, type Enriched } from "../statistics/enrichment";
import { compactness } from "../statistics/compactness";
import { count, counted, number, percent, pValue } from "../words";
import { isTooLong } from "../address";
import { sampleTile } from "./detail";
import { readColumns } from "./columns";
import { columnMaker } from "./made";
import { failureText } from "./notice";
import { shortened } from "./card";

const SHEET = 24;
const TABLE = 8;
const MOST_ROWS = 200;
/** Of a value whose adjusted p is not below, the selection has no more than chance would give it. */
const LEVEL = 0.05;
const MOST_VALUES = 5_000;
/** Values of fewer selected samples come last: so few say little. */
const FEW = 3;

export function selection(explorer: Explorer): HTMLElement {
  const host = element("section", { class: "selection", "aria-label": "Selection", hidden: true });
  explorer.state.watch(["selected"], ({ selected }) => {
    host.hidden = selected.length === 0;
    if (selected.length === 0) return fill(host);
    show(host, explorer, selected).catch((error: unknown) => explorer.fail(error));
  });
  explorer.state.watch(["row", "trail"], ({ row, trail }) => {
    host.querySelector(".to-sample")?.toggleAttribute("hidden", row !== null || trail.length === 0);
  });
  return host;
}

async function show(host: HTMLElement, explorer: Explorer, selected: Uint32Array): Promise<void> {
  const { site, state } = explorer;
  const [enriched, missing] = await enrichedValues(explorer, selected);
  if (state.now.selected !== selected) return;
  const back = element("button", {
    class: "to-sample", onclick: () => explorer.back(), title: "Previous sample (Backspace)",
    hidden: state.now.row !== null || state.now.trail.length === 0,
  }, "← Sample");
  const save = (kind: "csv" | "json") => () => {
    saveIds(explorer, selected, kind).catch((error: unknown) => explorer.fail(error));
  };
  fill(
    host,
    element(
      "div", { class: "row" },
      element("h2", {}, `${counted(selected.length, "sample")} selected`),
      element("span", { class: "spring" }),
      back,
      element("button", { onclick: () => state.set({ selected: NONE }), "aria-label": "Clear the selection", title: "Esc" }, "×"),
    ),
    isTooLong(selected) && element("p", { class: "note" }, "So many are not kept in the page's link: export their ids."),
    enrichmentTable(enriched, missing, selected.length, site.count),
    sheet(explorer, selected),
    inOtherEmbeddings(explorer, selected),
    element("div", { class: "row wraps" },
      element("button", { onclick: () => explorer.step(1), "aria-keyshortcuts": "N", title: "One after another (N)" }, "Review these"),
      element("button", { onclick: save("csv") }, "Export CSV"),
      element("button", { onclick: save("json") }, "Export JSON")),
    columnMaker(explorer, selected),
  );
}

async function enrichedValues({ site }: Explorer, selected: Uint32Array): Promise<[Enriched[], HTMLElement | null]> {
  const entries = [...site.entries("sample"), ...site.entries("annotation")].filter((entry) =>
    entry.kind === "category" && entry.values <= MOST_VALUES);
  const { columns, missing } = await readColumns(site, entries.map(({ id }) => id));
  const found = enrichment(
    (columns as Categories[]).map(({ entry, values, indices }) => ({ title: entry.title, values, indices })),
    selected, site.count,
  );
  return [found, missing];
}

/** What is more frequent than chance would have it; the rest is folded. */
function enrichmentTable(found: readonly Enriched[], missing: HTMLElement | null, selected: number, all: number): HTMLElement {
  const ordered = [...found.filter(({ seen }) => seen >= FEW), ...found.filter(({ seen }) => seen < FEW)];
  const frequent = ordered.filter(({ p }) => p < LEVEL);
  const others = ordered.filter(({ p }) => p >= LEVEL);
  const body = element("tbody");
  let limit = TABLE;
  const more = element("button", { class: "link", onclick: () => {
    limit = limit === TABLE ? MOST_ROWS : TABLE;
    refresh();
  } });
  const refresh = (): void => {
    fill(body, ...frequent.slice(0, limit).map(enrichedRow));
    more.hidden = frequent.length <= TABLE;
    more.textContent = limit === TABLE ? `${count(Math.min(frequent.length, MOST_ROWS) - TABLE)} more` : "Fewer";
  };
  refresh();
  return section(
    "What is frequent here",
    frequent.length > 0
      ? enrichedTable(body)
      : element("p", {}, "Nothing differs beyond chance: no value is more frequent here than among as many samples drawn at random."),
    more,
    others.length > 0 && element("details", { class: "note" },
      element("summary", {}, `${counted(others.length, frequent.length > 0 ? "other value" : "value")}, not beyond chance`),
      enrichedTable(element("tbody", {}, ...others.slice(0, MOST_ROWS).map(enrichedRow)))),
    missing,
    element("details", { class: "note" }, element("summary", {}, "How is this computed?"),
      `Expected: as many as ${count(selected)} of ${count(all)} samples drawn at random would have. ` +
      `p: of at least as many (hypergeometric), adjusted over all values by Benjamini and Hochberg; ` +
      `beyond chance: p below ${LEVEL}. ` +
      `p-values are optimistic if you chose the group by how it looks on the map. ` +
      `Values of fewer than ${FEW} selected samples come last.`),
  );
}

function enrichedTable(body: HTMLElement): HTMLElement {
  return element(
    "table", {},
    element("thead", {}, element("tr", {}, ...["value", "here", "expected", "p"].map((title, i) =>
      element("th", { class: i > 0 ? "number" : null, scope: "col" }, title)))),
    body,
  );
}

function enrichedRow({ column, value, seen, expected, p }: Enriched): HTMLElement {
  return element(
    "tr", {},
    element("td", {}, breakable(shortened(value ?? "", 80)), element("span", { class: "of" }, data(column))),
    element("td", { class: "number" }, count(seen)),
    element("td", { class: "number" }, number(expected)),
    element("td", { class: "number" }, pValue(p)),
  );
}

/** Whether the selected lie together in other embeddings too, asked on demand. */
function inOtherEmbeddings(explorer: Explorer, selected: Uint32Array): HTMLElement | null {
  const { site } = explorer;
  const methods = site.manifest.methods.filter(({ neighbors }) => neighbors !== null);
  if (methods.length < 2 || selected.length < 2) return null;
  const body = element("tbody");
  const host = section("Do they stay together in other embeddings?");
  const ask = element("button", { onclick: () => void answer().catch((error: unknown) => explorer.fail(error)) },
    "Ask all embeddings");
  const answer = async (): Promise<void> => {
    ask.disabled = true;
    const found = await compactness(site, selected);
    fill(body, ...found.map(({ method, inside, failure }) => element(
      "tr", {},
      element("td", {}, data(fullName(method)), method.maps.length === 0 && element("span", { class: "of" }, "has no map here"),
        failure !== null && failureText(failure)),
      element("td", { class: "number" }, Number.isNaN(inside) ? "–" : percent(inside)))));
    ask.replaceWith(
      element("p", { class: "note" },
        `Of the nearest neighbors of ${found[0]!.asked < selected.length ? `${count(found[0]!.asked)} of the selected` : "the selected"} ` +
        `in each embedding, the share that is selected too. Expected of a draw at random: ${percent((selected.length - 1) / (site.count - 1))}.`),
      element("table", {}, body),
    );
  };
  host.append(ask);
  return host;
}

function sheet(explorer: Explorer, selected: Uint32Array): HTMLElement {
  let shown = 0;
  const pictured = explorer.site.manifest.thumbnails !== null;
  const tiles = element("div", { class: pictured ? "tiles" : "tiles texts" });
  const more = element("button", { class: "link", onclick: () => void add() });
  const add = async (): Promise<void> => {
    const rows = Array.from(selected.subarray(shown, shown + SHEET));
    shown += rows.length;
    const { site } = explorer;
    const made = await Promise.all(rows.map(async (row) => {
      const [picture, sample] = await Promise.all([explorer.orNull(site.thumbnail(row)), site.sample(row)]);
      const title = shortened([sample.id, sample.text].filter(Boolean).join("\n"), 300);
      return sampleTile(explorer, row, picture, shortened(sample.text ?? sample.id, 90), { below: null, title, outlined: false });
    }));
    tiles.append(...made);
    more.hidden = shown >= selected.length;
    more.textContent = `${count(selected.length - shown)} more`;
  };
  add().catch((error: unknown) => explorer.fail(error));
  return section("How they look", tiles, more);
}

async function saveIds({ site }: Explorer, rows: Uint32Array, kind: "csv" | "json"): Promise<void> {
  const ids = await site.ids(rows);
  const text = kind === "json"
    ? JSON.stringify({ run: site.manifest.run, key: site.manifest.key, ids }, null, 1)
    : `row,id\r\n${ids.map((id, i) => `${rows[i]},${quoted(id)}\r\n`).join("")}`;
  const type = kind === "json" ? "application/json" : "text/csv;charset=utf-8";
  download(`selection.${kind}`, new Blob([text], { type }));
}

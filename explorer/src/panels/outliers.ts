/** Outliers by several rules: how odd a sample has to be, by which rules, and by how many of them. */

import { element, fill } from "../dom";
import type { Explorer } from "../explorer";
import type { Categories } from "../data/site";
import { columnOf, OWN, toggled, type Flags } from "../state";
import { countsOfFlags, flagsOf, type Rule } from "../statistics/flags";
import { MOST_RINGED } from "../view/rings";
import { count, counted } from "../words";
import { readColumns } from "./columns";

interface Odd {
  role: string;
  title: string;
  high: boolean;
}

const ODD: readonly Odd[] = [
  { role: "density", title: "rare", high: false },
  { role: "centroid_distance", title: "far from its label", high: true },
  { role: "prototype_distance", title: "far from all centres of its label", high: true },
  { role: "prototype_margin", title: "nearer to another label", high: false },
  { role: "neighbor_disagreement", title: "neighbors of other labels", high: true },
];
const SHARES = { least: 0.001, most: 0.2, first: 0.05 };

export function outliers(explorer: Explorer): HTMLElement {
  const { site, state, found } = explorer;
  const rules = element("div", { class: "rules" });
  const counts = element("ul");
  const note = element("div", { class: "note" });
  const output = element("output");
  const slider = element("input", {
    type: "range", min: 0, max: 100, "aria-label": "Share of samples that each rule flags", id: "odd",
    oninput: () => change({ share: SHARES.least * (SHARES.most / SHARES.least) ** (Number(slider.value) / 100) }),
  });
  const labels = site.entry("label");
  const among = element("select", {
    id: "among", "aria-label": "Among which samples the oddest are flagged",
    onchange: () => change({ byLabel: among.value === "label" }),
  }, element("option", { value: "all" }, "of all samples"), element("option", { value: "label" }, "of each label"));
  among.hidden = labels === undefined;
  const host = element("details", { class: "outliers" }, element("summary", {}, "Outliers by several rules"),
    element("div", { class: "slider" }, slider, output), among, rules, counts, note);
  const here = (): Odd[] => ODD.filter(({ role }) => columnOf(site, state.now.map, `${OWN}${role}`) !== undefined);
  const change = (next: Partial<Flags>): void => {
    const before = state.now.flags ?? { share: SHARES.first, rules: here().map(({ role }) => role), byLabel: false };
    state.set({ flags: { ...before, ...next } });
  };
  host.addEventListener("toggle", () => {
    if (host.open !== (state.now.flags !== null)) host.open ? change({}) : state.set({ flags: null });
  });

  let asked = 0;
  const refresh = async (): Promise<void> => {
    const turn = ++asked;
    const known = here();
    const { flags, map } = state.now;
    host.hidden = known.length === 0;
    host.open = flags !== null;
    if (flags === null || host.hidden) return found.set({ flags: null });
    slider.value = String((100 * Math.log(flags.share / SHARES.least)) / Math.log(SHARES.most / SHARES.least));
    output.textContent = `${Number((100 * flags.share).toPrecision(2))}\u00a0%`;
    slider.setAttribute("aria-valuetext", output.textContent);
    const focused = document.activeElement?.id;
    fill(rules, ...known.map(({ role, title }) => element("label", { class: "rule" }, element("input", {
      type: "checkbox", id: `rule-${role}`, checked: flags.rules.includes(role),
      onchange: () => change({ rules: toggled(flags.rules, role) }),
    }), ` ${title}`)));
    if (focused?.startsWith("rule-")) document.getElementById(focused)?.focus();
    const used = known.filter(({ role }) => flags.rules.includes(role));
    const high = new Map(used.map((rule) => [columnOf(site, map, `${OWN}${rule.role}`)!, rule.high]));
    const byLabel = flags.byLabel && labels !== undefined;
    const [{ columns, missing }, column] = await Promise.all([
      readColumns(site, [...high.keys()]), byLabel ? site.column(labels.id) : null,
    ]);
    if (turn !== asked) return;
    among.value = byLabel ? "label" : "all";
    const asRules = columns.flatMap((one): Rule[] => (one.kind === "number" ? [{ column: one, high: high.get(one.entry.id)! }] : []));
    const flagged = flagsOf(asRules, flags.share, site.count, column as Categories | null);
    found.set({ flags: flagged });
    const numbers = countsOfFlags(flagged, asRules.length);
    fill(counts, ...numbers.map((samples, i) => line(explorer, flagged, i + 1, samples)));
    fill(note, `Each rule flags the oddest ${output.textContent} ${byLabel ? "of the samples of each label" : "of all samples, whatever their label,"} ` +
      "in this embedding; a sample has a ring for each rule that flags it." +
      ((numbers[0] ?? 0) > MOST_RINGED ? ` So many are not told apart: only the ${count(MOST_RINGED)} with most flags have rings.` : ""), missing);
  };
  const follow = (): void => void refresh().catch((error: unknown) => explorer.fail(error));
  state.watch(["flags", "map"], follow);
  return host;
}

/** Samples with at least so many flags, to select. */
function line(explorer: Explorer, flags: Uint8Array, least: number, samples: number): HTMLElement {
  const name = least === 1 ? "any rule" : `${least} rules or more`;
  return element("li", {}, element("button", {
    class: "value", disabled: samples === 0, title: `Select ${counted(samples, "sample")}`, onclick: () => {
      const rows: number[] = [];
      flags.forEach((flag, row) => {
        if (flag >= least) rows.push(row);
      });
      explorer.select(Uint32Array.from(rows));
    },
  }, element("span", { class: "name" }, name), element("span", { class: "number" }, count(samples))));
}

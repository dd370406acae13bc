/** Why the open sample and one of its neighbors are near: channel by channel and position by position. */

import { Failure, RERUN } from "../data/failure";
import { fetchLatent, latentsOf } from "../data/latents";
import type { Latents, Method } from "../data/manifest";
import { Recent } from "../data/recent";
import type { Neighbor, Sample, Site } from "../data/site";
import { element, fill } from "../dom";
import type { Explorer } from "../explorer";
import type { Why } from "../state";
import { accountOf, isKnown, nearerThan, overPositions, type Account } from "../statistics/why";
import { counted, number, percent } from "../words";
import { labelOf } from "./detail";
import { failureText } from "./notice";
import { heated, strongest, type HeatColors } from "./heat";

/** Samples that stand for chance: their latents are fetched one by one. */
const OTHERS = 32;
const BARS = 8;
/** Share of a squared distance by which sums may differ from it, which is stored in fewer digits. */
const ROUNDING = 0.01;

const ORANGE = [230, 97, 1] as const;
const BLUE = [33, 102, 220] as const;
const COLORS: Record<Why["view"], HeatColors> = {
  apart: { above: ORANGE, below: BLUE },
  near: { above: BLUE, below: ORANGE },
};

/** Asks for one neighbor, and shows the answer. */
export function why(explorer: Explorer): HTMLElement {
  const { state, found, site } = explorer;
  const latents = new Latest(site);
  const answer = element("div", { class: "answer" });
  const picker = element("select", {
    id: "why", "aria-label": "Why is this neighbor near?", onchange: () =>
      state.set({ why: picker.value === "" ? null : { neighbor: Number(picker.value), view: state.now.why?.view ?? "near", channel: null } }),
  });
  const host = element("div", { class: "why" }, picker, answer);
  let asked = 0;
  const refresh = async (): Promise<void> => {
    const turn = ++asked;
    const { sample, neighbors } = found.now;
    host.hidden = sample === null || neighbors === null || neighbors.length === 0;
    if (sample === null || neighbors === null || host.hidden) return;
    const method = site.method(site.map(state.now.map)?.method ?? "")!;
    const refusal = refused(explorer, method);
    picker.hidden = refusal !== null;
    // What there is to see stands above the neighbors, that there is nothing below them.
    host.classList.toggle("refused", refusal !== null);
    if (refusal !== null) return fill(answer, element("p", { class: "note" }, `Why neighbors? ${refusal}`));
    const names = await Promise.all(neighbors.map((one) => nameOf(explorer, one)));
    const chosen = state.now.why;
    const neighbor = neighbors.find(({ row }) => row === chosen?.neighbor);
    if (turn !== asked) return;
    fill(
      picker, element("option", { value: "" }, "Why is one of these near? Choose …"),
      ...neighbors.map(({ row }, i) => element("option", { value: row, selected: row === neighbor?.row }, `${i + 1}: ${names[i]}`)),
    );
    if (chosen === null || neighbor === undefined) return fill(answer);
    try {
      const shown = await answered(explorer, latents, method, sample, neighbor, chosen);
      if (turn === asked) fill(answer, ...shown);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (turn === asked) fill(answer, failureText(error));
    }
  };
  const follow = (): void => void refresh().catch((error: unknown) => explorer.fail(error));
  found.watch(["sample", "neighbors"], follow);
  state.watch(["why"], follow);
  return host;
}

/** Why there is no account of a method's distances; null if there is one. */
function refused({ site }: Explorer, method: Method): string | null {
  const name = `‘${method.method}’`;
  if (site.isInOneFile) return `This page has no latents. Open the explorer of the run: latentmap view results/${site.manifest.run}`;
  if (latentsOf(site.manifest, method) === undefined) {
    return `${method.encoder} gives vectors, not feature maps: their numbers have no place in the sample.`;
  }
  if (method.neighbors?.metric === "cosine") return "Cosine distances are not sums over channels: they have no such account.";
  if (method.account === null) return `Distances of ${name} are not sums over channels and positions: they have no such account.`;
  return isKnown(method.account) ? null : `This page does not know what positions add to ${name} (${method.account.join(", ")}).`;
}

async function nameOf(explorer: Explorer, { row, distance }: Neighbor): Promise<string> {
  const label = (await labelOf(explorer, row)) ?? (await explorer.site.sample(row)).id;
  return `${label}, distance ${number(distance)}`;
}

async function answered(
  explorer: Explorer, latents: Latest, method: Method, sample: Sample, { row, distance }: Neighbor, chosen: Why,
): Promise<HTMLElement[]> {
  const { site, state } = explorer;
  const where = latentsOf(site.manifest, method)!;
  const statistics = method.account!;
  const own = await latents.of(where, sample.row);
  const boxes = fractions(sample);
  const against = async (other: number): Promise<Account> => {
    const [latent, one] = await Promise.all([latents.of(where, other), site.sample(other)]);
    return accountOf(own, latent, where.shape, statistics, [boxes, fractions(one)]);
  };
  const apart = await against(row);
  const squared = distance ** 2;
  if (Math.abs(apart.total - squared) > ROUNDING * squared + 1e-9) throw notTheirs(where, apart.total, squared);
  let account = apart;
  let others: Account[] = [];
  if (chosen.view === "near") {
    others = await Promise.all(evenly(site.count, OTHERS).filter((one) => one !== sample.row && one !== row).map(against));
    account = nearerThan(others, apart);
  }
  const channel = chosen.channel !== null && chosen.channel < where.shape[0] ? chosen.channel : null;
  const change = (next: Partial<Why>): void => state.set({ why: { ...chosen, ...next } });
  return [
    element("div", { class: "joined", role: "group", "aria-label": "What is shown" },
      viewButton("Why so near", "near", chosen, change),
      viewButton("What differs", "apart", chosen, change)),
    element("p", { class: "note" }, sumSaid(apart, others, distance, where)),
    await pictures(explorer, sample.row, row, account, channel, where, COLORS[chosen.view]),
    bars(account, channel, COLORS[chosen.view], (next) => change({ channel: next })),
    ...(account.elsewhere !== 0 ? [element("p", { class: "note" },
      `Of all, ${percent(account.elsewhere / account.total)} is where the boxes lie and how large they are.`)] : []),
    ...(statistics.length > 1 && account.total !== 0 ? [element("p", { class: "note" }, `Of all, ${statistics
      .map((name, i) => `${name.replaceAll("_", " ")} ${percent(account.byStatistic[i]! / account.total)}`).join(", ")}.`)] : []),
  ];
}

/** Boxes as fractions of width and height. */
function fractions({ boxes, size }: Sample): number[][] {
  if (size === null) return [];
  return boxes.map((box) => box.map((side, i) => side / (i % 2 === 0 ? size.width : size.height)));
}

function sumSaid(apart: Account, others: readonly Account[], distance: number, { shape: [channels, height, width] }: Latents): string {
  const where = `${counted(channels, "channel")} of ${height} × ${width} positions${apart.elsewhere > 0 ? " and the boxes' places" : ""}`;
  if (others.length === 0) {
    return `${number(distance)}² = ${number(apart.total)} is the sum over ${where}. Orange adds, blue takes away: there they differ the other way than the whole channel.`;
  }
  const mean = others.reduce((sum, one) => sum + one.total, 0) / others.length;
  return `To ${others.length} samples from all over the run the mean squared distance is ${number(mean)}, ` +
    `to this one ${number(apart.total)}. What makes it less by ${number(mean - apart.total)}, summed over ${where}: blue makes them nearer, orange less near.`;
}

function viewButton(title: string, view: Why["view"], chosen: Why, change: (next: Partial<Why>) => void): HTMLElement {
  return element("button", { "aria-pressed": String(chosen.view === view), onclick: () => change({ view }) }, title);
}

async function pictures(
  { site }: Explorer, sample: number, neighbor: number, account: Account, channel: number | null,
  { shape: [, height, width] }: Latents, colors: HeatColors,
): Promise<HTMLElement> {
  const values = overPositions(account, channel);
  const heat = { values, height, width, total: account.total };
  const said = element("p", { class: "note" }, strongest(heat));
  const tell = (text: string | null): void => {
    said.textContent = text ?? strongest(heat);
  };
  const shown = await Promise.all([[sample, "this sample"], [neighbor, "neighbor"]].map(async ([row, name]) => {
    const { picture } = await site.sample(row as number);
    const source = picture ?? (await site.thumbnail(row as number));
    return element("figure", {}, heated(source, name as string, heat, colors, tell), element("figcaption", {}, name as string));
  }));
  return element("div", {}, element("div", { class: "pair" }, ...shown), said);
}

/** What each channel adds, most first; a press shows where in the picture one does. */
function bars(
  { byChannel, total }: Account, chosen: number | null, colors: HeatColors, choose: (channel: number | null) => void,
): HTMLElement {
  const order = Array.from(byChannel.keys()).sort((a, b) => Math.abs(byChannel[b]!) - Math.abs(byChannel[a]!));
  const most = Math.abs(byChannel[order[0]!]!) || 1;
  const list = element("ul", { class: "bars" });
  const line = (channel: number): HTMLElement => {
    const value = byChannel[channel]!;
    const bar = element("span", { class: "bar" });
    bar.style.width = `${(100 * Math.abs(value)) / most}%`;
    bar.style.background = `rgb(${(value > 0 ? colors.above : colors.below).join(" ")})`;
    return element("li", {}, element("button", {
      "aria-pressed": String(channel === chosen), title: "Only where this channel differs",
      onclick: () => choose(channel === chosen ? null : channel),
    }, element("span", { class: "name" }, `channel ${channel}`), element("span", { class: "track" }, bar),
      element("span", { class: "number" }, total > 0 ? percent(value / total) : number(value))));
  };
  fill(list, ...order.slice(0, BARS).map(line));
  const rest = order.length - BARS;
  const more = element("button", { class: "link", hidden: rest <= 0, onclick: () => {
    fill(list, ...order.map(line));
    more.hidden = true;
  } }, `${rest} more channels`);
  return element("div", {}, list, more);
}

function notTheirs({ files }: Latents, sum: number, squared: number): Failure {
  return new Failure(
    `The latents in ${files[0]!.replace(/[^/]*$/, "")} are not those of this embedding.`,
    `They differ by ${number(sum)}, not by ${number(squared)}: one of both is older.`,
    RERUN,
  );
}

/** Keeps the latents last read, with those of the samples that stand for chance. */
class Latest {
  readonly #kept = new Recent<Promise<Float32Array>>(3 * OTHERS);

  constructor(readonly site: Site) {}

  of(where: Latents, row: number): Promise<Float32Array> {
    const key = `${where.encoder}/${where.variant} ${row}`;
    const found = this.#kept.get(key, () => fetchLatent(where, row));
    found.catch(() => this.#kept.delete(key));
    return found;
  }
}

function evenly(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.floor(((i + 0.5) * count) / most));
}

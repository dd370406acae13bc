/** The page: its panels around the map. */

import { writeAddress } from "./address";
import { element, fill } from "./dom";
import type { Explorer } from "./explorer";
import { Hands } from "./hands";
import { frames } from "./panels/beside";
import { card } from "./panels/card";
import { controls } from "./panels/controls";
import { detail } from "./panels/detail";
import { helpDialog, isTouched } from "./panels/help";
import { gallery } from "./panels/gallery";
import { firstHint } from "./panels/hint";
import { notice } from "./panels/notice";
import { selection } from "./panels/selection";
import { statusBar } from "./panels/status";
import { toolbar } from "./panels/toolbar";
import { tools } from "./panels/tools";

export function layOut(host: HTMLElement, explorer: Explorer): void {
  const { found, stage, site } = explorer;
  document.title = `${site.manifest.run} — latentmap explorer`;
  const hover = card(explorer);
  const help = helpDialog();
  const hands = new Hands(explorer, hover, help);
  const notices = notice(() => found.set({ failure: null }));
  found.watch(["failure"], ({ failure }) => notices.show(failure));
  fill(
    host,
    toolbar(explorer, () => help.showModal()),
    element(
      "main", {},
      controls(explorer),
      element("div", { class: "middle" }, stage.host, frames(explorer), tools(explorer, () => hands.fit()), gallery(explorer), notices.host),
      aside(explorer),
    ),
    statusBar(explorer),
    help,
  );
  const hint = firstHint(isTouched()
    ? "Tap a sample to see it and its neighbors. Drag to move, pinch to zoom, ? for help."
    : "Point at a sample to see it, click it for its neighbors, press ? for all keys.");
  if (hint !== null) stage.host.after(hint);
  stage.host.append(hover.host);
  rememberAddress(explorer);
}

/** Sample and selection beside the map; without any, wide pages say how to get there. */
function aside(explorer: Explorer): HTMLElement {
  const empty = element(
    "section", { class: "empty" },
    element("p", {}, `${isTouched() ? "Tap" : "Click"} a sample to see all its details, and its nearest neighbors in the embedding.`),
    element("p", {}, "Draw around samples with the lasso to see what is frequent among them."),
  );
  const host = element("aside", { class: "aside", "aria-label": "Sample and selection" },
    detail(explorer), selection(explorer), empty);
  explorer.state.watch(["selected", "row"], () => host.scrollTo(0, 0));
  explorer.state.watch(["row", "selected"], ({ row, selected }) => {
    empty.hidden = row !== null || selected.length > 0;
  });
  return host;
}

function rememberAddress({ state, site }: Explorer): void {
  let timer = 0;
  state.watch(Object.keys(state.now) as (keyof typeof state.now)[], () => {
    clearTimeout(timer);
    // A page inside a page of a notebook (about:srcdoc) has no address of its own.
    if (location.protocol === "about:") return;
    timer = setTimeout(() => history.replaceState(null, "", `#${writeAddress(state.now, site)}`), 250);
  });
  // Whoever pastes another address into the same page means that view.
  addEventListener("hashchange", () => location.reload());
}

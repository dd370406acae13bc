/** Tools at the edge of the map: move, lasso, rectangle, fit. */

import { element } from "../dom";
import type { Explorer } from "../explorer";
import type { Tool } from "../state";

const TOOLS: [Tool, string, string, string][] = [
  ["move", "✥", "Move the map", "V"],
  ["lasso", "◌", "Select by lasso (Shift adds, Alt removes)", "L"],
  ["rectangle", "▭", "Select by rectangle (Shift adds, Alt removes)", "R"],
];

export function tools(explorer: Explorer, fit: () => void): HTMLElement {
  const { state, site } = explorer;
  const buttons = TOOLS.map(([tool, icon, label, key]) => element("button", {
    "aria-label": label, title: `${label} (${key})`, "aria-keyshortcuts": key,
    onclick: () => state.set({ tool }),
  }, icon));
  const through = element("input", {
    type: "checkbox", id: "through", onchange: () => state.set({ through: through.checked }),
  });
  const depth = element("label", { class: "through" }, through, " also what lies behind");
  state.watch(["tool", "map", "through"], (now) => {
    TOOLS.forEach(([tool], i) => buttons[i]!.setAttribute("aria-pressed", String(tool === now.tool)));
    through.checked = now.through;
    depth.hidden = site.map(now.map)?.dims !== 3 || now.tool === "move";
    explorer.stage.host.dataset["tool"] = now.tool;
  });
  const fitting = element("button", {
    "aria-label": "Show the whole map", title: "Show the whole map (F)", "aria-keyshortcuts": "F", onclick: fit,
  }, "⤢");
  return element("div", { class: "tools", role: "toolbar", "aria-label": "Tools" }, ...buttons, fitting, depth);
}

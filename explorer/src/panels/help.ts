/** What hands and keys do. */

import { element } from "../dom";

const KEYS: [string, string][] = [
  ["Drag", "move the map; in 3D turn it (with the right button or Shift: move it)"],
  ["Wheel, + and −", "zoom"],
  ["Arrows", "move; in 3D turn"],
  ["Click, or Enter for the middle of the map", "open a sample"],
  ["Backspace", "back to the sample before"],
  ["M", "mark the open sample for review"],
  ["[ and ]", "previous and next embedding, best first"],
  ["2 and 3", "in two and in three dimensions"],
  ["V, L, R", "move, lasso, rectangle; Shift adds to the selection, Alt takes away"],
  ["F", "show the whole map"],
  ["/", "search ids, texts and labels"],
  ["Esc", "close the sample, then clear selection and search"],
  ["?", "this help"],
];

export function helpDialog(): HTMLDialogElement {
  const dialog = element(
    "dialog", { class: "help", "aria-label": "Help" },
    element("h2", {}, "Hands and keys"),
    element("dl", {}, ...KEYS.flatMap(([keys, what]) => [element("dt", {}, keys), element("dd", {}, what)])),
    element("button", { onclick: () => dialog.close() }, "Close"),
  );
  return dialog;
}

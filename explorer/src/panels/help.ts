/** What mouse, fingers and keys do. */

import { element } from "../dom";

type Lines = [string, string][];

const FINGERS: Lines = [
  ["Tap", "open a sample"],
  ["Drag", "move the map; in 3D turn it"],
  ["Pinch", "zoom; two fingers also move the map"],
  ["1, 2, 4, All", "so many maps beside one another"],
  ["◌ and ▭", "select: draw around samples"],
];

const MOUSE: Lines = [
  ["Drag", "move the map; in 3D turn it (with the right button or Shift: move it)"],
  ["Wheel, + and −", "zoom"],
  ["Click, or Enter for the middle of the map", "open a sample"],
];

const KEYS: Lines = [
  ["Arrows", "move; in 3D turn"],
  ["Backspace", "previous sample"],
  ["N and P", "next and previous sample of the selection"],
  ["M", "mark the open sample for review"],
  ["[ and ]", "previous and next embedding: encoders best first, then baselines"],
  ["2 and 3", "in two and in three dimensions"],
  ["S", "one map, two and four beside one another, seen from the same side"],
  ["A", "all embeddings of the encoder, small; click one to show it"],
  ["V, L, R", "move, lasso, rectangle; Shift adds to the selection, Alt removes"],
  ["F", "show the whole map"],
  ["/", "search ids, texts and labels"],
  ["Esc", "close the sample, then clear selection and search"],
  ["?", "this help"],
];

/** Whether the page is used with fingers. */
export function isTouched(): boolean {
  return matchMedia("(pointer: coarse)").matches;
}

export function helpDialog(): HTMLDialogElement {
  const lines = isTouched() ? FINGERS : [...MOUSE, ...KEYS];
  const dialog = element(
    "dialog", { class: "help", "aria-label": "Help" },
    element("h2", {}, isTouched() ? "Touch" : "Mouse and keyboard"),
    element("dl", {}, ...lines.flatMap(([keys, what]) => [element("dt", {}, keys), element("dd", {}, what)])),
    element("button", { onclick: () => dialog.close() }, "Close"),
  );
  return dialog;
}

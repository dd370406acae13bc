/** What to try first. */

import { element } from "../dom";

const KEY = "latentmap explorer hint";

/** A line for whoever has not been here, until the first touch; null for all others. */
export function firstHint(text: string): HTMLElement | null {
  try {
    if (localStorage.getItem(KEY) !== null) return null;
    localStorage.setItem(KEY, "seen");
  } catch {
    return null;
  }
  const hint = element("p", { class: "hint", role: "note" }, text);
  addEventListener("pointerdown", () => hint.remove(), { once: true });
  addEventListener("keydown", () => hint.remove(), { once: true });
  return hint;
}

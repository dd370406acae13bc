/** What could not be shown, why, and what to do. */

import { element, data, fill } from "../dom";
import type { Failure } from "../data/failure";

export function failureText({ what, why, remedy }: Failure): HTMLElement {
  return element(
    "div", { class: "failure", role: "alert" },
    element("p", {}, element("strong", {}, data(what))), element("p", {}, data(why)), element("p", {}, data(remedy)),
  );
}

/** A notice above the page, with a button that puts it away. */
export function notice(dismiss: () => void): { host: HTMLElement; show(failure: Failure | null): void } {
  const host = element("div", { class: "notice", hidden: true });
  return {
    host,
    show(failure): void {
      host.hidden = failure === null;
      if (failure === null) fill(host);
      else fill(host, failureText(failure), element("button", { onclick: dismiss }, "Close"));
    },
  };
}

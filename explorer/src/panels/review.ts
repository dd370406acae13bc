/** Notes on samples: on the open one, and all of them to export, import and select. */

import { Failure } from "../data/failure";
import type { Sample } from "../data/site";
import { download, element, section } from "../dom";
import type { Explorer } from "../explorer";
import { counted } from "../words";

/** Fields for what a reviewer notes of a sample. */
export function noteFields(explorer: Explorer, { id }: Sample): HTMLElement {
  const { reviews } = explorer;
  const note = reviews.note(id);
  const change = (what: Parameters<typeof reviews.change>[1]): void => {
    if (!reviews.change(id, what)) {
      explorer.fail(new Failure("Notes are lost when this page is closed.", "This browser keeps nothing for it.", "Export them as CSV."));
    }
  };
  const mark = element("input", {
    type: "checkbox", id: "mark", "aria-keyshortcuts": "M", checked: note?.marked ?? false,
    onchange: () => change({ marked: mark.checked }),
  });
  const tags = element("input", {
    type: "text", placeholder: "comma-separated tags", "aria-label": "Tags", value: note?.tags ?? "",
    onchange: () => change({ tags: tags.value.trim() }),
  });
  const comment = element("textarea", {
    rows: 2, placeholder: "comment", "aria-label": "Comment", onchange: () => change({ comment: comment.value.trim() }),
  }, note?.comment);
  return section("Review", element("div", { class: "fields" },
    element("label", {}, mark, " Marked (M)"), tags, comment));
}

/** All notes: how many, whose, and what can be done with them. */
export function reviewPanel(explorer: Explorer): HTMLElement {
  const { reviews } = explorer;
  const told = element("p", { role: "status" });
  const reviewer = element("input", {
    type: "text", placeholder: "your name", "aria-label": "Reviewer", value: reviews.reviewer,
    onchange: () => {
      reviews.reviewer = reviewer.value.trim();
    },
  });
  const file = element("input", { type: "file", accept: ".csv,text/csv", hidden: true, "aria-label": "CSV file of notes", onchange: () => {
    const [given] = file.files ?? [];
    if (given !== undefined) void given.text().then((text) => {
      told.textContent = `${counted(reviews.takeCsv(text), "note")} taken.`;
    }).catch((error: unknown) => explorer.fail(error));
    file.value = "";
  } });
  const save = element("button", {
    onclick: () => download("reviews.csv", new Blob([reviews.asCsv()], { type: "text/csv;charset=utf-8" })),
  }, "Export notes");
  const select = element("button", { onclick: () => {
    explorer.selectIds(reviews.ids()).catch((error: unknown) => explorer.fail(error));
  } }, "Select noted");
  reviews.watch(() => {
    told.textContent = reviews.size === 0
      ? "Open a sample to mark, tag or comment it."
      : `${counted(reviews.size, "sample")} noted in this browser.`;
    save.hidden = select.hidden = reviews.size === 0;
  });
  return section(
    "Review", told, element("div", { class: "fields" }, reviewer),
    element("div", { class: "row wraps" }, select, save, element("button", { onclick: () => file.click() }, "Import notes"), file),
  );
}

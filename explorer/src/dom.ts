/**
 * Elements without markup: whatever comes from data becomes text or a property, never HTML.
 */

type Child = Node | string | number | null | undefined | false;
type Properties = Record<string, string | number | boolean | null | undefined | ((event: never) => void)>;

/**
 * Make an element. Functions become listeners (`onclick`), `true` an empty attribute; false, null
 * and undefined leave the attribute out.
 */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag, properties: Properties = {}, ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(name, String(value));
    }
  }
  append(made, children);
  return made;
}

/** Replace what an element holds. */
export function fill(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  append(parent, children);
}

function append(parent: Element, children: Child[]): void {
  for (const child of children) {
    if (child instanceof Node) parent.append(child);
    else if (child !== null && child !== undefined && child !== false) parent.append(String(child));
  }
}

/** Text of the data: its direction is its own, and stays inside. */
export function data(text: string, properties: Properties = {}): HTMLElement {
  return element("bdi", properties, text);
}

/** Text of the data that may go on in a new line after `_`, `/` and the like. */
export function breakable(text: string): HTMLElement {
  const parts = text.split(/(?<=[_/.\-])/).flatMap((part, i) => (i === 0 ? [part] : [element("wbr"), part]));
  return element("bdi", {}, ...parts);
}

/** A heading and what it is about. */
export function section(title: string, ...children: Child[]): HTMLElement {
  return element("section", {}, element("h2", {}, title), ...children);
}

/** Offer a file to keep. */
export function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

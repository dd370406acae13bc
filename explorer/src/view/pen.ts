/** What lines are drawn with, above and below the points: a canvas, or a drawing of shapes. */
export type Pen = Pick<
  CanvasRenderingContext2D,
  | "strokeStyle" | "fillStyle" | "lineWidth" | "lineJoin" | "globalAlpha" | "font" | "textAlign" | "textBaseline"
  | "beginPath" | "moveTo" | "lineTo" | "arc" | "closePath" | "stroke" | "fillRect" | "fillText" | "strokeText"
> & { fill(rule?: CanvasFillRule): void };

const SVG = "http://www.w3.org/2000/svg";

/** What XML does not allow in a text, whatever it says. */
// eslint-disable-next-line no-control-regex
const NO_TEXT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Make an element of a drawing; texts of the data become text. */
export function shape<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag, attributes: Record<string, string | number>, ...children: (Node | string)[]
): SVGElementTagNameMap[Tag] {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, typeof value === "number" ? String(Number(value.toFixed(2))) : value);
  }
  made.append(...children.map((child) => (typeof child === "string" ? child.replace(NO_TEXT, "\ufffd") : child)));
  return made;
}

/** Puts what is drawn into a group, as shapes. */
export class ShapePen implements Pen {
  strokeStyle: Pen["strokeStyle"] = "#000000";
  fillStyle: Pen["fillStyle"] = "#000000";
  lineWidth = 1;
  lineJoin: CanvasLineJoin = "miter";
  globalAlpha = 1;
  font = "11px sans-serif";
  textAlign: CanvasTextAlign = "start";
  textBaseline: CanvasTextBaseline = "alphabetic";
  #path: string[] = [];

  constructor(readonly group: SVGGElement) {}

  beginPath(): void {
    this.#path = [];
  }

  moveTo(x: number, y: number): void {
    this.#path.push(`M${round(x)} ${round(y)}`);
  }

  lineTo(x: number, y: number): void {
    this.#path.push(`${this.#path.length === 0 ? "M" : "L"}${round(x)} ${round(y)}`);
  }

  /** Whole circles: all that is drawn here. */
  arc(x: number, y: number, radius: number): void {
    const r = round(radius);
    this.#path.push(`M${round(x + radius)} ${round(y)}a${r} ${r} 0 1 1 ${round(-2 * radius)} 0a${r} ${r} 0 1 1 ${round(2 * radius)} 0`);
  }

  closePath(): void {
    this.#path.push("Z");
  }

  stroke(): void {
    this.#add({ fill: "none", stroke: String(this.strokeStyle), "stroke-width": this.lineWidth });
  }

  fill(rule: CanvasFillRule = "nonzero"): void {
    this.#add({ fill: String(this.fillStyle), "fill-rule": rule });
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.group.append(shape("rect", { x, y, width, height, fill: String(this.fillStyle), ...this.#faded() }));
  }

  fillText(text: string, x: number, y: number): void {
    this.#write(text, x, y, { fill: String(this.fillStyle) });
  }

  strokeText(text: string, x: number, y: number): void {
    const { lineWidth, lineJoin, strokeStyle } = this;
    this.#write(text, x, y, { fill: "none", stroke: String(strokeStyle), "stroke-width": lineWidth, "stroke-linejoin": lineJoin });
  }

  #write(text: string, x: number, y: number, look: Record<string, string | number>): void {
    this.group.append(shape("text", {
      x, y, ...look, "font-size": Number.parseFloat(/(\d+(\.\d+)?)px/.exec(this.font)?.[1] ?? "11"),
      ...(this.font.startsWith("bold") && { "font-weight": "bold" }),
      ...(this.textAlign === "center" && { "text-anchor": "middle" }),
      ...(this.textBaseline === "middle" && { "dominant-baseline": "central" }),
      ...this.#faded(),
    }, text));
  }

  #faded(): { opacity?: number } {
    return this.globalAlpha < 1 ? { opacity: this.globalAlpha } : {};
  }

  #add(look: Record<string, string | number>): void {
    if (this.#path.length === 0) return;
    this.group.append(shape("path", { d: this.#path.join(""), ...look, ...this.#faded() }));
  }
}

function round(value: number): number {
  return Number(value.toFixed(2));
}

"use strict";
const unpacked = async (text) => {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(plain).json();
};

// The panel of one sample: its picture, text, columns and neighbors. Whatever comes from data is
// set as text.
const samplePanel = ({ samples, rowOf, neighborsOf, measuresOf, mark }) => {
  const MOST_SHOWN = 20000; // characters of one text before a button asks for the rest
  const LONG = 120; // characters beyond which a column has a paragraph of its own

  const made = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children.filter((child) => child != null));
    return element;
  };
  // Text of any direction and length, as it is.
  const told = (text, tag = "p") => {
    const element = made(tag, { className: "told-text", dir: "auto", textContent: text.slice(0, MOST_SHOWN) });
    if (text.length <= MOST_SHOWN) return element;
    const rest = (text.length - MOST_SHOWN).toLocaleString("en");
    const more = made("button", { type: "button", textContent: `Show ${rest} more characters` });
    more.addEventListener("click", () => {
      element.textContent = text;
      more.remove();
    });
    return made("div", {}, element, more);
  };

  // What only an opened sample needs is loaded when the first one is.
  const loading = new Map();
  const load = (name) => {
    if (!loading.has(name)) loading.set(name, start(name));
    return loading.get(name);
  };
  let known;
  const loadDetails = async () => {
    await load("details");
    known ??= window.latentmapDetails && (await unpacked(window.latentmapDetails));
  };
  const start = (name) =>
    new Promise((resolve) => {
      const waiting = document.querySelector(`script[data-later="${name}"]`);
      if (!waiting) return resolve();
      const script = made("script");
      script.nonce = waiting.nonce;
      if (waiting.src) {
        script.onload = script.onerror = () => resolve();
        script.src = waiting.src;
      } else {
        script.textContent = waiting.textContent;
      }
      document.head.append(script);
      if (!waiting.src) resolve();
    });

  const find = made("input", { type: "search", placeholder: "Find by id, label or text" });
  find.setAttribute("aria-label", "Find a sample by id, label or text; Enter goes to the next one");
  const button = (textContent, label, act) => {
    const found = made("button", { type: "button", textContent, ariaLabel: label, title: label });
    found.addEventListener("click", act);
    return found;
  };
  const body = made("div", { className: "sample-body" });
  const bar = made(
    "div",
    { className: "sample-bar" },
    find,
    button("‹", "Previous sample", () => step(-1)),
    button("›", "Next sample", () => step(1)),
    button("×", "Close", () => close()),
  );
  const panel = made("aside", { className: "sample-panel", hidden: true, tabIndex: -1 }, bar, body);
  panel.setAttribute("aria-label", "Sample");
  document.body.append(panel);
  let current = -1;
  let before = null;

  const step = (by) => show((current + by + samples.id.length) % samples.id.length);

  const close = () => {
    panel.hidden = true;
    mark(-1);
    before?.focus?.();
  };

  const matches = (i, wanted) =>
    [samples.id[i], samples.label[i], textOf(i)].some((text) => text?.toLowerCase().includes(wanted));
  const seek = () => {
    const wanted = find.value.trim().toLowerCase();
    const order = samples.id.map((_, step) => (current + 1 + step) % samples.id.length);
    const next = wanted ? order.find((i) => matches(i, wanted)) : undefined;
    find.setCustomValidity(next === undefined && wanted ? "No sample has this" : "");
    find.reportValidity();
    if (next !== undefined) show(next);
  };
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") loadDetails().then(seek);
  });
  find.addEventListener("input", () => find.setCustomValidity(""));
  document.addEventListener("keydown", (event) => {
    if (panel.hidden || event.target.closest?.("select")) return;
    if (event.key === "Escape") close();
    if (event.target === find || !panel.contains(event.target)) return;
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });

  const detailsOf = (i) => {
    const row = rowOf(i);
    const details = row === null ? undefined : known;
    if (!details) return null;
    const columns = Object.entries(details.columns).map(([name, values]) => [name, values[row]]);
    return { text: details.text[row], columns: columns.filter(([, value]) => value != null) };
  };
  const textOf = (i) => detailsOf(i)?.text ?? samples.text[i];

  const pictureOf = (i) => {
    const thumbnail = samples.images?.[samples.image?.[i]];
    const given = window.latentmapPictures;
    const row = rowOf(i);
    const found = row === null ? null : given?.addresses[row];
    const address = given?.base || /^https?:/.test(found) ? found : null;
    if (!thumbnail && !address) return null;
    const label = samples.label[i];
    const image = made("img", { alt: label ? `Picture of the sample, ${label}` : "Picture of the sample" });
    const frame = made("div", { className: "sample-frame" }, image);
    const picture = made("div", { className: "sample-picture" }, frame);
    const fallBack = () => {
      image.onerror = null;
      frame.replaceChildren(image); // a thumbnail has its boxes drawn
      picture.replaceChildren(frame);
      if (thumbnail) image.src = thumbnail;
      else picture.remove();
    };
    image.onerror = fallBack;
    if (!address) fallBack();
    else {
      image.src = new URL(address, given.base || undefined).href;
      drawBoxes(row, frame, picture);
    }
    return picture;
  };

  const SVG = "http://www.w3.org/2000/svg";
  const drawn = (tag, attributes) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  // Draws boxes over a picture, and adds the button that hides them.
  const drawBoxes = (row, frame, picture) => {
    const { boxes, box_colors: colors } = known ?? {};
    if (!boxes?.[row]?.length) return;
    const over = drawn("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": true });
    const names = boxes[row].map(([left, top, right, bottom], n) => {
      const color = colors[n % colors.length];
      const place = { x: left, y: top, width: right - left, height: bottom - top };
      over.append(drawn("rect", { ...place, stroke: color, fill: "none", "vector-effect": "non-scaling-stroke" }));
      const name = made("span", { textContent: `[${n}]`, className: "box-name" });
      Object.assign(name.style, { left: `${100 * left}%`, top: `${100 * top}%`, borderColor: color });
      return name;
    });
    const layer = made("div", { className: "box-layer" }, over, ...names);
    const hide = button("Hide boxes", "Hide or show the boxes", () => {
      layer.hidden = !layer.hidden;
      hide.textContent = layer.hidden ? "Show boxes" : "Hide boxes";
    });
    frame.append(layer);
    picture.append(hide);
  };

  const neighbors = (i) => {
    const found = neighborsOf(i);
    if (!found) return made("p", { className: "muted", textContent: "Its neighbors are listed on the page of each map." });
    if (!found.length) return null;
    const group = (j) => known?.columns["source group"]?.[rowOf(j)];
    const items = found.map(([j, distance, elsewhere]) => {
      if (elsewhere !== undefined) {
        const name = made("strong", { dir: "auto", textContent: elsewhere });
        const note = made("small", { textContent: `distance ${distance}, not on this map` });
        return made("li", { className: "elsewhere" }, name, made("br"), note);
      }
      const thumbnail = samples.images?.[samples.image?.[j]];
      const open = made("button", { type: "button" });
      if (thumbnail) open.append(made("img", { src: thumbnail, alt: "" }));
      const label = made("strong", { dir: "auto", textContent: samples.label[j] || samples.id[j] });
      const text = made("span", { dir: "auto", textContent: samples.text[j].slice(0, LONG) });
      const same = rowOf(i) !== null && group(i) != null && group(i) === group(j);
      const note = `distance ${distance}${same ? ", same source group" : ""}`;
      open.append(made("span", {}, label, made("br"), text, made("small", { textContent: note })));
      open.classList.toggle("same-source", same);
      open.addEventListener("click", () => show(j));
      return made("li", {}, open);
    });
    const heading = made("h3", { textContent: "Nearest neighbors in the embedding" });
    return made("section", { className: "sample-neighbors" }, heading, made("ol", {}, ...items));
  };

  const show = (i) => {
    current = i;
    const details = detailsOf(i);
    const label = samples.label[i];
    const group = samples.group[i];
    const short = (details?.columns ?? []).filter(([, value]) => value.length <= LONG);
    const long = (details?.columns ?? []).filter(([, value]) => value.length > LONG);
    const listed = (pairs) =>
      pairs.length
        ? made(
            "dl",
            {},
            ...pairs.flatMap(([name, value]) => [
              made("dt", { textContent: name, dir: "auto" }),
              made("dd", { textContent: value, dir: "auto" }),
            ]),
          )
        : null;
    const measures = measuresOf(i);
    const text = textOf(i);
    body.replaceChildren(
      ...[
        made("h2", { textContent: label || samples.id[i], dir: "auto", tabIndex: -1 }),
        group && group !== label ? made("p", { className: "muted", textContent: group, dir: "auto" }) : null,
        made("p", {}, made("code", { textContent: samples.id[i], dir: "auto" })),
        pictureOf(i),
        text ? told(text) : null,
        ...long.flatMap(([name, value]) => [made("h3", { textContent: name, dir: "auto" }), told(value)]),
        listed(short),
        measures.length ? made("h3", { textContent: "In this embedding" }) : null,
        listed(measures),
        neighbors(i),
      ].filter(Boolean),
    );
    body.scrollTop = 0;
    mark(i);
  };

  return async (i) => {
    if (panel.hidden) before = document.activeElement;
    panel.hidden = false;
    show(i);
    panel.focus({ preventScroll: true });
    await Promise.all([loadDetails(), load("pictures")]);
    if (current === i && !panel.hidden) show(i);
  };
};

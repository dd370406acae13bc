"use strict";
// Draws the page's charts from what stands beside them, packed, as wide as the page and in its colours,
// filters maps by label group, sorts tables.
(async () => {
  const SMALLEST = 115; // pixels that a panel's plot must have
  const AROUND = 90; // pixels that labels take of a panel's width, until it is drawn
  const LEGEND = 200; // pixels of a legend's column
  const MENU = 38; // pixels right of a chart for its menu, as vega-embed has it
  const FLATTEST = 0.7; // height of a plot, of its width, that it keeps where it is made narrower
  const CLOSE = 4; // pixels: a chart that is wider than there is room by less is drawn smaller as it is
  const [LEAST, LEGIBLE, MOST] = [0.15, 0.75, 1.5]; // times as wide as given; numbers need more than least
  const GAP = 28; // between panels
  const ink = "#e6edf3", line = "#3d444d", paper = "#0d1117";
  const text = { labelColor: ink, titleColor: ink };
  const DARK = {
    view: { stroke: line },
    axis: { ...text, gridColor: "#262c36", domainColor: "#767e88", tickColor: "#767e88" },
    legend: text,
    header: text,
    title: { color: ink, subtitleColor: ink },
    text: { color: ink },
    rule: { color: ink },
    rect: { stroke: paper },
    circle: { stroke: paper },
    style: {
      guide: { color: line },
      aside: { color: "#9198a1" },
      halo: { stroke: paper },
      interval: { color: "#9198a1" },
    },
  };
  const isDark = matchMedia("(prefers-color-scheme: dark)");
  const maps = new Map();
  const samplesElement = document.getElementById("samples");
  const embedded = samplesElement && JSON.parse(samplesElement.textContent);
  // The samples of the page: its own, or all or some of those that the pages of a report share.
  const chosen = async ({ rows, ...own }) => {
    if (own.id) return own;
    const shared = await unpacked(window.latentmapSamples);
    if (!rows) return shared;
    const some = (columns) =>
      Object.fromEntries(Object.entries(columns).map(([name, all]) => [name, rows.map((i) => all[i])]));
    const { images, further, targets, colorings, ...columns } = shared;
    return { ...some(columns), images, ...own };
  };
  const samples = embedded && (await chosen(embedded));
  // The place of a sample among those that the pages of a report share; null if it is not of them.
  const sharedRowOf = (i) => (embedded.id ? null : embedded.rows ? embedded.rows[i] : i);
  let update = () => {};

  // Numbers that can colour and size points: of the samples, else of the embedding of a map.
  const OWN = "own:";
  const pointsOf = new Map();
  const measureKeys = [...document.querySelectorAll("[data-sizing] [data-number]")].map(({ value }) => value);
  const numberOf = (text) => (text == null || text === "" ? null : Number(text));
  const ownOf = (key) => ({ ...samples.further, ...samples.targets })[key.slice(OWN.length)];
  const numbersOf = (target, key) =>
    key.startsWith(OWN)
      ? ownOf(key).map(numberOf)
      : (pointsOf.get(target)?.[key] ?? []);
  const quantile = (sorted, share) => sorted[Math.round(share * (sorted.length - 1))];
  // Between which numbers a scale lies: all of them, or all but the farthest where those would
  // squeeze the rest.
  const limitsOf = (values) => {
    const sorted = values.filter((value) => value != null).sort((a, b) => a - b);
    if (!sorted.length) return [0, 1];
    const [low, high] = [quantile(sorted, 0.01), quantile(sorted, 0.99)];
    const [least, largest] = [sorted[0], sorted.at(-1)];
    return largest - least > 3 * (high - low) && high > low ? [low, high] : [least, largest];
  };

  const cellsOf = (columns, i) =>
    Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[i]]));

  // What a tooltip tells of a sample: Vega shows every value as text, `image` as a picture, and
  // nothing of what is undefined.
  const toldOf = ({ id, label, group, text, image, trust, density_percentile, density_share }, i) => {
    const { source, ...annotations } = cellsOf(samples.further, i);
    const own = { label: label || null, group: group === label ? null : group };
    const told = { image, ...own, source, ...annotations };
    const density = { "density percentile": density_percentile, "density, % of its range": density_share };
    const place = { id, trust, ...density };
    const rows = Object.entries({ ...told, ...place, text: text || null });
    return Object.fromEntries(rows.map(([name, value]) => [name, value ?? undefined]));
  };

  // Rows of one map: coordinates joined with the samples. An image is one string, however often
  // it is shown; "" keeps the tooltip from showing one. Trust may be missing.
  const rowsOf = ({ trust = [], ...points }) => {
    const own = measureKeys.filter((key) => key.startsWith(OWN)).map((key) => [key, ownOf(key)]);
    return samples.id.map((id, i) => {
      const row = {
        ...cellsOf(points, i),
        place: i,
        trust: trust[i] ?? "not assessed",
        id,
        label: samples.label[i],
        group: samples.group[i],
        text: samples.text[i],
        image: samples.images[samples.image[i]] ?? "",
      };
      for (const [key, { codes }] of Object.entries(samples.colorings)) row[key] = codes[i];
      for (const [key, values] of own) row[key] = numberOf(values[i]);
      return { ...row, told: toldOf(row, i) };
    });
  };

  // Colours that are too dark on dark paper, and what takes their place.
  const BRIGHTER = { "#0072B2": "#5B8DEF" };
  const brightened = (part) => {
    if (Array.isArray(part)) return part.map(brightened);
    if (!(part instanceof Object)) return BRIGHTER[part] ?? part;
    const entries = Object.entries(part);
    return Object.fromEntries(entries.map(([key, value]) => [key, key === "datasets" ? value : brightened(value)]));
  };

  const merged = (one, other) => {
    const found = { ...one };
    for (const [key, value] of Object.entries(other)) {
      found[key] = value instanceof Object ? merged(found[key], value) : value;
    }
    return found;
  };

  // Breaks a title into lines that fit.
  const wrapped = (title, room) => {
    const { text, fontSize = 13, ...rest } = title.text ? title : { text: title };
    const most = room / (0.64 * fontSize);
    const lines = [""];
    for (const word of text.split(" ")) {
      const last = lines.at(-1);
      if (last && last.length + 1 + word.length > most) lines.push(word);
      else lines[lines.length - 1] = last ? `${last} ${word}` : word;
    }
    return { ...rest, fontSize, text: lines };
  };

  // Gives legends as many columns, and scales of colours the length, that there is room for.
  const withLegends = (part, room) => {
    if (!(part instanceof Object)) return part;
    if (Array.isArray(part)) return part.map((one) => withLegends(one, room));
    const entries = Object.entries(part).map(([key, value]) => {
      if (key !== "legend" || !value) return [key, withLegends(value, room)];
      const { columns, gradientLength: length } = value;
      const most = columns && { columns: Math.min(columns, Math.max(1, Math.floor(room / LEGEND))) };
      if (!length) return [key, { ...value, ...most }];
      const gradientLength = Math.min(length, 0.4 * room);
      return [key, { ...value, gradientLength, title: wrapped(part.title, 1.4 * gradientLength).text }];
    });
    return Object.fromEntries(entries);
  };

  // Lays panels beside each other as far as there is room, and makes their plots as wide as that
  // allows. `around` is what axes and their labels take of a panel's width, `stretch` how much wider
  // the cells of a matrix are than given, `keeps` whether plots keep their shape exactly, as maps do.
  // Others are not made flat, and all grow by half at most.
  const fitted = (given, room, fit) => {
    const spec = given.title ? { ...given, title: wrapped(given.title, room) } : given;
    const panels = spec.concat ?? spec.hconcat;
    if (panels) {
      const most = Math.min(spec.columns ?? panels.length, panels.length);
      const columns = Math.min(most, Math.max(1, Math.floor(room / (SMALLEST + fit.around + GAP))));
      const { hconcat, ...rest } = spec;
      const share = (room - GAP * (columns - 1)) / columns;
      return { ...rest, columns, concat: panels.map((panel) => fitted(panel, share, fit)) };
    }
    if (spec.vconcat) {
      return { ...spec, vconcat: spec.vconcat.map((panel) => fitted(panel, room, fit)) };
    }
    return sized(withLegends(spec, room), room, fit);
  };

  // The cells of a matrix without their numbers, below upright names.
  const narrowed = (layers) =>
    layers
      .filter(({ mark }) => mark.type !== "text")
      .map(({ encoding, ...layer }) => {
        const axis = { ...encoding.x.axis, labelAngle: -90, labelFontSize: 9, labelOverlap: "greedy" };
        return { ...layer, encoding: { ...encoding, x: { ...encoding.x, axis } } };
      });

  const sized = (spec, room, { around, stretch, keeps }) => {
    if (spec.facet && spec.columns) {
      const most = Math.floor((room - around + GAP) / (spec.spec.width + GAP));
      return { ...spec, columns: Math.min(spec.columns, Math.max(1, most)) };
    }
    if (spec.width?.step) {
      const width = { step: spec.width.step * stretch };
      return stretch < LEGIBLE ? { ...spec, width, layer: narrowed(spec.layer) } : { ...spec, width };
    }
    if (typeof spec.width !== "number") return spec;
    const width = Math.max(SMALLEST, room - around);
    if (typeof spec.height !== "number") return { ...spec, width };
    const scale = Math.min(MOST, width / spec.width);
    const least = keeps ? 0 : Math.min(spec.height, FLATTEST * width);
    return { ...spec, width: scale * spec.width, height: Math.max(scale * spec.height, least) };
  };

  // Places the names of points (style `placed`) where they cover neither points, nor each other, nor
  // marks of the style `avoided`, inside the frame; those that find no place are left out.
  const withPlacedNames = (group) => {
    const { marks = [], encode } = group;
    marks.forEach(withPlacedNames);
    const points = marks.find((mark) => mark.type === "symbol");
    const of = (style) => marks.filter((mark) => mark.style?.includes(style));
    const [width, height] = ["width", "height"].map((side) => {
      const { signal, value } = encode?.update[side] ?? { signal: side };
      return signal ?? value;
    });
    for (const names of of("placed")) {
      names.from = { data: points.name };
      const { align, dx, dy, x, y, ...update } = names.encode.update;
      names.encode.update = { ...update, text: { signal: "datum.datum.label || ''" } };
      names.transform = [
        {
          type: "label",
          size: { signal: `[floor(${width}), floor(${height})]` }, // it miscounts parts of pixels
          anchor: ["top-right", "right", "bottom-right", "top-left", "left", "bottom-left"],
          offset: [4],
          avoidMarks: [points, ...of("avoided")].map((mark) => mark.name),
        },
      ];
    }
    return group;
  };

  const columnsOf = ({ columns, vconcat }) => columns ?? (vconcat ? columnsOf(vconcat[0]) : 1);

  // A click on a point opens its sample, and marks it on all maps of the page.
  const nearest = new Map();
  let opened = null;
  const neighborsOf = (i) => {
    const { indices, distances, others } = nearest.get(opened) ?? [...nearest.values()][0] ?? {};
    const named = (j) => (j < -1 ? others[-2 - j] : undefined);
    return indices?.[i].map((j, n) => [j, distances[i][n], named(j)]).filter(([j]) => j !== -1);
  };
  const has = (view, name) => name in view.getState({ signals: (one) => one === name }).signals;
  const marked = (view, i) => {
    if (has(view, "opened")) view.signal("opened", i).runAsync();
  };
  const mark = (i) => maps.forEach((view) => marked(view, i));
  const measuresOf = (i) => {
    const points = pointsOf.get(opened) ?? [...pointsOf.values()][0] ?? {};
    const told = [...document.querySelectorAll("[data-measure]")].map(({ value, text }) => [text, points[value]?.[i]]);
    return [["trust", points.trust?.[i]], ...told].filter(([, value]) => value != null);
  };
  const openPanel = samples && samplePanel({ samples, rowOf: sharedRowOf, neighborsOf, measuresOf, mark });
  const open = (i, target) => {
    if (i === undefined || !openPanel) return;
    opened = target;
    openPanel(i);
  };

  const drawn = new Map();
  const draw = async (source) => {
    const target = document.getElementById(source.dataset.chart);
    const { spec: printed, renderer, data, points, neighbors } = await unpacked(source.textContent);
    // The colours of a map are those of its legend.
    const spec = isDark.matches && !points ? brightened(printed) : printed;
    if (neighbors) nearest.set(target, neighbors);
    if (points) pointsOf.set(target, points);
    if (spec.usermeta?.outside) {
      for (const label of document.querySelectorAll("[data-outside]")) label.hidden = false;
    }
    for (const [name, columns] of Object.entries(spec.datasets)) {
      spec.datasets[name] = (Object.values(columns)[0] ?? []).map((_, i) => cellsOf(columns, i));
    }
    if (points) spec.datasets[data] = rowsOf(points);
    if (isDark.matches) spec.config = merged(spec.config, DARK);
    const room = target.clientWidth - MENU;
    spec.config = merged(spec.config, { axis: { labelLimit: Math.min(260, 0.5 * room) } });
    const embed = async (fit) => {
      const shown = fitted(spec, room, fit);
      drawn.get(target)?.finalize();
      const { view } = await vegaEmbed(target, shown, {
        renderer,
        patch: withPlacedNames,
        actions: { export: true, source: false, compiled: false, editor: false },
        downloadFileName: target.id,
        tooltip: { theme: isDark.matches ? "dark" : "light" },
      });
      drawn.set(target, view);
      if (points) {
        maps.set(target, view);
        view.addEventListener("click", (_, item) => open(item?.datum?.place, target));
      }
      return [target.querySelector("svg, canvas").clientWidth, columnsOf(shown)];
    };
    try {
      const fit = { around: AROUND, stretch: 1, keeps: Boolean(points) };
      // Pixels that a chart grows by for each `stretch`: at first as if all of it did. What names take
      // does not, as the second turn tells; later ones differ by whole pixels of cells.
      let [slope, first] = [0, 0];
      for (let turn = 0; turn < 6; turn++) {
        const [taken, columns] = await embed(fit);
        const excess = (taken - room) / columns;
        if (excess <= 0 && (turn || excess > -AROUND / 4)) break;
        if (turn > 2 && taken - room < CLOSE) {
          Object.assign(target.querySelector("svg, canvas").style, { width: `${room}px`, height: "auto" });
          break;
        }
        fit.around = Math.max(0, fit.around + excess);
        if (turn === 0) slope = first = taken;
        else if (turn === 1) slope = (taken - first) / (fit.stretch - 1) || slope;
        fit.stretch = Math.min(MOST, Math.max(LEAST, fit.stretch + (room - taken) / slope));
      }
    } catch (error) {
      target.classList.add("failed");
      target.textContent = `This chart could not be loaded: ${error.message}`;
      console.error(error);
    }
  };

  // Lists the values of a column with their colours, as buttons.
  const listValues = (scale) => {
    const { values, colors, codes } = samples.colorings[scale.dataset.scale];
    const counts = values.map(() => 0);
    for (const code of codes) counts[code] += 1;
    values.forEach((value, code) => {
      const button = Object.assign(document.createElement("button"), { type: "button", ariaPressed: "false" });
      const [swatch, count] = ["swatch", "count"].map((className) =>
        Object.assign(document.createElement("span"), { className }),
      );
      button.dataset.code = code;
      swatch.style.background = colors[code];
      count.textContent = counts[code].toLocaleString("en");
      button.append(swatch, `${value} `, count);
      scale.append(button);
    });
  };

  // The legend decides which samples are shown and, where it offers that, their colour and size.
  const connectLegend = (legend) => {
    legend.querySelectorAll("[data-values]").forEach(listValues);
    const groups = [...legend.querySelectorAll("[data-group]")];
    const codes = [...legend.querySelectorAll("[data-code]")];
    const [select, sizing, whole, all, said, measured] = [
      ...["[data-coloring]", "[data-sizing]", "[data-whole]", "[data-all]", "output", "[data-measured]"],
    ].map((selector) => legend.querySelector(selector));
    const bounds = measured ? [...measured.querySelectorAll("input")] : [];
    const isMeasured = () => measureKeys.includes(select?.value);
    const within = () => {
      if (!isMeasured() || bounds.every(({ value }) => value === "")) return [];
      return bounds.map(({ value }, end) => (value === "" ? [-Infinity, Infinity][end] : Number(value)));
    };
    const isPressed = (button) => button.ariaPressed === "true";
    const release = (buttons) => buttons.forEach((button) => (button.ariaPressed = "false"));

    const signals = () => {
      const shown = groups.filter(isPressed).map((button) => button.dataset.group);
      if (!select) return { shown };
      const chosen = codes.filter(isPressed).map((button) => Number(button.dataset.code));
      const palette = isMeasured()
        ? measured.dataset.palette.split(" ")
        : (samples.colorings[select.value]?.colors ?? []);
      return { shown, coloring: select.value, palette, chosen, within: within(), whole: whole.checked };
    };
    // What differs from map to map.
    const scalesOf = (target) => {
      const isRare = sizing.value === "rare";
      const key = isRare ? "density_percentile" : sizing.value;
      const limits = isMeasured() ? limitsOf(numbersOf(target, select.value)) : [];
      return { limits, sizing: key, sizes: isRare ? [100, 0] : key ? limitsOf(numbersOf(target, key)) : [] };
    };
    const isShown = (i, { shown, coloring, chosen = [], within = [] }, numbers) =>
      (!shown.length || shown.includes(samples.group[i])) &&
      (!chosen.length || chosen.includes(samples.colorings[coloring].codes[i])) &&
      (!within.length || (numbers[i] != null && numbers[i] >= within[0] && numbers[i] <= within[1]));
    const tellScale = (numbers) => {
      const [low, high] = limitsOf(numbers);
      const known = numbers.filter((value) => value != null);
      const short = (value) => Number(value.toPrecision(4)).toLocaleString("en");
      const [from, to] = measured.querySelectorAll(".low, .high");
      from.textContent = `${known.some((value) => value < low) ? "≤ " : ""}${short(low)}`;
      to.textContent = `${known.some((value) => value > high) ? "≥ " : ""}${short(high)}`;
    };

    update = () => {
      const now = signals();
      const numbers = isMeasured() ? numbersOf([...maps.keys()][0], select.value) : [];
      const count = samples.id.filter((_, i) => isShown(i, now, numbers)).length;
      if (measured) measured.hidden = !isMeasured();
      if (isMeasured()) tellScale(numbers);
      const total = samples.id.length.toLocaleString("en");
      said.textContent = `${count.toLocaleString("en")} of ${total} samples shown`;
      all.disabled = ![...groups, ...codes].some(isPressed) && !now.within?.length;
      legend.classList.toggle("filtered", now.shown.length > 0);
      legend.classList.toggle("recolored", Boolean(select) && select.value !== "group");
      for (const [target, view] of maps) {
        const signals = select ? { ...now, ...scalesOf(target) } : now;
        for (const [name, value] of Object.entries(signals)) view.signal(name, value);
        view.runAsync();
      }
    };
    for (const button of [...groups, ...codes]) {
      button.addEventListener("click", () => {
        button.ariaPressed = String(!isPressed(button));
        update();
      });
    }
    all.addEventListener("click", () => {
      release([...groups, ...codes]);
      for (const bound of bounds) bound.value = "";
      update();
      (groups[0] ?? select).focus();
    });
    const showScale = () => {
      for (const scale of document.querySelectorAll("[data-scale]")) {
        scale.hidden = scale.dataset.scale !== select.value;
      }
    };
    if (select) showScale();
    select?.addEventListener("change", () => {
      showScale();
      release(codes);
      for (const bound of bounds) bound.value = "";
      update();
    });
    if (sizing && !samples.images.length) sizing.value = "rare"; // texts have only their places
    sizing?.addEventListener("change", update);
    for (const bound of bounds) bound.addEventListener("input", update);
    whole?.addEventListener("change", update);
    update();
  };

  // Numbers first go down, texts up; what has no value stays at the end. A table in parts keeps
  // them, each below its heading.
  const headersOf = (table) => [...table.tHead.rows].at(-1).cells;
  const sortBy = (table, column) => {
    const header = headersOf(table)[column];
    const numeric = header.classList.contains("number");
    const before = header.ariaSort;
    const descending = before ? before === "ascending" : numeric;
    const valueOf = (row) => {
      const cell = row.cells[column];
      return numeric ? cell.dataset.sort : cell.textContent;
    };
    const compare = (a, b) => (numeric ? a - b : a < b ? -1 : a > b ? 1 : 0);
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter((row) => !row.classList.contains("part"));
      rows.sort((first, second) => {
        const [a, b] = [valueOf(first), valueOf(second)];
        if (a === "" || b === "") return (a === "") - (b === "");
        return descending ? compare(b, a) : compare(a, b);
      });
      body.append(...rows);
    }
    for (const cell of headersOf(table)) cell.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", descending ? "descending" : "ascending");
  };

  const connectTable = (table) => {
    [...headersOf(table)].forEach((header, column) => {
      header.querySelector("button").addEventListener("click", () => sortBy(table, column));
    });
  };

  // A button may choose what charts show: the values of their parameters of these names.
  const connectChoice = (button) => {
    button.addEventListener("click", () => {
      const shown = button.dataset.choose.split(" ").flatMap((name) =>
        [...drawn].filter(([, view]) => has(view, name)).map(([target, view]) => {
          view.signal(name, Number(button.value)).runAsync();
          return target;
        }),
      );
      shown[0]?.closest("figure").scrollIntoView({ block: "nearest" });
    });
  };

  // Where nothing can hover, a tap on a cell tells what its tooltip says, until the next tap.
  const tellOnTap = () => {
    const told = document.createElement("output");
    told.className = "told";
    told.hidden = true;
    document.body.append(told);
    document.addEventListener("click", ({ target }) => {
      const text = target.closest("td[title], th[title], th button[title]")?.title;
      told.hidden = !text;
      told.textContent = text ?? "";
    });
  };

  const titles = document.getElementById("titles");
  const told = titles ? await unpacked(titles.textContent) : [];
  document.querySelectorAll("[data-titled]").forEach((cell, i) => (cell.title = told[i]));
  if (matchMedia("(hover: none)").matches) tellOnTap();
  document.querySelectorAll("table.sortable").forEach(connectTable);
  document.querySelectorAll("[data-choose]").forEach(connectChoice);
  for (const image of document.querySelectorAll("img[data-sample]")) {
    image.src = samples.images[samples.image[image.dataset.sample]];
  }
  document.querySelectorAll(".legend").forEach(connectLegend);
  for (const button of document.querySelectorAll("[data-open]")) {
    button.addEventListener("click", () => open(Number(button.dataset.open)));
  }
  const drawAll = async () => {
    await Promise.all([...document.querySelectorAll("script[data-chart]:not([data-printed])")].map(draw));
    update();
    document.documentElement.dataset.drawn = "true";
  };
  let waiting;
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 200);
  });
  isDark.addEventListener("change", drawAll);
  drawAll();
})();

"use strict";
// Draws the page's charts from the JSON beside them, filters maps by label group, sorts tables.
(() => {
  const maps = [];
  const samplesElement = document.getElementById("samples");
  const samples = samplesElement && JSON.parse(samplesElement.textContent);

  // Rows of one map: coordinates joined with the samples. An image is one string, however often
  // it is shown; "" keeps the tooltip from showing one. Trust may be missing.
  const rowsOf = ({ trust = [], ...axes }) =>
    samples.id.map((id, i) => ({
      ...Object.fromEntries(Object.entries(axes).map(([axis, values]) => [axis, values[i]])),
      trust: trust[i] ?? "not assessed",
      id,
      label: samples.label[i],
      group: samples.group[i],
      text: samples.text[i],
      image: samples.images[samples.image[i]] ?? "",
    }));

  const draw = async (source) => {
    const target = document.getElementById(source.dataset.chart);
    const { spec, renderer, data, points } = JSON.parse(source.textContent);
    if (points) spec.datasets = { ...spec.datasets, [data]: rowsOf(points) };
    try {
      const { view } = await vegaEmbed(target, spec, {
        renderer,
        actions: { export: true, source: false, compiled: false, editor: false },
        downloadFileName: target.id,
        tooltip: { theme: "light" },
      });
      if (points) maps.push(view);
    } catch (error) {
      target.classList.add("failed");
      target.textContent = `This chart could not be drawn: ${error.message}`;
      console.error(error);
    }
  };

  const connectLegend = (legend) => {
    const groups = [...legend.querySelectorAll("[data-group]")];
    const all = legend.querySelector("[data-all]");
    const said = legend.querySelector("output");
    const update = () => {
      const chosen = groups.filter((b) => b.ariaPressed === "true").map((b) => b.dataset.group);
      const count = samples.group.filter((g) => !chosen.length || chosen.includes(g)).length;
      const total = samples.group.length.toLocaleString("en");
      said.textContent = `${count.toLocaleString("en")} of ${total} samples shown`;
      all.disabled = !chosen.length;
      legend.classList.toggle("filtered", chosen.length > 0);
      for (const view of maps) view.signal("shown", chosen).runAsync();
    };
    for (const button of groups) {
      button.addEventListener("click", () => {
        button.ariaPressed = String(button.ariaPressed !== "true");
        update();
      });
    }
    all.addEventListener("click", () => {
      for (const button of groups) button.ariaPressed = "false";
      update();
      groups[0].focus();
    });
    update();
  };

  const connectColoring = (coloring) => {
    const buttons = [...coloring.querySelectorAll("button")];
    for (const button of buttons) {
      button.addEventListener("click", () => {
        const chosen = button.dataset.coloring;
        for (const other of buttons) other.ariaPressed = String(other === button);
        for (const scale of document.querySelectorAll(".scale")) scale.hidden = chosen !== "trust";
        coloring.closest(".legend").classList.toggle("trusted", chosen === "trust");
        for (const view of maps) view.signal("coloring", chosen).runAsync();
      });
    }
  };

  // Numbers first go down, texts up; what has no value stays at the end.
  const sortBy = (table, column) => {
    const header = table.tHead.rows[0].cells[column];
    const numeric = header.classList.contains("number");
    const before = header.ariaSort;
    const descending = before ? before === "ascending" : numeric;
    const valueOf = (row) => {
      const cell = row.cells[column];
      return numeric ? cell.dataset.sort : cell.textContent;
    };
    const compare = (a, b) => (numeric ? a - b : a < b ? -1 : a > b ? 1 : 0);
    const rows = [...table.tBodies[0].rows].sort((first, second) => {
      const [a, b] = [valueOf(first), valueOf(second)];
      if (a === "" || b === "") return (a === "") - (b === "");
      return descending ? compare(b, a) : compare(a, b);
    });
    for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", descending ? "descending" : "ascending");
    table.tBodies[0].append(...rows);
  };

  const connectTable = (table) => {
    [...table.tHead.rows[0].cells].forEach((header, column) => {
      header.querySelector("button").addEventListener("click", () => sortBy(table, column));
    });
  };

  document.querySelectorAll("table.sortable").forEach(connectTable);
  document.querySelectorAll(".legend").forEach(connectLegend);
  document.querySelectorAll(".coloring").forEach(connectColoring);
  Promise.all([...document.querySelectorAll("script[data-chart]")].map(draw)).then(() => {
    document.documentElement.dataset.drawn = "true";
  });
})();

/* Draws charts in the colours of the page, and again when these change. What is drawn stands beside
   it as JSON; a page that gets more of itself later has that watched, too. */
"use strict";
const charts = (() => {
  const figures = new Map();
  const drawn = new Set();
  const watched = new WeakSet();
  const marks = new Map();
  const light = {
    ink: "#232a22", quiet: "#7f8a7c", grid: "#e6ebe3", brine: "#3b6a33", wash: "rgba(59,106,51,0.16)",
    clay: "#b8541f", sky: "#2f6c96", plum: "#83457c", straw: "#8a6d00", slate: "#5d6a72",
  };
  const dark = {
    ink: "#dbe3d8", quiet: "#8b988a", grid: "#2a322a", brine: "#a9cf8b", wash: "rgba(169,207,139,0.18)",
    clay: "#ffb38f", sky: "#8fc7ee", plum: "#e0a9d8", straw: "#e6c36a", slate: "#b3c0c8",
  };
  const system = matchMedia("(prefers-color-scheme: dark)");
  let printing = false;

  const palette = () => {
    const chosen = document.documentElement.dataset.theme;
    const isDark = !printing && (chosen ? chosen === "dark" : system.matches);
    return isDark ? dark : light;
  };

  /* Returns a value with every "@name" in it replaced by that colour. */
  const painted = (value, colours) => {
    if (typeof value === "string") return value.startsWith("@") ? (colours[value.slice(1)] ?? value) : value;
    if (Array.isArray(value)) return value.map((each) => painted(each, colours));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, painted(each, colours)]));
    }
    return value;
  };

  const axis = (given, colours) => ({
    automargin: true, gridcolor: colours.grid, linecolor: colours.grid, zerolinecolor: colours.grid,
    tickfont: { size: 11 }, ...given, title: { font: { size: 12 }, ...(given?.title ?? {}) },
  });

  const draw = (place) => {
    const figure = figures.get(place.dataset.figure);
    if (!figure) return;
    const colours = palette();
    const given = painted(figure.layout, colours);
    const layout = {
      autosize: true, height: figure.height_px, dragmode: false, hovermode: "closest",
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", bargap: 0.15,
      font: { family: "system-ui, sans-serif", size: 12, color: colours.ink },
      margin: { l: 48, r: 12, t: 12, b: 44 },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, font: { size: 11 } },
      hoverlabel: { font: { size: 12 } },
      ...given,
      xaxis: axis(given.xaxis, colours), yaxis: axis(given.yaxis, colours),
    };
    const traces = painted(figure.data, colours);
    const at = marks.get(figure.name);
    if (at && at.x !== null && at.y === undefined) {
      const line = { color: colours.clay, width: 2, dash: "dash" };
      layout.shapes = [...(layout.shapes ?? []), { type: "line", x0: at.x, x1: at.x, y0: 0, y1: 1, yref: "paper", line }];
    } else if (at && at.x !== null && at.y !== null) {
      const marker = { color: colours.clay, size: 12, line: { color: colours.ink, width: 1.5 } };
      traces.push({ type: "scatter", mode: "markers", x: [at.x], y: [at.y], marker, showlegend: false, hoverinfo: "x+y" });
    }
    Plotly.react(place, traces, layout, { displayModeBar: false, responsive: true });
    drawn.add(place);
  };

  /* Marks a point of a chart, or a line where there is only an x; it moves when it is marked again. */
  const mark = (name, at) => {
    marks.set(name, at);
    for (const place of drawn) if (place.dataset.figure === name && place.isConnected) draw(place);
  };

  const again = () => {
    for (const place of drawn) {
      if (place.isConnected) draw(place);
      else drawn.delete(place);
    }
  };
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      draw(entry.target);
    }
  }, { rootMargin: "600px" });
  /* Has the charts within an element drawn when they come into view; those that are known stay. */
  const watch = (root) => {
    const fresh = (selector) => [...root.querySelectorAll(selector)].filter((each) => !watched.has(each) && watched.add(each));
    for (const told of fresh('script[type="application/json"].figures')) {
      for (const figure of JSON.parse(told.textContent)) figures.set(figure.name, figure);
    }
    for (const place of fresh(".chart")) {
      place.style.minHeight = `${figures.get(place.dataset.figure)?.height_px ?? 0}px`;
      seen.observe(place);
    }
    for (const each of fresh("details")) {
      each.addEventListener("toggle", () => {
        each.querySelectorAll(".chart").forEach((place) => { if (drawn.has(place)) Plotly.Plots.resize(place); });
      });
    }
  };

  const print = (begins) => {
    printing = begins;
    if (begins) document.querySelectorAll(".chart").forEach(draw);
    else again();
  };

  system.addEventListener("change", again);
  return { again, mark, print, watch };
})();

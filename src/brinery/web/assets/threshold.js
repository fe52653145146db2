/* The threshold of a binary model: one slider moves every figure, and the marks on the curves. */
"use strict";
(() => {
  const told = document.getElementById("cuts");
  if (!told) return;
  const cuts = JSON.parse(told.textContent);
  const place = document.getElementById("threshold");
  const range = document.getElementById("cut-range");
  const number = document.getElementById("cut-number");
  const worths = place.querySelector("[data-worths]");
  const outcomes = ["true_positives", "false_positives", "false_negatives", "true_negatives"];
  const last = cuts.threshold.length - 1;

  /* As the server writes a number: four significant digits, whole ones with commas. */
  const written = (value) => {
    if (value === null || !Number.isFinite(value)) return "–";
    if (value === 0) return "0";
    if (Number.isInteger(value) || Math.abs(value) >= 1e6) return Math.round(value).toLocaleString("en-US");
    const places = Math.min(8, Math.max(0, 3 - Math.floor(Math.log10(Math.abs(value)))));
    return value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
  };

  const nearest = (threshold) => {
    let best = 0;
    for (let at = 1; at <= last; at += 1) {
      if (Math.abs(cuts.threshold[at] - threshold) < Math.abs(cuts.threshold[best] - threshold)) best = at;
    }
    return best;
  };

  const worth = (at) => {
    let sum = 0;
    let rows = 0;
    for (const name of outcomes) {
      sum += cuts[name][at] * (Number(worths.elements[name].value) || 0);
      rows += cuts[name][at];
    }
    return rows ? sum / rows : 0;
  };

  const marked = (at) => {
    const [tp, fp, fn, tn] = outcomes.map((name) => cuts[name][at]);
    const threshold = cuts.threshold[at];
    const share = (part, whole) => (whole ? part / whole : null);
    const recall = share(tp, tp + fn);
    const taken = share(tp + fp, tp + fp + fn + tn);
    charts.mark("roc", { x: share(fp, fp + tn), y: recall });
    charts.mark("precision-recall", { x: recall, y: share(tp, tp + fp) });
    charts.mark("gain", { x: taken, y: recall });
    charts.mark("lift", { x: taken, y: cuts.metrics.lift?.[at] ?? null });
    charts.mark("cuts", { x: threshold });
    charts.mark("scores", { x: threshold });
  };

  let asked = 0;
  const show = (at, { typed = false } = {}) => {
    const threshold = Number(cuts.threshold[at].toPrecision(6));
    range.value = at;
    range.setAttribute("aria-valuetext", String(threshold));
    if (!typed) number.value = threshold;
    for (const cell of place.querySelectorAll("[data-cell]")) cell.textContent = written(cuts[cell.dataset.cell][at]);
    for (const one of place.querySelectorAll("[data-metric]")) one.textContent = written(cuts.metrics[one.dataset.metric][at]);
    place.querySelector("[data-worth]").textContent = written(worth(at));
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(() => marked(at));
  };
  const kept = () => {
    const url = new URL(location.href);
    url.searchParams.set("threshold", Number(cuts.threshold[range.value].toPrecision(6)));
    history.replaceState(history.state, "", url);
  };

  range.addEventListener("input", () => show(Number(range.value)));
  range.addEventListener("change", kept);
  number.addEventListener("input", () => { if (number.value !== "") show(nearest(Number(number.value)), { typed: true }); });
  number.addEventListener("change", () => { show(Number(range.value)); kept(); });
  place.querySelector("form.cut").addEventListener("submit", (event) => { event.preventDefault(); kept(); });
  worths.addEventListener("submit", (event) => event.preventDefault());
  worths.addEventListener("input", () => show(Number(range.value)));
  place.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-cut]");
    if (chosen) show(nearest(Number(chosen.dataset.cut)));
    else if (event.target.closest("[data-best-worth]")) {
      let best = 0;
      for (let at = 1; at <= last; at += 1) if (worth(at) > worth(best)) best = at;
      show(best);
    } else return;
    kept();
  });
  show(Number(range.value));
})();

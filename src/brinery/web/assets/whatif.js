/* What if: the row that is typed is answered at once, and what each column added is drawn. */
"use strict";
(() => {
  const place = document.getElementById("whatif");
  if (!place) return;
  const { explain, predict } = place.dataset;
  const headers = { "content-type": "application/json", ...JSON.parse(document.body.getAttribute("hx-headers")) };
  const prediction = document.getElementById("prediction");
  const number = (value) => (value && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e9)
    ? Number(value).toExponential(2)
    : Number(value).toLocaleString("en-US", { maximumSignificantDigits: 4 }));

  const row = () => {
    const made = {};
    for (const field of place.querySelectorAll("[data-column]")) {
      const { column, type } = field.dataset;
      if (field.value === "") made[column] = null;
      else if (field.tagName === "SELECT") made[column] = JSON.parse(field.value);
      else made[column] = type === "integer" || type === "number" ? Number(field.value) : field.value;
    }
    return made;
  };

  const svg = (tag, attributes, text = "") => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    return element;
  };

  /* Bars with their names before and their values after, about a line at 0 where some are negative. */
  const bars = (into, all, label) => {
    const rise = 24;
    const [names, values, width] = [150, 100, 550];
    const most = Math.max(1e-12, ...all.map(([, value]) => Math.abs(value)));
    const both = all.some(([, value]) => value < 0);
    const room = width - names - values;
    const zero = names + (both ? room / 2 : 0);
    const scale = (both ? room / 2 : room) / most;
    const drawn = svg("svg", { class: "bars", viewBox: `0 0 ${width} ${all.length * rise + 4}`, role: "img", "aria-label": label });
    all.forEach(([name, value], at) => {
      const length = Math.abs(value) * scale;
      const y = at * rise + 4;
      const shown = name.length > 22 ? `${name.slice(0, 21)}…` : name;
      drawn.append(
        svg("text", { x: names - 8, y: y + 13, "text-anchor": "end" }, shown),
        svg("rect", { class: value < 0 ? "down" : "up", x: value < 0 ? zero - length : zero, y, width: length, height: rise - 7, rx: 2 }),
        svg("text", { x: width - values + 6, y: y + 13 }, both && value > 0 ? `+${number(value)}` : number(value)),
      );
    });
    drawn.append(svg("line", { class: "axis", x1: zero, x2: zero, y1: 0, y2: all.length * rise + 2 }));
    into.replaceChildren(drawn);
  };

  const shown = (answer) => {
    prediction.classList.remove("bad");
    const said = answer.prediction;
    prediction.textContent = typeof said === "number" ? number(said) : String(said);
    const chances = Object.entries(answer.probabilities ?? {});
    const words = (all) => all.map(([name, value]) => `${name} ${number(value)}`).join(", ");
    if (chances.length) bars(document.getElementById("probabilities"), chances, `Probabilities: ${words(chances)}`);
    const parts = (answer.contributions ?? []).map((one) => [one.column, one.amount]);
    const why = document.getElementById("explained");
    if (parts.length) {
      const of = answer.explained === null ? "" : ` of ${answer.explained}`;
      why.textContent = `From ${number(answer.base)} before anything is known to ${number(answer.answer)}, in ${answer.unit.replace("_", "-")}${of}; exact.`;
      bars(document.getElementById("contributions"), parts, `Contributions: ${words(parts)}`);
    } else {
      if (answer.unexplained) why.textContent = `No contributions, because ${answer.unexplained}.`;
      document.getElementById("contributions").replaceChildren();
    }
  };

  const refused = (reasons) => {
    prediction.classList.add("bad");
    prediction.textContent = reasons.join("; ");
    document.getElementById("probabilities").replaceChildren();
    document.getElementById("contributions").replaceChildren();
  };

  /* Of the endpoint, which is strict and keeps the order of the classes. */
  const plain = (answer) => {
    const one = Array.isArray(answer.predictions) ? answer.predictions[0] : answer;
    const said = one.prediction ?? one;
    return { prediction: said, probabilities: one.probabilities ?? {} };
  };

  const told = (problem) => {
    const faults = (problem.errors ?? []).map((one) => `${one.column ?? "the row"} ${one.message}`);
    return faults.length ? faults : [`${problem.detail ?? problem.title} ${problem.hint ?? ""}`];
  };

  const answered = async (path, body) => {
    const answer = await fetch(path, { method: "POST", headers, body });
    const found = await answer.json();
    if (!answer.ok) return { refused: told(found) };
    return path === predict ? plain(found) : found;
  };

  /* What is typed and is no number has no value, and would be answered as if it were missing. */
  const wrong = () => [...place.querySelectorAll("[data-column]")]
    .filter((field) => field.validity.badInput)
    .map((field) => `${field.dataset.column} is no number`);

  let running = false;
  let again = false;
  const ask = async () => {
    if (running) { again = true; return; }
    const faults = wrong();
    if (faults.length) { refused(faults); return; }
    running = true;
    const began = performance.now();
    try {
      const asked = JSON.stringify(row());
      let answer = await answered(explain || predict, asked);
      if (!answer.refused && (answer.prediction ?? null) === null) {
        answer = { ...(await answered(predict, asked)), unexplained: answer.unexplained };
      }
      if (answer.refused) refused(answer.refused);
      else shown(answer);
      const took = performance.now() - began;
      place.dataset.tookMs = took.toFixed(1);
      document.getElementById("took").textContent = `Answered in ${Math.round(took)} ms.`;
    } catch {
      refused(["The server cannot be reached."]);
    } finally {
      running = false;
      if (again) { again = false; ask(); }
    }
  };

  place.addEventListener("input", (event) => {
    const moves = event.target.dataset.moves;
    if (moves) document.getElementById(moves).value = event.target.value;
    const slider = place.querySelector(`[data-moves="${event.target.id}"]`);
    if (slider && event.target.value !== "") slider.value = event.target.value;
    ask();
  });
  place.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  ask();
})();

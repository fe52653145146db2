/* A job's page: boxes that change while it runs, a step that is shown without a new page, its log. */
"use strict";
(() => {
  const graph = document.getElementById("graph");

  /* Boxes: what changed in the journal since the mark. */
  const box = (id) => graph.querySelector(`[data-node="${CSS.escape(id)}"]`);
  const redraw = (one) => {
    const node = box(one.id);
    if (!node) return;
    for (const state of ["good", "bad", "warning", "active", "idle"]) node.classList.toggle(state, state === one.state);
    node.querySelector(".sign").textContent = one.sign;
    node.querySelector(".told").textContent = one.told;
    node.querySelector("title").textContent = one.hint;
  };
  let asking = false;
  const look = async () => {
    if (asking || !graph.dataset.live) return;
    asking = true;
    try {
      const where = new URL(graph.dataset.changes, location.href);
      where.searchParams.set("since", graph.dataset.mark);
      const answer = await fetch(where);
      if (answer.ok) {
        const told = await answer.json();
        graph.dataset.mark = told.mark;
        told.boxes.forEach(redraw);
      }
    } finally {
      asking = false;
    }
  };
  if (graph) {
    document.body.addEventListener("htmx:sseMessage", (event) => { if (event.detail.type === "jobs") look(); });
    if (graph.dataset.live) setInterval(look, 3000);
    const selected = graph.querySelector(".selected");
    if (selected) selected.scrollIntoView({ block: "nearest", inline: "center" });
    scrollTo(0, 0);
  }

  /* A step, shown below the graph. The address is that of the page that shows it. */
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("#graph .node:not(.group) a, a[data-step]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const href = link.getAttribute("href");
    await htmx.ajax("GET", href, { target: "#step", swap: "outerHTML" });
    history.pushState({ brinery: true }, "", href);
    if (!graph) return;
    const name = new URL(href, location.href).searchParams.get("step");
    for (const one of graph.querySelectorAll(".node.selected")) one.classList.remove("selected");
    for (const one of graph.querySelectorAll("[aria-current]")) one.removeAttribute("aria-current");
    box(name ?? "")?.classList.add("selected");
    box(name ?? "")?.querySelector("a")?.setAttribute("aria-current", "true");
  });
  addEventListener("popstate", () => location.reload());

  /* The log: what follows is asked for while somebody follows; what came before, when it is wanted. */
  const lines = (told) => told.map(({ at, text }) => {
    const row = document.createElement("div");
    const time = document.createElement("time");
    const said = document.createElement("span");
    time.textContent = at;
    said.textContent = text;
    row.append(time, said);
    return row;
  });
  const part = async (log, name, value) => {
    const where = new URL(log.dataset.more, location.href);
    where.searchParams.set(name, value);
    const answer = await fetch(where);
    return answer.ok ? answer.json() : null;
  };
  const follow = async () => {
    const log = document.getElementById("log");
    if (!log?.dataset.live || !document.getElementById("follow")?.checked || document.hidden) return;
    const told = await part(log, "after", log.dataset.end);
    if (!told) return;
    if (told.lines.length) {
      document.getElementById("silent")?.remove();
      if (told.start > Number(log.dataset.end)) log.replaceChildren();
      log.append(...lines(told.lines));
      while (log.childElementCount > 5000) log.firstElementChild.remove();
      log.scrollTop = log.scrollHeight;
    }
    log.dataset.end = told.end;
    if (told.over && !told.lines.length) log.dataset.live = "";
  };
  setInterval(follow, 1000);
  document.addEventListener("click", async (event) => {
    if (event.target.id !== "earlier") return;
    const log = document.getElementById("log");
    const told = await part(log, "before", log.dataset.start);
    if (!told) return;
    const height = log.scrollHeight;
    log.prepend(...lines(told.lines));
    log.scrollTop += log.scrollHeight - height;
    log.dataset.start = told.start;
    if (!told.start) event.target.remove();
  });
  const end = () => {
    const log = document.getElementById("log");
    if (log) log.scrollTop = log.scrollHeight;
  };
  end();
  document.addEventListener("htmx:afterSettle", (event) => { if (event.target.id === "step") end(); });
})();

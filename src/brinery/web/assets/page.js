/* What every page does: themes, copying, and charts where there are some. */
"use strict";
(() => {
  const root = document.documentElement;
  const say = (text) => { document.getElementById("announcement").textContent = text; };

  document.querySelector(".sections [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

  const theme = root.dataset.theme ?? "system";
  for (const choice of document.querySelectorAll('input[name="theme"]')) {
    choice.checked = choice.value === theme;
    choice.addEventListener("change", () => {
      if (choice.value === "system") {
        delete root.dataset.theme;
        localStorage.removeItem("brinery-theme");
      } else {
        root.dataset.theme = choice.value;
        localStorage.setItem("brinery-theme", choice.value);
      }
      if (typeof charts !== "undefined") charts.again();
    });
  }

  /* A refresh that was asked for before a table was searched would show it as it was then. */
  const place = (url) => url.split("#")[0];
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { pathInfo, requestConfig } = event.detail;
    const refreshes = requestConfig.elt.getAttribute("hx-get") === "";
    if (refreshes && place(pathInfo.requestPath) !== place(location.href)) event.detail.shouldSwap = false;
  });

  /* What was ticked in a table stays so when the table comes anew. */
  const ticked = new Set();
  document.addEventListener("change", ({ target }) => {
    if (target.form?.id === "chosen") ticked[target.checked ? "add" : "delete"](target.value);
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const box of document.querySelectorAll('input[form="chosen"]')) box.checked = ticked.has(box.value);
  });

  /* A page that came over plain HTTP from another machine has no clipboard: the older way is left. */
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = document.createElement("textarea");
      field.value = text;
      field.className = "unseen";
      (document.querySelector("dialog[open]") ?? document.body).append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await copy(button.dataset.copy);
    const label = button.textContent;
    button.textContent = "Copied";
    say("Copied");
    setTimeout(() => { button.textContent = label; }, 1500);
  });

  if (typeof charts !== "undefined") {
    charts.watch(document);
    addEventListener("beforeprint", () => charts.print(true));
    addEventListener("afterprint", () => charts.print(false));
    document.addEventListener("htmx:afterSettle", () => charts.watch(document));
  }

  /* A dialog is opened by a button that names it, and closed by Escape or its own button. */
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
    event.target.closest("[data-close]")?.closest("dialog")?.close();
  });
})();

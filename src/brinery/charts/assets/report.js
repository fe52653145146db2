/* What a report does: its charts drawn, its theme chosen, everything unfolded where it is printed. */
"use strict";
(() => {
  charts.watch(document);
  addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((each) => each.setAttribute("open", ""));
    charts.print(true);
  });
  addEventListener("afterprint", () => charts.print(false));
  document.querySelectorAll('input[name="theme"]').forEach((each) => each.addEventListener("change", () => {
    if (each.value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = each.value;
    charts.again();
  }));
})();

/* Before anything is drawn: the theme that was chosen, so that no page flashes in the other one. */
"use strict";
(() => {
  document.documentElement.classList.add("scripted");
  const chosen = localStorage.getItem("brinery-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();

/* How an endpoint is called from elsewhere: written by the same script as on its docs page, which is
   sent before this one in the same file. */
const place = document.querySelector("[data-example]");
if (place) {
  const row = JSON.parse(place.dataset.example);
  const model = place.dataset.model;
  const call = { origin: location.origin, path: `/v1/models/${encodeURIComponent(model)}/predict`, model, row, body: row };
  for (const code of place.querySelectorAll("[data-language]")) {
    code.textContent = SNIPPETS[code.dataset.language](call);
    const copy = document.createElement("button");
    copy.type = "button";
    copy.className = "copy";
    copy.textContent = "Copy";
    copy.dataset.copy = code.textContent;
    code.closest("details").append(copy);
  }
}

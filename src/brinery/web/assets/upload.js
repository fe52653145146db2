/* Files that are dropped or chosen: sent as they are, with how far it is; what is refused is said. */
"use strict";
(() => {
  const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["x-brinery-token"];

  const refused = (zone, message, hint) => {
    const said = zone.querySelector("[data-said]");
    zone.querySelector("progress").hidden = true;
    said.textContent = hint ? `${message} (${hint})` : message;
    said.className = "bad";
  };

  const send = (zone, file) => {
    const bar = zone.querySelector("progress");
    const said = zone.querySelector("[data-said]");
    const request = new XMLHttpRequest();
    request.open("POST", `${zone.dataset.upload}?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("x-brinery-token", token());
    request.setRequestHeader("content-type", "application/octet-stream");
    bar.hidden = false;
    said.textContent = `Sending ${file.name} …`;
    said.className = "quiet";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = event.loaded / event.total;
      if (event.loaded === event.total) said.textContent = `Reading ${file.name} …`;
    });
    request.addEventListener("load", () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* what stands before us may say anything */ }
      if (request.status === 200 && answer.next) location.assign(answer.next);
      else refused(zone, answer.message ?? answer.detail ?? "The server did not take the file", answer.hint);
    });
    request.addEventListener("error", () => refused(zone, "The connection broke off: try again", ""));
    request.send(file);
  };

  for (const zone of document.querySelectorAll("[data-upload]")) {
    const input = zone.querySelector("input[type=file]");
    input.addEventListener("change", () => { if (input.files.length) send(zone, input.files[0]); });
    for (const name of ["dragenter", "dragover"]) {
      zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add("over"); });
    }
    for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      const entry = event.dataTransfer.items[0]?.webkitGetAsEntry?.();
      if (entry?.isDirectory) refused(zone, "A folder cannot be sent", "name where it is instead");
      else if (event.dataTransfer.files.length) send(zone, event.dataTransfer.files[0]);
    });
  }
})();

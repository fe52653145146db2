// The page of all models: what /api/v1/models says, asked again while the server starts.

const AGAIN_MS = 1000;
const LOOK_MS = 5000;
const MOST_METRICS = 3;

const state = document.querySelector("#state");
const list = document.querySelector("#models");
const template = document.querySelector("#model");

function link(href, text) {
  const made = document.createElement("a");
  made.href = href;
  made.textContent = text;
  return made;
}

function card(model) {
  const made = template.content.cloneNode(true);
  const shown = model.champion ?? model.newest;
  made.querySelector("h2").textContent = model.name;
  const count = `${model.versions.length} version${model.versions.length === 1 ? "" : "s"}`;
  const stands = model.champion ? `version ${shown.version} is the champion` : "no champion yet";
  made.querySelector(".champion").textContent = `${count}; ${stands}.`;
  const waiting = [model.newest, shown].find((version) => !version.checked);
  if (waiting) {
    const next = made.querySelector(".next");
    next.hidden = false;
    next.querySelector("code").textContent = waiting.next;
    next.prepend(`Version ${waiting.version} is not checked yet: `);
  }
  const metrics = made.querySelector("dl");
  for (const [name, value] of Object.entries(shown.metrics ?? {}).slice(0, MOST_METRICS)) {
    const pair = document.createElement("div");
    const term = document.createElement("dt");
    term.textContent = name.replaceAll("_", " ");
    const figure = document.createElement("dd");
    figure.textContent = Number(value).toPrecision(4);
    pair.append(term, figure);
    metrics.append(pair);
  }
  const links = made.querySelector("nav");
  if (shown.checked) {
    links.append(link(model.links.docs, "Try it"), link(shown.links.report, "Report"));
  }
  links.append(link(model.links.mlflow, "In MLflow"));
  return made;
}

// MLflow's clients print links to runs as if its page were here.
if (location.hash.startsWith("#/")) {
  location.replace(`/mlflow/${location.hash}`);
}

async function show() {
  let answer;
  try {
    answer = await fetch("/api/v1/models");
  } catch {
    state.textContent = "The server does not answer.";
    return AGAIN_MS;
  }
  const told = await answer.json();
  if (!answer.ok) {
    state.textContent = answer.status === 503 ? "MLflow's server is being started …" : told.detail;
    return AGAIN_MS;
  }
  state.textContent = told.models.length
    ? ""
    : "There is no model yet. Next: brinery import MODEL --name NAME --data FILE";
  list.replaceChildren(...told.models.map(card));
  return LOOK_MS;
}

async function run() {
  for (;;) {
    const wait = await show();
    await new Promise((done) => setTimeout(done, wait));
  }
}

run();

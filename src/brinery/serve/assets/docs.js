// The documentation page of one served model: the only one, or the one that /docs/NAME names.
//
// Everything it shows is read from this server: the interface from its OpenAPI document, the figures from
// the model's own address, the state from /ready. The form is made from the row schema; the server
// alone judges a row, so what a visitor is told here is what a program is told.

import { SNIPPETS, withRow } from "./snippets.js";

const $ = (id) => document.getElementById(id);

/** Return a new element; children are elements or text, so data can never become markup. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null));
  return element;
}

const SHOWN = 12; // of many classes or categories; the others are a click away

const MODEL = location.pathname.match(/^\/docs\/([^/]+)$/)?.[1] ?? null;
const DOCUMENT = MODEL === null ? "/openapi.json" : `/v1/models/${MODEL}/openapi.json`;

const announce = (text) => { $("announcement").textContent = text; };

// ---------------------------------------------------------------- theme

const THEME = "brinery-theme"; // of localStorage, which may be forbidden: then a choice lasts for this visit

const showTheme = (theme) => document.documentElement.setAttribute("data-theme", theme);

function setUpTheme() {
  let theme = null;
  try { theme = localStorage.getItem(THEME); } catch { /* as above */ }
  if (theme === "light" || theme === "dark") showTheme(theme);
  $(`theme-${document.documentElement.dataset.theme ?? "system"}`).checked = true;
  $("themes").addEventListener("change", ({ target }) => {
    if (target.value === "system") document.documentElement.removeAttribute("data-theme");
    else showTheme(target.value);
    try { localStorage.setItem(THEME, target.value); } catch { /* as above */ }
  });
}

// ---------------------------------------------------------------- what the server says

/** Return the parsed body; throws an Error that says in words what went wrong. */
async function getJson(path) {
  const fail = (reason) => { throw new Error(`GET ${path} ${reason}`); };
  const response = await fetch(path, { cache: "no-cache" }).catch(() => fail("had no answer: the server cannot be reached."));
  if (!response.ok) fail(`answered ${response.status} ${response.statusText}.`);
  return response.json().catch(() => fail("answered something that is not JSON."));
}

/** Return {predictPath, modelPath, columns, example, endpoints, calls} as the OpenAPI document has them. */
function readInterface(openapi) {
  const paths = Object.entries(openapi.paths ?? {});
  const found = paths.find(([, item]) => item.post?.operationId === "predict")
    ?? paths.find(([path, item]) => item.post && path.endsWith("/predict"));
  const schema = openapi.components?.schemas?.Row;
  if (!found || !schema?.properties) throw new Error(`${DOCUMENT} describes no model that can be called.`);
  const [predictPath, { post }] = found;
  const required = new Set(schema.required ?? []);
  return {
    predictPath,
    modelPath: predictPath.replace(/\/predict$/, ""),
    columns: Object.entries(schema.properties).map(([name, property]) => readColumn(name, property, required.has(name))),
    example: schema.examples?.[0] ?? post.requestBody?.content?.["application/json"]?.example?.rows?.[0] ?? {},
    calls: paths.map(([path, item]) => readCall(path, item.post)).filter((call) => call !== null),
    endpoints: paths.flatMap(([path, item]) => ["get", "post", "put", "patch", "delete"]
      .filter((method) => item[method])
      .map((method) => ({ method: method.toUpperCase(), path, summary: item[method].summary ?? "" }))),
  };
}

/** Return {path, model, body} of an endpoint that takes rows as JSON; null of any other. */
function readCall(path, operation) {
  const body = operation?.requestBody?.content?.["application/json"]?.example;
  if (body === undefined) return null;
  // Our own client asks this endpoint by the name of the model.
  const model = path.match(/^\/v1\/models\/([^/]+)\/predict$/)?.[1] ?? null;
  return { path, model, body };
}

function readColumn(name, property, required) {
  const types = [property.type ?? []].flat();
  return {
    name,
    required,
    type: property.format === "date-time" ? "date-time" : types.find((type) => type !== "null") ?? "string",
    nullable: types.includes("null") || (property.enum?.includes(null) ?? false),
    choices: property.enum?.filter((value) => value !== null) ?? (types.includes("boolean") ? [true, false] : null),
  };
}

// ---------------------------------------------------------------- header

const HEADLINE_METRICS = 4;
const INITIALS = new Set(["auc", "roc", "pr", "r2", "mae", "rmse", "mse", "mape", "f1", "mcc", "ks"]);
const spell = (name) => name.split("_").map((word) => (INITIALS.has(word) ? word.toUpperCase() : word)).join(" ");
const figure = (value, digits) => new Intl.NumberFormat("en", { maximumSignificantDigits: digits }).format(value);

/** Show what is known of the model: the OpenAPI document has its name, its own address the rest. */
function showModel(model) {
  document.title = `${model.name} ${model.version} · Brinery`;
  $("name").textContent = model.name;
  const said = [`version ${model.version}`, ...(model.type ? [model.type] : []), ...(model.aliases ?? [])];
  $("badges").replaceChildren(...said.map((text) => h("span", { class: "badge" }, text)));
  const terms = Object.entries(model.metrics ?? {}).map(([name, value]) => (
    h("div", { "data-metric": name }, h("dt", {}, spell(name)), h("dd", {}, figure(value, 4)))));
  const rest = terms.splice(HEADLINE_METRICS);
  $("metrics").replaceChildren(...terms);
  $("more-metrics").hidden = rest.length === 0;
  $("more-metrics").querySelector("summary").textContent = `${rest.length} more ${rest.length === 1 ? "figure" : "figures"}`;
  $("more-metrics").querySelector("dl").replaceChildren(...rest);
}

/** Show whether the model is ready, and ask again every two seconds while it may become so. */
async function watchReadiness() {
  const response = await fetch("/ready", { cache: "no-store" }).catch(() => null);
  const states = { 200: ["ready", "ready"], 503: ["loading", "loading"], none: ["unreachable", "not reachable"] };
  const [state, text] = states[response?.status ?? "none"] ?? ["unknown", `/ready answered ${response.status}`];
  if ($("ready").dataset.state !== state) $("ready").textContent = text; // said once, not every two seconds
  $("ready").dataset.state = state;
  if (state === "loading" || state === "unreachable") setTimeout(watchReadiness, 2000);
}

// ---------------------------------------------------------------- form

const EMPTY = ""; // the value of the choice that stands for "no value"
const INPUTS = {
  integer: { type: "number", step: "1", inputmode: "numeric" },
  number: { type: "number", step: "any", inputmode: "decimal" },
  "date-time": { type: "text", spellcheck: "false", placeholder: "2026-01-31T12:00:00" },
  string: { type: "text", spellcheck: "false" },
};

/** Return a field: its column, its elements, and how it is read, written and marked. */
function makeField(column, index) {
  const id = `field-${index}`;
  const needed = column.required && !column.nullable ? "true" : null;
  const described = { id, "data-column": column.name, "aria-describedby": `${id}-hint ${id}-error`, "aria-required": needed };
  const kind = INPUTS[column.type] ?? INPUTS.string;
  const control = column.choices ? h("select", described) : h("input", { ...described, ...kind });
  const byText = new Map();
  const addChoice = (value) => {
    byText.set(String(value), value);
    control.append(h("option", { value }, String(value)));
  };
  if (column.choices) {
    const unset = column.required ? "(choose)" : "(left out)";
    control.append(h("option", { value: EMPTY }, column.nullable ? "(missing)" : unset));
    column.choices.forEach(addChoice);
  }
  const star = column.required ? h("span", { class: "star", "aria-hidden": "true" }, " *") : null;
  const label = h("label", { for: id }, column.name, star);
  const hint = h("small", { id: `${id}-hint`, class: "hint" }, column.type, column.nullable ? ", may be empty" : "");
  const error = h("small", { id: `${id}-error`, class: "error", "data-error-for": column.name });
  const element = h("div", { class: `field ${column.type}` }, label, control, hint, error);
  return {
    column,
    control,
    element,
    write(value) {
      const text = String(value ?? EMPTY);
      if (column.choices && text !== EMPTY && !byText.has(text)) addChoice(value);
      control.value = text;
    },
    read: () => readField(column, control, byText),
    mark(message) {
      error.textContent = message;
      if (message) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    },
  };
}

/** Return {value}, where undefined leaves the column out, or {fault} where there is none to send. */
function readField(column, control, byText) {
  const text = control.value;
  if (control.validity.badInput) return { fault: "This is not a number." };
  if (text === EMPTY) {
    const blank = column.type === "string" && column.required && !column.choices ? "" : undefined;
    return { value: column.nullable ? null : blank };
  }
  if (column.choices) return { value: byText.get(text) };
  if (control.type !== "number") return { value: text };
  const value = Number(text);
  const inexact = column.type === "integer" && Number.isInteger(value) && !Number.isSafeInteger(value);
  return inexact ? { fault: "A browser cannot send a whole number this large exactly." } : { value };
}

/** Return {row, errors}: what the form would send, and the fields that hold nothing to send. */
function readForm(fields) {
  const readings = fields.map((field) => [field.column.name, field.read()]);
  return {
    row: Object.fromEntries(readings.map(([name, { value }]) => [name, value]).filter(([, value]) => value !== undefined)),
    errors: readings.filter(([, { fault }]) => fault).map(([column, { fault }]) => ({ column, message: fault })),
  };
}

function makeForm({ columns, example }) {
  const fields = columns.map(makeField);
  const elements = (required) => fields.filter(({ column }) => column.required === required).map(({ element }) => element);
  $("fields").replaceChildren(...elements(true));
  $("unread").querySelector(".fields").replaceChildren(...elements(false));
  $("unread").hidden = columns.every((column) => column.required);
  const fill = () => fields.forEach((field) => { field.write(example[field.column.name]); field.mark(""); });
  fill();
  return { fields, fill };
}

// ---------------------------------------------------------------- answer

function percent(probability) {
  if (probability > 0 && probability < 0.0001) return "< 0.01 %";
  if (probability < 1 && probability > 0.9999) return "> 99.99 %";
  return `${(probability * 100).toFixed(2)} %`;
}

function probabilityBars(probabilities) {
  const sorted = Object.entries(probabilities).sort(([, a], [, b]) => b - a);
  const bars = sorted.slice(0, SHOWN).map(([label, probability]) => {
    const bar = h("span", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--p", String(probability));
    const share = h("span", { class: "share" }, percent(probability));
    return h("li", { "data-class": label }, h("span", { class: "class" }, label), share, bar);
  });
  const rest = sorted.length - bars.length;
  const list = h("ul", { class: "bars", "aria-label": "Probability of each class" }, bars);
  return rest > 0 ? [list, h("p", { class: "quiet" }, `and ${rest} less likely, in the raw answer`)] : [list];
}

function readable(value) {
  if (typeof value === "number") return figure(value, 6);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const showNoAnswer = () => $("answer").replaceChildren(h("p", { class: "quiet" }, "The answer appears here."));

function showAnswer(prediction, { status, duration, text }) {
  const label = readable(prediction.label ?? prediction.value ?? prediction);
  const raw = h("pre", { id: "answer-raw", tabindex: "0", role: "region", "aria-label": "Raw answer" }, text);
  $("answer").replaceChildren(
    h("p", { class: "quiet" }, prediction.label === undefined ? "Predicted value" : "Predicted label"),
    h("p", { id: "answer-label" }, label),
    ...(prediction.probabilities ? probabilityBars(prediction.probabilities) : []),
    h("p", { id: "answer-status", class: "quiet" }, `${status} · ${duration.toFixed(duration < 10 ? 1 : 0)} ms round trip`),
    h("p", { id: "answer-stale", class: "quiet", hidden: "" }, "The form has changed since."),
    h("details", {}, h("summary", {}, "Raw answer"), raw),
  );
  announce(`Predicted ${label}.`);
}

/** Show an RFC 9457 problem in the alert, and each of its errors on the field it is about. */
function showProblem(problem, form) {
  const errors = problem.errors ?? [];
  for (const field of form.fields) {
    field.mark(errors.filter(({ column }) => column === field.column.name).map(({ message }) => message).join(" "));
  }
  if ($("unread").querySelector("[aria-invalid]")) $("unread").open = true;
  const item = ({ column, message }) => {
    const field = form.fields.find((candidate) => candidate.column.name === column);
    return h("li", {}, field ? h("a", { href: `#${field.control.id}` }, column) : column ?? "the row", ": ", message);
  };
  const documented = /^\/(?!\/)/.test(problem.type ?? ""); // an address of this server, or about:blank
  const paragraph = (...content) => h("p", {}, ...content);
  $("problem").replaceChildren(...[
    h("h3", {}, problem.title ?? "The request failed"),
    problem.detail && paragraph(problem.detail),
    errors.length > 0 && h("ul", {}, errors.map(item)),
    problem.hint && paragraph(problem.hint),
    documented && paragraph(h("a", { href: problem.type }, "About this problem")),
    problem.status && h("p", { class: "quiet" }, `${problem.status} ${problem.code ?? ""}`),
  ].filter(Boolean));
  $("answer").hidden = true;
}

function clearProblem(form) {
  $("problem").replaceChildren();
  $("answer").hidden = false;
  form.fields.forEach((field) => field.mark(""));
}

/** Post the rows; return {ok, status, duration, text, body}, where body is null if it is not JSON. */
async function post(path, rows) {
  const started = performance.now();
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify({ rows }) });
  const answer = { ok: response.ok, status: `${response.status} ${response.statusText}`.trim(), text: await response.text() };
  answer.duration = performance.now() - started;
  try { answer.body = JSON.parse(answer.text); } catch { answer.body = null; }
  return answer;
}

/** Say so where the answer shown is not the answer to what the form holds now. */
function showStaleness(form) {
  const note = $("answer-stale");
  if (note) note.hidden = JSON.stringify(readForm(form.fields).row) === form.answered;
}

async function predict(path, form) {
  const { row, errors } = readForm(form.fields);
  if (errors.length > 0) return showProblem({ title: "Nothing was sent", errors }, form);
  const answer = await post(path, [row]).catch(() => null);
  if (!answer) return showProblem({ title: "No answer", detail: "The server cannot be reached." }, form);
  const prediction = answer.body?.predictions?.[0];
  if (!answer.ok || prediction === undefined) {
    const unknown = { title: answer.status, detail: answer.text.slice(0, 300) };
    return showProblem(answer.ok ? unknown : answer.body ?? unknown, form);
  }
  clearProblem(form);
  showAnswer(prediction, answer);
  form.answered = JSON.stringify(row);
  return showStaleness(form);
}

function setUpForm(path, form, changed) {
  let pending = false;
  $("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (pending) return;
    pending = true;
    const slow = setTimeout(() => { $("predict").textContent = "Predicting…"; }, 300);
    await predict(path, form);
    clearTimeout(slow);
    $("predict").textContent = "Predict";
    pending = false;
    $("outcome").scrollIntoView({ block: "nearest" });
  });
  $("form").addEventListener("input", (event) => {
    form.fields.find(({ control }) => control === event.target)?.mark("");
    showStaleness(form);
    changed();
  });
  $("reset").addEventListener("click", () => {
    form.fill();
    clearProblem(form);
    showNoAnswer();
    changed();
    announce("The form holds the example again.");
  });
}

// ---------------------------------------------------------------- snippets

/** Show how the chosen endpoint is called, with the row that the form holds. */
function showSnippets({ calls, example }, form) {
  const { row } = readForm(form.fields);
  const call = calls[Number($("endpoint").value)] ?? calls[0];
  const filled = { ...call, origin: location.origin, row, body: withRow(call.body, example, row) };
  for (const [name, write] of Object.entries(SNIPPETS)) $(`snippet-${name}`).textContent = write(filled);
}

function setUpEndpoints({ calls }, changed) {
  const choice = ({ path }, index) => h("option", { value: String(index) }, `POST ${path}`);
  $("endpoint").replaceChildren(...calls.map(choice));
  $("endpoint").addEventListener("change", changed);
  $("endpoint-choice").hidden = calls.length < 2;
}

/** Return whether the text is on the clipboard; without a secure context the old way is tried. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { class: "unseen", readonly: "", "aria-hidden": "true" }, text);
    document.body.append(area);
    area.select();
    try { return document.execCommand("copy"); } finally { area.remove(); }
  }
}

function setUpTabs() {
  const tabs = [...$("tabs").children];
  const last = tabs.length - 1;
  let selected = 0;
  const select = (index) => {
    selected = index;
    tabs.forEach((tab, at) => {
      tab.setAttribute("aria-selected", String(at === index));
      tab.tabIndex = at === index ? 0 : -1;
      $(tab.getAttribute("aria-controls")).hidden = at !== index;
    });
  };
  tabs.forEach((tab, index) => tab.addEventListener("click", () => select(index)));
  $("tabs").addEventListener("keydown", (event) => {
    const next = selected === last ? 0 : selected + 1;
    const previous = selected === 0 ? last : selected - 1;
    const to = { ArrowRight: next, ArrowLeft: previous, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    select(to);
    tabs[to].focus();
  });
  $("copy").addEventListener("click", async () => {
    const code = $(tabs[selected].getAttribute("aria-controls")).querySelector("code");
    const done = await copy(code.textContent);
    $("copy").focus();
    if (!done) getSelection().selectAllChildren(code);
    $("copy").textContent = done ? "Copied" : "Selected";
    announce(done ? "Copied." : "The browser forbids copying. The text is selected: copy it with the keyboard.");
    setTimeout(() => { $("copy").textContent = "Copy"; }, 2000);
  });
}

// ---------------------------------------------------------------- tables

function categoryCell(categories) {
  if (!categories) return h("td", { class: "quiet" }, "any");
  const codes = (values) => values.flatMap((value, at) => [at > 0 ? " " : "", h("code", {}, value)]);
  if (categories.length <= SHOWN) return h("td", {}, codes(categories));
  return h("td", {}, h("details", {}, h("summary", {}, `${categories.length} values`), codes(categories)));
}

function showTables({ columns, endpoints }) {
  const head = (content) => h("th", { scope: "row" }, content);
  const yes = (value) => h("td", { class: value ? null : "quiet" }, value ? "yes" : "no");
  $("columns").tBodies[0].replaceChildren(...columns.map(({ name, type, required, nullable, choices }) => (
    h("tr", {}, head(h("code", {}, name)), h("td", {}, type), yes(required), yes(nullable), categoryCell(choices)))));
  $("endpoints").tBodies[0].replaceChildren(...endpoints.map(({ method, path, summary }) => {
    const address = h("code", {}, path);
    const link = method === "GET" && !path.includes("{") ? h("a", { href: path }, address) : address;
    return h("tr", {}, h("td", { class: `method ${method.toLowerCase()}` }, method), head(link), h("td", {}, summary));
  }));
}

// ---------------------------------------------------------------- other models

/** Link to the pages of the server's models, where it has several. */
async function showModels() {
  const { models } = await getJson("/v1/models").catch(() => ({ models: [] }));
  if (models.length < 2) return;
  $("models").replaceChildren(...models.map(({ name }) => (
    h("a", { href: `/docs/${name}`, "aria-current": name === MODEL ? "page" : null }, name))));
  $("models").hidden = false;
}

// ---------------------------------------------------------------- start

async function start() {
  let description;
  try {
    const openapi = await getJson(DOCUMENT);
    description = readInterface(openapi);
    showModel({ name: openapi.info?.title ?? "model", version: openapi.info?.version ?? "?" });
  } catch (error) {
    const again = h("a", { href: location.pathname }, "Try again");
    const title = h("h2", {}, "This page cannot describe the model");
    $("fault").replaceChildren(h("div", { class: "panel problem" }, title, h("p", {}, error.message), h("p", {}, again)));
    return;
  }
  const form = makeForm(description);
  const changed = () => showSnippets(description, form);
  setUpForm(description.predictPath, form, changed);
  setUpEndpoints(description, changed);
  setUpTabs();
  showTables(description);
  showNoAnswer();
  changed();
  $("content").hidden = false;
  try {
    showModel(await getJson(description.modelPath));
  } catch (error) {
    const reason = h("dd", { class: "quiet" }, error.message);
    $("metrics").replaceChildren(h("div", {}, h("dt", {}, "Its figures are not known"), reason));
  }
}

setUpTheme();
watchReadiness();
showModels();
start();

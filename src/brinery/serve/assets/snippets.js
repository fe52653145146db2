// How an endpoint is called from elsewhere: text to copy, one writer per language.
//
// A writer is given {origin, path, model, row, body}: the address, the model's name where our own
// client can ask for it (else null), the row of the form, and the whole body that holds it.

const STEP = { curl: "  ", python: "    ", javascript: "  " };
const PYTHON_WORDS = new Map([[null, "None"], [true, "True"], [false, "False"]]);
const NO_WORDS = new Map();

/** Return a value as a literal; a JSON string or number is one of Python and JavaScript, too. */
function literal(value, { step, words = NO_WORDS, indent = "" }) {
  if (Array.isArray(value)) return `[${value.map((one) => literal(one, { step, words, indent })).join(", ")}]`;
  if (value === null || typeof value !== "object") return words.get(value) ?? JSON.stringify(value);
  const within = { step, words, indent: indent + step };
  const lines = Object.entries(value).map(([name, one]) => `${within.indent}${JSON.stringify(name)}: ${literal(one, within)}`);
  return lines.length > 0 ? `{\n${lines.join(",\n")}\n${indent}}` : "{}";
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** Return an example body with the form's row where the example's stands. */
export function withRow(body, example, row) {
  if (same(body, example)) return row;
  if (Array.isArray(body)) return body.map((one) => withRow(one, example, row));
  if (body === null || typeof body !== "object") return body;
  return Object.fromEntries(Object.entries(body).map(([name, one]) => [name, withRow(one, example, row)]));
}

const curl = ({ origin, path, body }) => `curl -sS '${origin}${path}' \\
  -H 'Content-Type: application/json' \\
  -d '${literal(body, { step: STEP.curl }).replaceAll("'", "'\\''")}'`;

const client = ({ origin, model, row }) => `import brinery  # pip install brinery

row = ${literal(row, { step: STEP.python, words: PYTHON_WORDS })}
with brinery.Client(${JSON.stringify(origin)}, model=${JSON.stringify(model)}) as client:
    answer = client.predict(row)  # or a DataFrame
print(answer.predictions[0], "from version", answer.version)`;

const urllib = ({ origin, path, body }) => `import json
from urllib.request import Request, urlopen

body = ${literal(body, { step: STEP.python, words: PYTHON_WORDS })}
request = Request(
    ${JSON.stringify(origin + path)},
    data=json.dumps(body).encode(),
    headers={"Content-Type": "application/json"},
)
with urlopen(request) as response:
    print(json.load(response)["predictions"])`;

const javascript = ({ origin, path, body }) => `const body = ${literal(body, { step: STEP.javascript })};
const response = await fetch(${JSON.stringify(origin + path)}, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});
console.log((await response.json()).predictions);`;

export const SNIPPETS = {
  curl,
  python: (call) => (call.model === null ? urllib(call) : client(call)),
  javascript,
};

// "Try it": one question, answered at every width the model has; the slider picks the one in focus.
import { DEMOS } from "./demos.js";
import { $, bitsText, bytesText, cell, make, meter, timeText } from "./dom.js";
import * as server from "./server.js";

const RUNS = 5;

let latest = { models: [] }; // the last snapshot
let demo = DEMOS[0];
let fields = null;
let labels = [];
let answers = new Map(); // bits -> {text, confidence, choices, micros, bytes}
let question = null; // the request that the answers are for
let asking = new AbortController();

const width = () => Number($("width").value);
// As the server chooses: the newest version that is complete, or else ready.
function model() {
  const ready = latest.models.filter((it) => it.name === demo.model && it.state === "ready");
  return ready.filter((it) => it.widths.every((w) => w.state !== "arriving")).at(-1) ?? ready.at(-1);
}
const widthsNow = () => (model()?.widths ?? []).filter((it) => it.state === "resident");

export function start() {
  $("tabs").replaceChildren(
    ...DEMOS.map((it) =>
      make(
        "button",
        { type: "button", role: "tab", id: `tab-${it.model}`, "aria-controls": "panel", onclick: () => choose(it), onkeydown: walk },
        it.title,
      ),
    ),
  );
  $("question").addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  $("width").addEventListener("input", () => {
    show();
    if (question && !answers.has(width()) && !$("ask").disabled) askExactly(width());
  });
  choose(demo);
}

export function follow(snapshot) {
  latest = snapshot;
  show();
}

// Arrow keys move between the tabs, as the pattern for tabs wants it.
function walk(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const next = DEMOS[(DEMOS.indexOf(demo) + step + DEMOS.length) % DEMOS.length];
  choose(next);
  $(`tab-${next.model}`).focus();
}

function choose(next) {
  asking.abort();
  demo = next;
  answers = new Map();
  question = null;
  labels = [];
  fields = demo.fields();
  $("fields").replaceChildren(...fields.elements);
  for (const it of DEMOS) {
    $(`tab-${it.model}`).setAttribute("aria-selected", String(it === demo));
    $(`tab-${it.model}`).tabIndex = it === demo ? 0 : -1;
  }
  $("panel").setAttribute("aria-labelledby", `tab-${demo.model}`);
  $("confidence-title").textContent = demo.confidence;
  say("");
  show();
}

function say(error) {
  $("try-error").textContent = error;
  $("try-error").hidden = !error;
}

async function ask() {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const asked = demo;
  say("");
  answers = new Map();
  $("ask").disabled = true;
  try {
    if (!model()) throw new Error(absent());
    question = fields.request();
    fields.asked = fields.values?.() ?? [];
    labels = (await server.model(asked.model)).parameters.labels;
    const widths = widthsNow().map((it) => it.bits);
    for (let run = 0; run < RUNS && !signal.aborted; run++) {
      for (const bits of widths) {
        const answer = await server.infer(asked.model, bits, question, signal);
        if (signal.aborted) return;
        take(answer);
      }
    }
  } catch (failure) {
    if (!signal.aborted) say(failure.message);
  } finally {
    if (asking.signal === signal || demo !== asked) $("ask").disabled = false;
  }
}

// For a width that the model did not have when it was asked: the server says how it stands.
async function askExactly(bits) {
  const { signal } = asking;
  say("");
  try {
    const answer = await server.infer(demo.model, bits, question, signal);
    if (!signal.aborted) take(answer);
  } catch (failure) {
    if (!signal.aborted && bits === width()) say(failure.message);
  }
}

function take(answer) {
  const { bits, compute_us: micros } = answer.parameters;
  const before = answers.get(bits);
  const bytes = widthsNow().find((it) => it.bits === bits)?.bytes ?? 0;
  answers.set(bits, { ...demo.read(answer, fields, labels), bytes, micros: Math.min(micros, before?.micros ?? Infinity) });
  show();
}

function absent() {
  const known = latest.models.filter((it) => it.name === demo.model).at(-1);
  if (!known) return `This server does not have the model ${demo.model}.`;
  return `The model ${demo.model} is ${known.state} and cannot answer now.${known.reason ? ` ${known.reason}` : ""}`;
}

const percent = (share) => `${(share * 100).toFixed(1)} %`;

function show() {
  const bits = width();
  $("width-text").textContent = bitsText(bits);
  $("width").setAttribute("aria-valuetext", bitsText(bits));
  $("width").dataset.bits = bits;
  if (answers.has(bits)) say("");
  const text = focus(bits);
  // Only what changed is announced.
  if ($("answer").dataset.text !== text.key) {
    $("answer").dataset.text = text.key;
    $("answer").replaceChildren(...text.elements);
  }
  const slowest = Math.max(...[...answers.values()].map((it) => it.micros));
  const largest = Math.max(...widthsNow().map((it) => it.bytes));
  $("compare").replaceChildren(
    ...[8, 7, 6, 5, 4, 3, 2, 1].map((b) => {
      const answer = answers.get(b);
      const head = make("th", { scope: "row" }, bitsText(b));
      const attributes = b === bits ? { class: "current", "aria-current": "true" } : {};
      if (!answer) return make("tr", { ...attributes, "data-width": b }, head, cell(missing(b)), cell("–"), cell("–"), cell("–"));
      return make(
        "tr",
        { ...attributes, "data-width": b },
        head,
        make("td", { class: answer.text === answers.get(8)?.text ? "text" : "text differs" }, answer.text),
        make("td", {}, meter(answer.confidence, percent(answer.confidence), b)),
        make("td", {}, meter(answer.micros / slowest, timeText(answer.micros), b)),
        make("td", {}, meter(answer.bytes / largest, bytesText(answer.bytes), b)),
      );
    }),
  );
}

function missing(bits) {
  const state = model()?.widths.find((it) => it.bits === bits)?.state;
  if (state === "evicted") return "given up for memory";
  if (state === "arriving") return "still arriving";
  return model() && !state ? "the model has no such width" : "–";
}

function focus(bits) {
  const answer = answers.get(bits);
  if (!answer) {
    const text = model() ? "Ask, then move the slider." : absent();
    return { key: text, elements: [make("p", { class: "empty" }, text)] };
  }
  const facts = `${demo.confidence} ${percent(answer.confidence)} · ${timeText(answer.micros)} · ${bytesText(answer.bytes)}`;
  const choices = answer.choices.map((it) => make("li", {}, meter(it.score, `${it.text} ${percent(it.score)}`, bits)));
  return {
    key: `${bits} ${answer.text} ${facts}`,
    elements: [
      make("p", { class: "said" }, answer.text),
      make("p", { class: "facts" }, `At ${bitsText(bits)}: ${facts}`),
      make("ul", { class: "choices" }, ...choices),
    ],
  };
}

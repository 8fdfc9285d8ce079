// The registry, and how quality, time and bytes of one model go with its width.
import { byWidth } from "./charts.js";
import { quantile } from "./counts.js";
import { $, bitsText, bytesText, cell, countText, make, timeText } from "./dom.js";

const STATES = { resident: "in memory", arriving: "arriving", evicted: "given up for memory" };

const plots = { quality: byWidth($("plot-quality")), latency: byWidth($("plot-latency")), bytes: byWidth($("plot-bytes"), true) };
let shown = "";

export const identity = (model) => `${model.name}@${model.version}`;

const resident = (model) => model.widths.filter((width) => width.state === "resident");

// The selected model: the last one chosen while it is there, else the first that answers.
export function selected(snapshot, chosen) {
  return (
    snapshot.models.find((model) => identity(model) === chosen) ??
    snapshot.models.find((model) => model.state === "ready") ??
    snapshot.models[0]
  );
}

export function showModels(snapshot, current, choose) {
  const focused = document.activeElement?.dataset?.model;
  $("registry").replaceChildren(...snapshot.models.map((model) => row(model, model === current, choose)));
  if (focused) document.querySelector(`[data-model="${CSS.escape(focused)}"]`)?.focus();
  const planes = snapshot.models.reduce((sum, model) => sum + model.plane_bytes, 0);
  $("server-facts").textContent = `${bytesText(planes)} of planes in memory · kernels ${snapshot.server.isa}`;
  $("detail").hidden = !current || current.state !== "ready";
  if (!$("detail").hidden) showDetail(current, snapshot.latency_bounds_us);
}

function row(model, current, choose) {
  const answered = model.widths.reduce((sum, width) => sum + width.answered, 0);
  const name = make(
    "button",
    { type: "button", class: "link", "aria-pressed": String(current), "data-model": identity(model), onclick: () => choose(identity(model)) },
    model.name,
  );
  const state = make("td", {}, make("span", { class: `state ${model.state}` }, model.state));
  if (model.reason) state.append(make("span", { class: "reason" }, model.reason));
  return make(
    "tr",
    { class: current ? "current" : "" },
    make("th", { scope: "row" }, name),
    cell([model.version || "–", ...model.labels].join(" · ")),
    state,
    make("td", {}, planes(model)),
    cell(model.plane_bytes ? bytesText(model.plane_bytes) : "–", true),
    cell(countText(answered), true),
    make("td", {}, brownOut(model)),
  );
}

function planes(model) {
  if (model.widths.length === 0) return "–";
  const text = `${resident(model).length} of ${model.widths.length}`;
  return make(
    "span",
    { class: "planes" },
    make(
      "span",
      { class: "stack", "aria-hidden": "true" },
      ...model.widths.map((width) =>
        make("i", { class: width.state, "data-bits": width.bits, title: `${bitsText(width.bits)}: ${STATES[width.state]}` }),
      ),
    ),
    text,
  );
}

const brownOut = (model) =>
  model.state !== "ready" ? "–" : make("span", { class: `level ${model.brown_out_level ? "hot" : ""}` }, brownOutText(model));

export const brownOutText = (model) => (model.brown_out_level ? `level ${model.brown_out_level} of 9` : "calm");

const metricName = (metric) => metric.replaceAll("_", " ").replace("fp32", "with fp32");

function showDetail(model, bounds) {
  const widths = resident(model);
  const metrics = [...new Set(widths.flatMap((width) => Object.keys(width.quality)))];
  if (shown !== identity(model)) {
    shown = identity(model);
    $("metric").replaceChildren(...metrics.map((metric) => make("option", { value: metric }, metricName(metric))));
    $("metric").onchange = () => showDetail(model, bounds);
  }
  $("metric").disabled = metrics.length === 0;
  const metric = $("metric").value;
  $("detail-title").textContent = `${model.name} ${model.version} by width`;
  const bits = [1, 2, 3, 4, 5, 6, 7, 8];
  const series = (value) => [bits, bits.map((b) => value(widths.find((width) => width.bits === b) ?? { quality: {} }) ?? null)];
  plots.quality.show(series((width) => width.quality[metric]));
  const median = (width) => (width.answered ? quantile(0.5, { answered: width.answered, within: width.answered_within }, bounds) : null);
  plots.latency.show(series((width) => (width.answered ? median(width) / 1000 : null)));
  const [unit, size] = widths.some((width) => width.bytes >= 1e6) ? ["MB", 1e6] : ["kB", 1e3];
  $("bytes-title").textContent = `Bytes read, ${unit}`;
  plots.bytes.show(series((width) => (width.bytes === undefined ? null : width.bytes / size)));
  $("widths-head").replaceChildren(
    make(
      "tr",
      {},
      ...["Width", "State", "Bytes read", "Answered", "Median latency", "Mean compute"].map((title) => make("th", { scope: "col" }, title)),
      ...metrics.map((name) => make("th", { scope: "col" }, metricName(name))),
    ),
  );
  $("widths-body").replaceChildren(
    ...model.widths.map((width) =>
      make(
        "tr",
        {},
        make("th", { scope: "row" }, bitsText(width.bits) + (width.bits === model.default_bits ? " (default)" : "")),
        cell(STATES[width.state]),
        cell(width.bytes ? bytesText(width.bytes) : "–"),
        cell(countText(width.answered)),
        cell(width.answered ? timeText(median(width)) : "not asked yet"),
        cell(width.answered ? timeText(width.compute_us / width.answered) : "not asked yet"),
        ...metrics.map((name) => cell(width.quality[name]?.toFixed(4) ?? "–")),
      ),
    ),
  );
}

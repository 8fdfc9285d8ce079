// What the selected model does now: differences of the snapshot's counts.
import { overTime } from "./charts.js";
import { between, quantile } from "./counts.js";
import { $, bitsText, cell, countText, make, swatch, timeText } from "./dom.js";
import { brownOutText, identity } from "./models.js";

const KEPT_MILLIS = 300_000;
const TABLE_MILLIS = 60_000;
const WIDTHS = [1, 2, 3, 4, 5, 6, 7, 8];

const plot = overTime($("plot-live"));
let history = []; // {at, models: identity -> bits -> cumulative counts}

export function remember(snapshot) {
  const at = performance.now();
  const models = new Map(
    snapshot.models.map((model) => [
      identity(model),
      new Map(model.widths.map((width) => [width.bits, { answered: width.answered, within: width.answered_within }])),
    ]),
  );
  history = history.filter((moment) => at - moment.at <= KEPT_MILLIS).concat({ at, models });
}

const of = (moment, id, bits) => moment?.models.get(id)?.get(bits);

export function showLive(snapshot, model) {
  const queue = snapshot.server.queue;
  $("queue-depth").textContent = `${countText(queue.depth)} of ${countText(queue.capacity)}`;
  $("queue-wait").textContent = timeText(queue.predicted_wait_us);
  if (!model || model.state !== "ready") return;
  $("brown-out").textContent = brownOutText(model);
  $("live-model").textContent = `${model.name}: median latency by width, ms`;
  const id = identity(model);
  const bounds = snapshot.latency_bounds_us;
  const last = history.at(-1);
  const times = history.map((moment) => (moment.at - last.at) / 1000);
  const lines = WIDTHS.map((bits) =>
    history.map((moment, i) => {
      const made = i ? between(of(history[i - 1], id, bits), of(moment, id, bits)) : null;
      return made && made.answered ? quantile(0.5, made, bounds) / 1000 : null;
    }),
  );
  const quiet = lines.every((line) => line.every((value) => value === null));
  $("live-empty").hidden = !quiet;
  $("plot-live").hidden = quiet;
  $("live-empty").textContent = `Nobody has asked ${model.name} since this page was opened. Ask it below.`;
  if (!quiet) plot.show([times, ...lines]);
  const start = history.find((moment) => last.at - moment.at <= TABLE_MILLIS);
  const seconds = Math.max(1, (last.at - start.at) / 1000);
  $("live-body").replaceChildren(
    ...model.widths.map(({ bits }) => {
      const made = between(of(start, id, bits), of(last, id, bits)) ?? { answered: 0 };
      const time = (share) => (made.answered ? timeText(quantile(share, made, bounds)) : "–");
      return make(
        "tr",
        {},
        make("th", { scope: "row" }, swatch(bits), bitsText(bits)),
        cell(made.answered ? (made.answered / seconds).toFixed(1) : "–", true),
        cell(time(0.5), true),
        cell(time(0.99), true),
      );
    }),
  );
}

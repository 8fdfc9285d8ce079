// uPlot in our colours. Charts are decoration for the tables beside them, which say the same in text.
import uPlot from "./uPlot.esm.js";

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export const widthColour = (bits) => style(`--bits-${bits}`);

const charts = new Set();

// A chart that fits its place and follows the colour scheme. `options` is made anew for each scheme.
export class Chart {
  constructor(place, height, options) {
    this.place = place;
    this.height = height;
    this.options = options;
    this.plot = null;
    charts.add(this);
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(place);
  }

  size() {
    return { width: Math.max(160, this.place.clientWidth), height: this.height };
  }

  show(data) {
    this.data = data;
    if (this.plot) this.plot.setData(data);
    else this.draw();
  }

  draw() {
    this.plot?.destroy();
    this.plot = new uPlot({ ...this.size(), ...this.options() }, this.data, this.place);
    this.plot.root.setAttribute("aria-hidden", "true");
  }
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const chart of charts) if (chart.plot) chart.draw();
});

export function axis(extra = {}) {
  return {
    stroke: style("--soft"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: style("--line"), width: 1 },
    ticks: { show: false },
    size: 30,
    gap: 6,
    ...extra,
  };
}

const short = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1).replace(/\.0$/, "") : String(+value.toPrecision(3)));

// One value for each width, 1 to 8: a line with dots, or bars from zero.
export function byWidth(place, bars = false) {
  const dots = (plot, series) => {
    const { ctx } = plot;
    plot.data[0].forEach((bits, i) => {
      const value = plot.data[series][i];
      if (value == null) return;
      ctx.beginPath();
      ctx.fillStyle = widthColour(bits);
      if (bars) {
        const width = Math.min(26, plot.bbox.width / 12 / devicePixelRatio) * devicePixelRatio;
        const top = plot.valToPos(value, "y", true);
        ctx.roundRect(plot.valToPos(bits, "x", true) - width / 2, top, width, plot.valToPos(0, "y", true) - top, [4, 4, 0, 0]);
      } else {
        ctx.arc(plot.valToPos(bits, "x", true), plot.valToPos(value, "y", true), 4.5 * devicePixelRatio, 0, 2 * Math.PI);
      }
      ctx.fill();
    });
  };
  return new Chart(place, 190, () => ({
    legend: { show: false },
    cursor: { show: false },
    padding: [10, 8, 0, 0],
    scales: { x: { time: false, range: [0.5, 8.5] }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] } },
    axes: [
      axis({ grid: { show: false }, splits: [1, 2, 3, 4, 5, 6, 7, 8], values: (_, ticks) => ticks.map(String) }),
      axis({ size: 44, values: (_, ticks) => ticks.map(short) }),
    ],
    series: [{}, bars ? { paths: () => null, points: { show: false } } : { stroke: style("--soft"), width: 1.5, points: { show: false }, spanGaps: true }],
    hooks: { drawSeries: [dots] },
  }));
}

// A line for each width over time, in seconds before now.
export function overTime(place) {
  return new Chart(place, 340, () => ({
    legend: { show: false },
    cursor: { show: false },
    padding: [10, 12, 0, 0],
    scales: { x: { time: false, range: (_, first) => [Math.min(-60, first), 0] }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.15 : 1] } },
    axes: [
      axis({
        grid: { show: false },
        splits: (_, __, first) => [5, 4, 3, 2, 1, 0].map((i) => -i * (first < -120 ? 60 : first < -60 ? 30 : 15)).filter((t) => t >= first),
        values: (_, ticks) => ticks.map((t) => (t === 0 ? "now" : t % 60 ? `${t} s` : `${t / 60} min`)),
      }),
      axis({ size: 44, values: (_, ticks) => ticks.map(short) }),
    ],
    series: [
      {},
      ...[1, 2, 3, 4, 5, 6, 7, 8].map((bits) => ({
        stroke: widthColour(bits),
        width: 2,
        spanGaps: true,
        points: { show: true, size: 5, fill: widthColour(bits), stroke: widthColour(bits) },
      })),
    ],
  }));
}

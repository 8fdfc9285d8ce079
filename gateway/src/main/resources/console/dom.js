// Small words for making elements. Text is always set as text, never as markup.

export const $ = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export const cell = (text, number = false) => make("td", number ? { class: "number" } : {}, text);

// A bar with its number; the number is what a screen reader reads.
export function meter(share, text, bits) {
  const fill = make("span", { class: "fill", "data-bits": bits });
  fill.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return make("span", { class: "meter" }, make("span", { class: "track", "aria-hidden": "true" }, fill), text);
}

export const swatch = (bits) => make("span", { class: "swatch", "data-bits": bits, "aria-hidden": "true" });

export const bitsText = (bits) => (bits === 1 ? "1 bit" : `${bits} bits`);

export function bytesText(bytes) {
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  if (bytes >= 1e3) return `${(bytes / 1e3).toFixed(bytes < 1e5 ? 1 : 0)} kB`;
  return `${bytes} B`;
}

export function timeText(micros) {
  if (micros >= 1e6) return `${(micros / 1e6).toFixed(2)} s`;
  if (micros >= 1e4) return `${(micros / 1e3).toFixed(0)} ms`;
  if (micros >= 1e3) return `${(micros / 1e3).toFixed(1)} ms`;
  return `${Math.round(micros)} µs`;
}

export const countText = (count) => count.toLocaleString("en");

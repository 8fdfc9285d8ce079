// The only place that talks to the server, and the one that turns its refusals into sentences.

const KEY = "strata-api-key";

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export const key = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => (value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY)),
};

const BEGINNINGS = {
  401: "The server wants an API key, or does not know this one.",
  403: "This key does not allow that: watching needs the role observe, asking a model the role infer.",
  404: "The server does not have this model.",
  413: "This is larger than the server accepts.",
  429: "The server has more work than it can do in time. Try again in a moment.",
  503: "The model cannot answer that at present.",
  504: "The server could not answer in time.",
};

async function request(path, options = {}) {
  const headers = new Headers(options.headers);
  if (key.get()) headers.set("Authorization", `Bearer ${key.get()}`);
  let response;
  try {
    response = await fetch(path, { ...options, headers, cache: "no-store", credentials: "same-origin" });
  } catch (failure) {
    if (failure.name === "AbortError") throw failure;
    throw new Refused(0, "The server does not answer. It may be restarting, or the network is down.");
  }
  if (response.ok) return response;
  const said = await response.json().then((body) => body.error, () => "");
  const beginning = BEGINNINGS[response.status] ?? "";
  const detail = response.status === 401 || response.status === 403 ? "" : said;
  throw new Refused(response.status, [beginning, detail].filter(Boolean).join(" ") || `The server answered ${response.status}.`);
}

export const snapshot = async () => (await request("strata/v1/snapshot")).json();

export const model = async (name) => (await request(`v2/models/${encodeURIComponent(name)}`)).json();

// One answer at exactly this width.
export async function infer(name, bits, { headers, body }, signal) {
  const response = await request(`v2/models/${encodeURIComponent(name)}/infer`, {
    method: "POST",
    headers: { ...headers, Accept: "application/json", "Strata-Bits": bits },
    body,
    signal,
  });
  return response.json();
}

// Starts the page: asks for the snapshot every two seconds and hands it to the parts.
import { $ } from "./dom.js";
import { remember, showLive } from "./live.js";
import { selected, showModels } from "./models.js";
import * as server from "./server.js";
import * as tryIt from "./tryit.js";

const EVERY_MILLIS = 2000;

let chosen = "";
let latest = null;

function state(text, kind) {
  if ($("status").textContent !== text) $("status").textContent = text;
  $("status").className = `pill ${kind}`;
}

function draw() {
  const current = selected(latest, chosen);
  showModels(latest, current, (id) => {
    chosen = id;
    draw();
  });
  showLive(latest, current);
  tryIt.follow(latest);
  const levels = latest.models.map((model) => model.brown_out_level);
  const worst = Math.max(0, ...levels);
  if (worst) state(`Browning out, level ${worst}`, "warn");
  else if (!latest.server.ready) state("Not ready", "warn");
  else state("Ready, calm", "good");
}

function banner(text) {
  $("banner").textContent = text;
  $("banner").hidden = !text;
}

async function poll() {
  try {
    latest = await server.snapshot();
    remember(latest);
    banner("");
    draw();
  } catch (failure) {
    banner(failure.message);
    state(failure.status === 401 || failure.status === 403 ? "No access" : "Server away", "bad");
    if (failure.status === 401 && !$("key-dialog").open && !poll.asked) {
      poll.asked = true;
      openKey();
    }
  }
}

async function watch() {
  for (;;) {
    if (!document.hidden) await poll();
    await new Promise((done) => setTimeout(done, EVERY_MILLIS));
  }
}

function openKey() {
  $("key").value = server.key.get();
  $("key-dialog").showModal();
}

$("key-button").addEventListener("click", openKey);
$("key-form").addEventListener("submit", () => {
  server.key.set($("key").value.trim());
  poll();
});
$("key-forget").addEventListener("click", () => {
  server.key.set("");
  $("key-dialog").close();
  poll();
});
tryIt.start();
watch();

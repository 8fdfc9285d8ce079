// The console in headless Chromium, against the packaged gateway with keys, and with a model whose
// file has only arrived up to 4 bits when the first page is opened.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, afterEach, before, test } from "node:test";
import axe from "axe-core";
import { chromium } from "playwright-core";

const GATEWAY = resolve("../../..");
const SHOTS = join(GATEWAY, "target/console");
const FOUR_BITS = 91968; // bytes of the prefix of four bits
const WATCH = "key-of-a-watcher";
const BOTH = "key-of-one-who-may-ask";

const work = mkdtempSync(join(tmpdir(), "strata-console-"));
const artifact = readFileSync(join(GATEWAY, "src/main/repository/fashion/1/model.strata"));
const served = join(work, "repository/fashion/1/model.strata");
let gateway, browser, page, base, complaints;

async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

async function until(what, condition, seconds = 30) {
  for (const end = Date.now() + seconds * 1000; ; ) {
    if (await condition().catch(() => false)) return;
    assert.ok(Date.now() < end, `waited in vain for ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  mkdirSync(join(work, "repository/fashion/1"), { recursive: true });
  writeFileSync(served, artifact.subarray(0, FOUR_BITS));
  const line = (name, roles, key) => `${name} ${roles} ${createHash("sha256").update(key).digest("hex")}\n`;
  writeFileSync(join(work, "keys"), line("watcher", "observe", WATCH) + line("user", "observe,infer", BOTH));
  const port = await freePort();
  base = `http://127.0.0.1:${port}/`;
  let log = "";
  gateway = spawn(join(GATEWAY, "../deploy/gateway-java"), [
    `-Dquarkus.http.port=${port}`,
    `-Dstrata.grpc.port=${await freePort()}`,
    `-Dstrata.repositories=${join(work, "repository")}`,
    `-Dstrata.security.api-keys=${join(work, "keys")}`,
    "-Dstrata.shutdown.delay=0s",
  ]);
  gateway.stdout.on("data", (text) => (log += text));
  gateway.stderr.on("data", (text) => (log += text));
  await until("the gateway", async () => {
    assert.equal(gateway.exitCode, null, log);
    return (await fetch(`${base}v2/models/fashion/ready`, { headers: { "X-Api-Key": BOTH } })).ok;
  });
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
});

after(async () => {
  await browser?.close();
  if (gateway?.exitCode === null) {
    gateway.kill();
    await new Promise((ended) => gateway.once("exit", ended));
  }
  rmSync(work, { recursive: true });
});

const open = async (options = {}) => {
  page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  // A refused request is told by the browser too; what the page makes of it is tested.
  page.on("console", (said) => said.type() === "error" && !said.text().startsWith("Failed to load resource") && complaints.push(said.text()));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(base) && !url.startsWith("blob:")) complaints.push(`asked another host: ${url}`);
    if (url.includes(WATCH) || url.includes(BOTH)) complaints.push(`a key in a URL: ${url}`);
  });
  await page.goto(base);
};

const enter = async (key, options) => {
  await open(options);
  await page.getByLabel("Key or token").fill(key);
  await page.keyboard.press("Enter");
  await page.locator("#registry tr").first().waitFor();
};

const ask = async () => {
  await page.getByRole("button", { name: "Ask at every width" }).click();
  await page.locator("#ask:enabled").waitFor();
};

const move = (bits) => page.getByRole("slider", { name: "Width" }).fill(String(bits));
const row = (bits) => page.locator(`#compare tr[data-width="${bits}"]`);
const answer = () => page.locator("#answer").innerText();

afterEach(async () => {
  await page?.close();
  assert.deepEqual(complaints, []);
});

test("a width that has not arrived is refused in words, and answers once it is there", async () => {
  await enter(BOTH);
  assert.match(await page.locator("#registry").innerText(), /4 of 8/);
  await ask();
  await move(4);
  assert.match(await answer(), /Ankle boot\s+At 4 bits/);
  await move(8);
  await page.locator("#try-error:visible").waitFor();
  assert.match(await page.locator("#try-error").innerText(), /cannot answer that at present.*bits: got 8/);
  assert.match(await row(8).innerText(), /still arriving/);
  appendFileSync(served, artifact.subarray(FOUR_BITS));
  await page.getByText("8 of 8").waitFor();
  await ask();
  assert.match(await answer(), /Ankle boot\s+At 8 bits/);
  assert.equal(await page.locator("#try-error").isVisible(), false);
});

test("answers change with the slider, and every width is counted as itself", async () => {
  await enter(BOTH);
  await ask();
  const said = new Set();
  for (const bits of [8, 4, 2, 1]) {
    await move(bits);
    assert.match(await answer(), new RegExp(`At ${bits} bits?: Probability`));
    assert.match(await row(bits).getAttribute("class"), /current/);
    said.add(await answer());
  }
  assert.equal(said.size, 4);
  const share = (bits) => row(bits).locator("td").nth(1).innerText();
  assert.notEqual(await share(1), await share(8));
  await page.waitForFunction(() => [...document.querySelectorAll("#live-body tr")].every((it) => /\d (µs|ms|s)$/.test(it.innerText)));
});

test("one's own picture is asked, and what is no picture is refused in words", async () => {
  await enter(BOTH);
  const upload = (name, buffer) => page.getByLabel("Or your own").setInputFiles({ name, mimeType: "image/png", buffer });
  await upload("bag.png", readFileSync(join(GATEWAY, "../docs/examples/bag.png")));
  await ask();
  assert.match(await answer(), /^Bag/);
  await upload("bad.png", Buffer.from("no picture"));
  await ask();
  assert.match(await page.locator("#try-error").innerText(), /image/);
  await page.getByRole("tab", { name: "Similar text" }).click();
  assert.match(await answer(), /does not have the model minilm/);
});

test("everything is done by the keyboard alone", async () => {
  await enter(BOTH);
  const tabTo = async (selector) => {
    for (let i = 0; i < 60; i++) {
      if (await page.evaluate((it) => document.activeElement.matches(it), selector)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`Tab never reaches ${selector}`);
  };
  await tabTo("#registry button");
  await page.keyboard.press("Enter");
  await tabTo("[role=tab][aria-selected=true]");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Similar text");
  await page.keyboard.press("ArrowLeft");
  await tabTo("input[type=radio]");
  await page.keyboard.press("ArrowDown");
  await page.locator(".preview[alt=Bag]").waitFor();
  await tabTo("#ask");
  await page.keyboard.press("Enter");
  await page.locator("#ask:enabled").waitFor();
  await tabTo("#width");
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowLeft");
  assert.match(await answer(), /^Bag\s+At 7 bits/);
});

test("a key that may only watch is told so, and a wrong key gets nothing", async () => {
  await enter(WATCH);
  await ask();
  assert.match(await page.locator("#try-error").innerText(), /role infer/);
  await page.getByRole("button", { name: "API key" }).click();
  await page.getByLabel("Key or token").fill("wrong");
  await page.keyboard.press("Enter");
  await page.getByText("No access").waitFor();
  assert.match(await page.locator("#banner").innerText(), /wants an API key, or does not know this one/);
});

for (const colorScheme of ["light", "dark"]) {
  test(`it is accessible and has its colours in ${colorScheme}`, async () => {
    await enter(BOTH, { colorScheme });
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const brightness = Math.max(...ground.match(/\d+/g).map(Number));
    assert.equal(brightness > 128, colorScheme === "light", ground);
    await ask();
    for (const bits of [8, 4, 2]) {
      await move(bits);
      await page.evaluate(() => scrollTo(0, 0));
      await page.screenshot({ path: join(SHOTS, `${colorScheme}-${bits}.png`), fullPage: true });
    }
    await page.locator("#detail summary").click();
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.html).join(" ")}`), []);
  });
}

test("brown-out and given up planes are shown where they are", async () => {
  await enter(BOTH);
  await page.route("**/strata/v1/snapshot", async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    body.models[0].brown_out_level = 3;
    Object.assign(body.models[0].widths[7], { state: "evicted", bytes: 0 });
    await route.fulfill({ response: answer, json: body });
  });
  await page.getByText("Browning out, level 3").waitFor();
  assert.match(await page.locator("#registry").innerText(), /7 of 8[^]*level 3 of 9/);
  assert.match(await row(8).innerText(), /given up for memory/);
  await page.unroute("**/strata/v1/snapshot");
  await page.getByText("Ready, calm").waitFor();
});

test("a phone is wide enough", async () => {
  await enter(BOTH, { viewport: { width: 390, height: 844 } });
  await ask();
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `the page is ${overflow} pixels too wide`);
});

test("the files are kept by tag and may do nothing but ask this server", async () => {
  await open();
  const first = await fetch(base);
  assert.equal(first.headers.get("cache-control"), "no-cache");
  assert.match(first.headers.get("content-security-policy"), /default-src 'none'/);
  assert.equal((await fetch(base, { headers: { "If-None-Match": first.headers.get("etag") } })).status, 304);
  assert.equal((await fetch(`${base}strata/v1/snapshot`)).status, 401);
  assert.equal((await fetch(`${base}console/nothing.js`)).status, 404);
});

test("a server that goes away is told in words", async () => {
  await enter(BOTH);
  gateway.kill();
  await new Promise((ended) => gateway.once("exit", ended));
  await page.getByText("Server away").waitFor();
  assert.match(await page.locator("#banner").innerText(), /does not answer/);
});

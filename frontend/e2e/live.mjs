// The page in a real browser, against the whole demo: a person signs in, sees figures with their age, and they move by themselves.
//
// Starts the demo's program and a headless Chromium, and ends both. With PICTURES=folder it leaves pictures of what was seen.

import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import path from "node:path";
import { chromium } from "playwright-core";

const root = path.resolve(import.meta.dirname, "../..");
const patience = 120_000;

/** Starts the demo and waits until it has said its address and its token. */
function startDemo() {
  const demo = spawn(path.join(root, "target/debug/demo"), ["--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ready = new Promise((resolve, reject) => {
    let said = "";
    demo.stdout.on("data", (part) => {
      said += part;
      const url = /Open\s+(\S+)/.exec(said)?.[1];
      const token = /Token\s+(\S+)/.exec(said)?.[1];
      if (url && token) resolve({ url, token });
    });
    demo.on("exit", (code) => reject(new Error(`the demo ended with ${code}`)));
  });
  return { demo, ready };
}

function stopDemo(demo) {
  if (demo.exitCode !== null) return Promise.resolve();
  const ended = new Promise((resolve) => demo.on("exit", resolve));
  demo.kill("SIGINT");
  return ended;
}

async function picture(page, name) {
  if (process.env.PICTURES) {
    await page.screenshot({ path: path.join(process.env.PICTURES, `${name}.png`), fullPage: true });
  }
}

/** The value that a card shows, once it is another one than `before`. */
async function shownValue(page, metric, before) {
  const value = page.locator(`[data-testid="card-${metric}"] .card-total .figure`);
  await value.waitFor({ timeout: patience });
  if (before !== undefined) {
    await page.waitForFunction(
      ([selector, old]) => document.querySelector(selector)?.textContent !== old,
      [`[data-testid="card-${metric}"] .card-total .figure`, before],
      { timeout: patience },
    );
  }
  return value.textContent();
}

const { demo, ready } = startDemo();
let browser;
try {
  const { url, token } = await ready;
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  const context = await browser.newContext({ locale: "es-PR", viewport: { width: 1360, height: 900 } });
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/401/.test(message.text())) problems.push(message.text());
  });

  await page.goto(url);
  await page.getByTestId("sign-in-token").fill("not-the-token");
  await page.getByTestId("sign-in-submit").click();
  await page.getByRole("alert").waitFor({ timeout: patience });
  await picture(page, "sign-in");
  await page.getByTestId("sign-in-token").fill(token);
  await page.getByTestId("sign-in-submit").click();

  for (const metric of ["orders_received", "orders_shipped", "units_shipped", "line_fill_rate"]) {
    await page.getByTestId(`card-${metric}`).waitFor({ timeout: patience });
  }
  await page.getByTestId("chart").waitFor({ timeout: patience });
  await page.getByTestId("pipeline-table-orders").waitFor({ timeout: patience });
  await page.waitForFunction(
    () => document.querySelector('[data-testid="state"]')?.dataset.state === "live",
    null,
    { timeout: patience },
  );
  assert.match(await page.getByTestId("age").textContent(), /\d/, "the age of the data is in sight");
  await picture(page, "testing-es");

  const loads = [];
  page.on("framenavigated", (frame) => loads.push(frame.url()));
  const before = await shownValue(page, "orders_received");
  const after = await shownValue(page, "orders_received", before);
  assert.equal(loads.length, 0, "the figures moved without a reload");
  console.log(
    `orders received today went from ${before.trim()} to ${after.trim()} before the eyes of a reader`,
  );

  const stored = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  assert.ok(
    !stored.includes(token) && !(await page.evaluate(() => document.cookie)).includes(token),
    "no script can read the token",
  );
  await page.getByTestId("language").click();
  await page.getByText("Sign out").waitFor({ timeout: patience });
  await picture(page, "testing-en");
  await page.setViewportSize({ width: 390, height: 844 });
  await picture(page, "testing-phone");
  assert.deepEqual(problems, [], "no errors in the browser");
} finally {
  await browser?.close();
  await stopDemo(demo);
}

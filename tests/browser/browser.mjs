// One lab and one browser for all tests, and a page that notes what a clean page never does.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";

import { chromium } from "playwright-core";

import { LivingLab, screens, until } from "./lab.mjs";

export const lab = new LivingLab();
let browser;

export async function start() {
  mkdirSync(screens, { recursive: true });
  await lab.start();
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
}
export async function stop() {
  await browser?.close();
  await lab.stop();
}

export const isLoaded = (page) =>
  page.waitForFunction(() => document.querySelector("main h1") && !document.querySelector(".loading"));

// A fresh page that notes everything a clean page never does.
export async function open(where, { width = 1280, scheme = "light", prepare } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: scheme,
    timezoneId: "America/New_York",
  });
  const page = await context.newPage();
  page.complaints = [];
  page.on("console", (line) => {
    if (line.type() === "error") page.complaints.push(line.text());
  });
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(lab.url)) page.complaints.push(`asks ${request.url()}`);
  });
  await prepare?.(page);
  await page.goto(lab.url + where);
  await isLoaded(page);
  return page;
}

// As a link leads: the page stays, and with it its one stream of events. The agent serves few of them, and notices up to
// a second late that one was left.
export const go = (page, where) =>
  page.evaluate((to) => {
    history.pushState(null, "", to);
    dispatchEvent(new PopStateEvent("popstate"));
  }, where);

// `refused`: the test itself asked for what the agent refuses, which browsers note.
export async function clean(page, { refused = false } = {}) {
  const complaints = page.complaints.filter((text) => !refused || !/status of 40[04]/.test(text));
  await page.context().close(); // first, or its event stream would stay open
  assert.deepEqual(complaints, []);
}

// Until the page, which nobody reloads, says so.
export const says = (page, wanted, seconds = 10) =>
  until(`the page says ${wanted}`, seconds, async () => wanted.test(await page.locator("main").innerText()));

// Answers of the API changed on their way to the page: by a path pattern, what to make of the JSON.
export const altered = (changes) => async (page) => {
  for (const [where, change] of Object.entries(changes))
    await page.route(where, async (route) => {
      if (route.request().method() !== "GET") return route.fallback();
      // A page that was left asks for nothing any more.
      const reply = await route.fetch().catch(() => null);
      if (reply === null) return route.abort().catch(() => {});
      const json = reply.ok() ? await reply.json().catch(() => undefined) : null;
      if (json === undefined) return; // it was left meanwhile
      return route.fulfill({ json: await change(json, new URL(route.request().url())) });
    });
};

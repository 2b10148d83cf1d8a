// Who reads, what they may do, who did what.
import assert from "node:assert/strict";
import { test } from "node:test";

import { altered, clean, lab, open, says } from "./browser.mjs";
import { until } from "./lab.mjs";

const as = (name, right, groups = null) =>
  altered({ "**/api/v1/whoami": () => ({ name, right, login: "user", groups }) });

export function people() {
  test("a name comes from the login: nobody types one", async () => {
    await until("an alert fires", 60, async () => (await lab.items("/api/v1/alerts?state=firing")).length > 0);
    const page = await open("/alerts", { prepare: as("alice", "operate") });
    await until("she is named", 5, async () => /alice \(operate\)/.test(await page.locator("header").innerText()));
    await page.locator("article summary").first().click();
    await page.getByRole("button", { name: "Acknowledge…" }).first().click();
    await page.getByRole("button", { name: "Acknowledge it" }).waitFor();
    assert.equal(await page.getByLabel("Your name").count(), 0);
    await page.goto(`${lab.url}/silences`);
    await page.getByRole("button", { name: "Silence", exact: true }).waitFor();
    assert.equal(await page.getByLabel("Your name").count(), 0);
    await clean(page);
  });

  test("who is here for some groups sees which", async () => {
    for (const [groups, says] of [
      [["shop"], "alice (operate, group shop)"],
      [["club", "shop"], "alice (operate, groups club, shop)"],
    ]) {
      const page = await open("/", { prepare: as("alice", "operate", groups) });
      await until(says, 5, async () => (await page.locator("header").innerText()).includes(says));
      await clean(page);
    }
  });

  test("readers see no buttons that they may not press", async () => {
    for (const where of ["/alerts", "/domains/mismatch.test", "/silences", "/status", "/domains/insecuremx.test"]) {
      const page = await open(where, { prepare: as("rita", "read") });
      await until("she is named", 5, async () => /rita \(read\)/.test(await page.locator("header").innerText()));
      const names = await page.locator("main button, main a.button").allInnerTexts();
      assert.deepEqual(
        names.filter((name) => /Acknowledge|Silence|Check now|End it|I have|Send|Add a condition/.test(name)),
        [],
        where,
      );
      await clean(page);
    }
  });

  test("who did what is listed, and filters stand in the address", async () => {
    const asked = [];
    const act = (act, more) => ({
      at: "2026-01-02T03:04:05Z",
      by: "alice",
      login: "user",
      act,
      comment: "",
      fault: null,
      ...more,
    });
    const page = await open("/", {
      prepare: async (it) => {
        await as("alice", "operate")(it);
        await it.route("**/api/v1/acts?*", (route) => {
          asked.push(new URL(route.request().url()).searchParams.get("act"));
          return route.fulfill({
            json: {
              items: [
                act("check", { subject: { kind: "domain", name: "healthy.test" } }),
                act("silence", {
                  subject: { kind: "silence", name: "s-1" },
                  comment: "known <b>",
                  fault: "the end is past",
                }),
              ],
              next: null,
            },
          });
        });
      },
    });
    await page.getByRole("link", { name: "Audit" }).click();
    await says(
      page,
      /alice[^]*asked for a probe[^]*healthy\.test[^]*silenced[^]*refused: the end is past[^]*known <b>/,
    );
    await page.getByLabel("Act").selectOption("silence");
    await until("it is asked for", 5, () => asked.includes("silence"));
    assert.match(page.url(), /act=silence/);
    await clean(page);
  });
}

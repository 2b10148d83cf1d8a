// Time as people think of it: days, what happened, what was known last; and a domain that is checked once.
import assert from "node:assert/strict";
import { test } from "node:test";

import { altered, clean, lab, open, says } from "./browser.mjs";
import { until } from "./lab.mjs";

const share = (days, authenticated, known, unwatched = 0) => ({
  days,
  authenticated,
  known_seconds: known,
  unknown_seconds: 0,
  unwatched_seconds: unwatched,
});
const day = (date, delivery, verdict = null) => ({ date, delivery, verdict, unknown_seconds: 0 });
const days = (domain) => ({
  days: [
    day("2026-01-01", null),
    day("2026-01-02", "fine", "authenticated"),
    day("2026-01-03", "held-up", "deferred"),
    { ...day("2026-01-04", "unknown", "unknown"), unknown_seconds: 7200 },
  ],
  episodes: [
    {
      domain,
      from: "2026-01-03T04:05:06Z",
      until: "2026-01-03T05:05:06Z",
      delivery: "held-up",
      verdict: "deferred",
    },
  ],
  episodes_count: 1,
  shares: [share(30, 0.9993, 30 * 86400), share(90, 1, 3 * 86400, 87 * 86400)],
});
const bars = (page) => page.locator(".days span").evaluateAll((all) => all.map((one) => [one.className, one.title]));

export function time() {
  test("days are bars of the worst that happened, with their episodes, and shares say of how much", async () => {
    const page = await open("/domains/healthy.test", {
      prepare: altered({ "**/api/v1/domains/healthy.test/days?*": () => days("healthy.test") }),
    });
    await page.locator(".days").waitFor();
    const shown = await bars(page);
    assert.deepEqual(
      shown.map(([look]) => look),
      ["none", "ok", "critical", "unknown"],
    );
    assert.equal(shown[0][1], "2026-01-01: not watched");
    assert.equal(shown[2][1], "2026-01-03: held up\n01-03 04:05 – 01-03 05:05: held up");
    assert.match(shown[3][1], /unknown for 2 h/);
    await says(page, /Authenticated 99\.93 % of 30 days, 100 % of the time known in 90 days \(3\.33 % of it\)\./);
    await page.getByText("1 episode").click();
    await says(page, /held up\s+2026-01-03 04:05 UTC to 2026-01-03 05:05 UTC|held up.*01-03 04:05.* to .*01-03 05:05/);
    await clean(page);
  });

  test("the share of an agent younger than the span says since when it watches, once", async () => {
    const since = "2026-01-02T03:04:05Z";
    const shares = [30, 90].map((length) => ({ ...share(length, 0.9993, 86_400, 29 * 86_400), since }));
    const page = await open("/domains/healthy.test", {
      prepare: altered({ "**/api/v1/domains/healthy.test/days?*": () => ({ ...days("healthy.test"), shares }) }),
    });
    await says(page, /Authenticated 99\.93 % since 2026-01-02 03:04 UTC, when watching began\./);
    await clean(page);
    const own = await open("/domains/healthy.test");
    await says(own, /Authenticated [\d.]+ % since 20\S+ \d\d:\d\d UTC, when watching began/);
    await clean(own);
  });

  test("the public page follows what happens without being loaded again, and needs no script", async () => {
    const page = await open("/public");
    const lead = page.locator("main .lead");
    assert.match(await lead.innerText(), /does not arrive at 1 of 2 domains/);
    await page.evaluate(() => {
      document.querySelector("article").isOld = true;
    });
    await page.route("**/public", async (route) => {
      const reply = await route.fetch();
      const body = (await reply.text()).replace("does not arrive at 1 of 2", "does not arrive at 2 of 2");
      return route.fulfill({ response: reply, body });
    });
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await until("it says so", 5, async () => /2 of 2/.test(await lead.innerText()));
    assert.ok(await page.evaluate(() => document.querySelector("article").isOld), "what is as before stays in place");
    await clean(page);
    const plain = await (await fetch(`${lab.url}/public`)).text();
    assert.match(plain, /<noscript><meta http-equiv="refresh" content="60">/);
    assert.match(plain, /authenticated [\d.]+ % since <time /);
  });

  test("a group has days of its own", async () => {
    const asked = [];
    const page = await open("/domains?group=g%26h", {
      prepare: altered({
        "**/api/v1/days?*": (_, url) => {
          asked.push(url.searchParams.get("group"));
          return days("healthy.test");
        },
      }),
    });
    await page.locator(".days").waitFor();
    assert.deepEqual([...new Set(asked)], ["g&h"]);
    assert.match((await bars(page))[2][1], /healthy\.test held up/);
    await clean(page);
    const all = await open("/domains");
    assert.equal(await all.locator(".days").count(), 0);
    await clean(all);
  });

  test("what people did is told in sentences, among all that happened", async () => {
    const asked = await fetch(`${lab.url}/api/v1/domains/healthy.test/check`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
    });
    assert.equal(asked.status, 202);
    const filtered = await open("/history");
    await filtered.getByLabel(/^Verdict/).selectOption({ label: "mail waits in queues" });
    await until("only changes to that verdict are listed", 10, async () => {
      const said = await filtered.locator("tbody th").allInnerTexts();
      return said.length > 0 && said.every((one) => /mail waits in senders' queues/.test(one));
    });
    assert.match(filtered.url(), /verdict=deferred/);
    await filtered.getByLabel(/^Verdict/).selectOption("");
    await filtered.getByLabel(/^Finding/).selectOption("tlsa-mismatch");
    await until("only alerts of that finding are listed", 10, async () => {
      const kinds = await filtered.locator("tbody tr td:nth-child(2)").allInnerTexts();
      return kinds.includes("alert opened") && kinds.every((one) => /^(?:act|alert (?:opened|resolved))$/.test(one));
    });
    await clean(filtered);
    const page = await open("/history");
    await says(page, /act\s+Somebody asked for a check of healthy\.test\./);
    await page.getByLabel("What").selectOption({ label: "acts" });
    await until("the filter stands in the address", 5, () => /kind=act/.test(page.url()));
    await until("only acts are listed", 10, async () => {
      const kinds = await page.locator("tbody tr td:nth-child(2)").allInnerTexts();
      return kinds.length > 0 && kinds.every((one) => one === "act");
    });
    await clean(page);
  });

  test("what cannot be determined now is shown as it was known last, and says so", async () => {
    const domain = await open("/domains/healthy.test", {
      prepare: altered({
        "**/api/v1/domains/healthy.test": ({ observed_at, verdict, delivery, hosts, mx, ...rest }) => ({
          ...rest,
          observed_at,
          mx,
          verdict: "unknown",
          delivery: "unknown",
          status: "unknown",
          hosts: [],
          last_known: { stale: true, observed_at, verdict, delivery, hosts, mx },
        }),
      }),
    });
    await says(domain, /Could not be determined now\. This is the last known state, .* ago\./);
    await says(domain, /mx\.healthy\.test/);
    assert.equal(await domain.getByText("No session yet").count(), 0);
    assert.equal(
      await domain.locator("main .mark.ok", { hasText: "authenticated" }).filter({ visible: true }).count(),
      0,
    );
    await clean(domain);
  });

  test("any domain is checked once, and may be watched from then on", async () => {
    const posted = [];
    const page = await open("/check", {
      prepare: (it) =>
        it.route("**/api/v1/domains", (route) => {
          if (route.request().method() !== "POST") return route.fallback();
          posted.push(route.request().postDataJSON());
          return route.fulfill({ status: 201, json: { domain: "mismatch.test", list: "more.txt" } });
        }),
    });
    await page.getByLabel("Mail domain").fill("no domain");
    await page.getByRole("button", { name: "Check", exact: true }).click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Mail domain").fill("mismatch.test");
    await page.getByRole("button", { name: "Check", exact: true }).click();
    await until("it has an address", 10, () => /\/check\?id=/.test(page.url()));
    await says(page, /mismatch\.test\W+held up/, 60);
    await says(page, /the certificate matches no TLSA record/);
    await page.getByRole("button", { name: "+ Watch this domain" }).click();
    await says(page, /mismatch\.test is watched from now on/);
    assert.deepEqual(posted, [{ domain: "mismatch.test" }]);
    await clean(page, { refused: true });
  });
}

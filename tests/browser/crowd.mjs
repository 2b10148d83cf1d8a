// Ten thousand domains: no view grows with them, and whoever goes back is where they were.
import assert from "node:assert/strict";
import { test } from "node:test";

import { altered, clean, lab, open, says } from "./browser.mjs";
import { until } from "./lab.mjs";

const mostNodes = 2000;
const names = Array.from({ length: 9950 }, (_, at) => `d${at}.test`);
const nodes = (page) =>
  page.evaluate(() => {
    let count = 0;
    for (const walk = document.createTreeWalker(document.body); walk.nextNode(); ) count += 1;
    return count;
  });

export function crowd() {
  test("no view inserts more than two thousand nodes for ten thousand domains on one MX", async () => {
    await until("an alert fires", 60, async () => (await lab.items("/api/v1/alerts?state=firing")).length > 0);
    const [item] = await lab.items("/api/v1/domains?limit=1");
    const [alert] = await lab.items("/api/v1/alerts?state=firing");
    const many = (page, url, made) => {
      const size = Number(url.searchParams.get("limit") ?? 500);
      return { ...page, items: Array.from({ length: size }, (_, at) => made(at)), next: `${size}`, total: 10_000 };
    };
    const prepare = altered({
      "**/api/v1/domains?*": (page, url) =>
        many(page, url, (at) => ({ ...item, domain: names[at], delivery: "held-up", alerts: 1 })),
      "**/api/v1/findings?*": (page, url) =>
        many(page, url, (at) => ({
          ...alert,
          domains: names.slice(0, 20),
          domains_count: 9950 + at,
          codes: [alert.code],
          subjects_count: 1,
          consequences: [],
          domain: names[at],
        })),
      "**/api/v1/alerts": (page, url) => many(page, url, (at) => ({ ...alert, id: `x.${at}`, domains: names })),
      "**/api/v1/alerts?*": (page, url) => many(page, url, (at) => ({ ...alert, id: `x.${at}`, domains: names })),
      "**/api/v1/mx/mx.healthy.test": (host) => ({ ...host, domains: names }),
    });
    for (const where of ["/", "/domains", "/alerts", "/findings", "/mx/mx.healthy.test"]) {
      const page = await open(where, { prepare });
      await until("it is there", 10, async () => /d1\.test|10000|500/.test(await page.locator("main").innerText()));
      const count = await nodes(page);
      assert.ok(count <= mostNodes, `${where}: ${count} nodes`);
      const more = page.getByRole("button", { name: /^and \d+ more$/ }).first();
      if (await more.count()) {
        await more.click();
        assert.match(await page.locator("pre.names").first().innerText(), /d9949\.test/);
        assert.ok((await nodes(page)) <= mostNodes, `${where}: all names are one text`);
      }
      await clean(page);
    }
  });

  test("alerts are filtered by the agent, and come in pages with an address", async () => {
    await until("an alert fires", 60, async () => (await lab.items("/api/v1/alerts?state=firing")).length > 0);
    const [alert] = await lab.items("/api/v1/alerts?state=firing");
    const asked = [];
    const page = await open("/alerts?page=3&severity=critical", {
      prepare: altered({
        "**/api/v1/alerts?*": (_, url) => {
          asked.push(Object.fromEntries(url.searchParams));
          const first = Number(url.searchParams.get("cursor") ?? 0);
          return {
            items: Array.from({ length: 16 }, (_, at) => ({
              ...alert,
              id: `x.${first + at}`,
              title: `T${first + at}`,
            })),
            next: `${first + 16}`,
            total: 10_000,
            codes: ["tlsa-mismatch", "host-down"],
            states: { firing: 9000, pending: 1000, resolved: 0, passed: 0 },
          };
        },
      }),
    });
    await says(page, /10000 alerts[^]*Firing 9000[^]*T32[^]*T47[^]*Over 0\s+None\.[^]*Page 3 of 625/);
    assert.doesNotMatch(await page.locator("main").innerText(), /To be confirmed 1000/, "on another page");
    assert.equal(asked[0].cursor, "32");
    assert.equal(asked[0].severity, "critical");
    await page.getByLabel("Code").selectOption("host-down");
    await page.getByRole("searchbox").fill("d9999");
    await until("the agent is asked for both", 5, () =>
      asked.some((one) => one.q === "d9999" && one.code === "host-down"),
    );
    await page.getByLabel("State").selectOption({ label: "over" });
    await until("and for what is over", 5, () => asked.at(-1).state === "resolved,passed");
    assert.match(await page.getByRole("link", { name: "CSV" }).getAttribute("href"), /q=d9999.*state=resolved/);
    await clean(page);
  });

  test("a trouble is one row, with what follows from it, and leads to as many domains as it counts", async () => {
    const page = await open("/findings?group=provider&role=inbound", {
      prepare: altered({
        "**/api/v1/findings?*": () => ({
          items: [
            {
              code: "tlsa-mismatch",
              codes: ["tlsa-mismatch", "tlsa-mismatch-insecure-mx"],
              severity: "critical",
              subject: { kind: "host", name: "mx.example.test" },
              subjects_count: 1,
              title: "The certificate matches no TLSA record",
              consequences: ["dane-lost", "senders-disagree"],
              consequence_titles: ["the protection by DANE is lost", "senders report otherwise"],
              domains: ["a.test", "b.test"],
              domains_count: 9950,
              since: "2026-01-02T03:04:05Z",
            },
          ],
          next: null,
          total: 1,
          codes: ["dane-lost", "tlsa-mismatch"],
        }),
      }),
    });
    await says(
      page,
      /1 cause[^]*From it follow: the protection by DANE is lost; senders report otherwise\.[^]*9950 domains[^]*d ago/,
    );
    assert.equal(
      new URL(await page.getByRole("link", { name: "9950 domains" }).evaluate((link) => link.href)).search,
      "?code=tlsa-mismatch%2Ctlsa-mismatch-insecure-mx&role=inbound&group=provider&mx=mx.example.test",
    );
    await page.getByLabel("Verdict").selectOption("deferred");
    await page.waitForURL(/verdict=deferred/);
    await clean(page);
  });

  test("a count of domains leads to a list as long, whatever the trouble", async () => {
    const { items } = await lab.json("/api/v1/findings?group_by=cause&limit=500");
    assert.ok(items.length > 10);
    const missing = items.filter((one) => one.code === "tlsrpt-missing");
    assert.equal(missing.length, 1, "what is no matter for an alert is one row a code");
    assert.equal(missing[0].title, "no TLSRPT record asks senders for reports");
    const own = items.filter((one) => one.subject.kind === "domain").map((one) => one.code);
    assert.equal(new Set(own).size, own.length, "nor are domains' own troubles that are alike");
    for (const one of items.filter((all) => all.subject.kind === "host" || all.subjects_count > 1)) {
      const query = new URLSearchParams({ code: one.codes.join(",") });
      if (one.subjects_count === 1) query.set("mx", one.subject.name);
      const { total } = await lab.json(`/api/v1/domains?${query}`);
      assert.equal(total, one.domains_count, `${one.code} at ${one.subject.name}`);
    }
    assert.deepEqual(
      items.filter((one) => !one.since).map((one) => `${one.code} ${one.subject.name}`),
      [],
      "since when is known of each",
    );
  });

  test("whatever is listed and filtered comes as a table, too", async () => {
    for (const where of [
      "/domains?delivery=held-up",
      "/mx?code=tlsa-mismatch",
      "/alerts?state=firing&q=test",
      "/findings?severity=critical",
      "/history?kind=verdict&role=inbound",
      "/acts",
      "/report?role=inbound",
    ]) {
      const page = await open(where);
      const link = await page.getByRole("link", { name: "CSV" }).evaluate((one) => one.href);
      for (const [name, value] of new URLSearchParams(where.split("?")[1]))
        assert.equal(new URL(link).searchParams.get(name), value, where);
      const reply = await fetch(link);
      assert.equal(reply.status, 200, link);
      assert.match(reply.headers.get("content-type"), /^text\/csv/);
      await clean(page);
    }
  });

  test("back leads to where the list was left", async () => {
    const page = await open("/domains?sort=delivery", { width: 800 });
    await page.setViewportSize({ width: 800, height: 300 });
    await page.evaluate(() => scrollTo(0, 700));
    const before = await page.evaluate(() => scrollY);
    assert.ok(before > 500, "the list is long enough to scroll");
    await page.evaluate(() => {
      // Playwright would scroll to what it clicks.
      const isSeen = (link) =>
        link.getBoundingClientRect().top > 0 && link.getBoundingClientRect().bottom < innerHeight;
      [...document.querySelectorAll("tbody th a")].find(isSeen).click();
    });
    await page.waitForURL(/\/domains\/./);
    await until("the new view begins at its top", 5, () => page.evaluate(() => scrollY === 0));
    await page.goBack();
    await page.waitForURL(/\/domains\?sort=delivery$/);
    await until("it is where it was", 5, () => page.evaluate((y) => Math.abs(scrollY - y) < 3, before));
    await clean(page);
  });

  test("a list that is not there yet says that it is loading", async () => {
    let answer;
    const held = new Promise((resolve) => {
      answer = resolve;
    });
    const page = await open("/domains");
    await page.route("**/api/v1/domains?*", async (route) => {
      await held;
      return route.continue();
    });
    await page.locator("label", { hasText: /^Mail/ }).locator("select").selectOption("fine");
    await says(page, /Loading…/);
    answer();
    await says(page, /\d+ domains/);
    await clean(page);
  });

  test("a host is one row, and only what differs is unfolded", async () => {
    const spread = (host, count, odd) => ({
      ...host,
      host: `mx${count}.healthy.test`,
      endpoints: Array.from({ length: 12 }, (_, at) => ({
        ...host.endpoints[0],
        address: `192.0.2.${at + 1}`,
        ...(at === odd && { verdict: "refused", reason: "tlsa-mismatch" }),
      })),
    });
    const page = await open("/domains/healthy.test", {
      prepare: altered({
        "**/api/v1/domains/healthy.test": (domain) => ({
          ...domain,
          hosts: Array.from({ length: 20 }, (_, at) => spread(domain.hosts[0], at, at === 7 ? 3 : -1)),
        }),
      }),
    });
    const matrix = page.locator("table.matrix");
    assert.equal(await matrix.locator("tbody tr").count(), 20);
    assert.match(await matrix.innerText(), /mx0\.healthy\.test\W+12\/12 ok/);
    assert.match(await matrix.innerText(), /11\/12 ok\s+✕\s*senders refuse 192\.0\.2\.4, default handshake/);
    assert.equal(await matrix.getByRole("button").count(), 1);
    await page.getByLabel("only trouble").check();
    await until("one host is left", 5, async () => (await matrix.locator("tbody tr").count()) === 1);
    assert.match(page.url(), /trouble=1/);
    await matrix.getByRole("link", { name: "show 12 sessions" }).click();
    await until("all sessions are there", 5, async () => (await matrix.getByRole("button").count()) === 12);
    await clean(page);
  });

  test("MX hosts are listed with domains, verdict, state and next deadline", async () => {
    const page = await open("/mx", {
      prepare: altered({
        "**/api/v1/groups?*": () => ({ items: [{ group: "provider" }], next: null }),
        "**/api/v1/mx?*": () => ({
          items: [
            {
              host: "mx.example.test",
              verdict: "refused",
              delivery: "held-up",
              delivery_since: "2026-01-02T03:04:05Z",
              domains: 9950,
              held_up: 9948,
              state: "mismatch",
              next_deadline: { at: "2100-01-02T03:04:05Z", kind: "certificate-end" },
            },
          ],
          next: null,
          total: 1,
        }),
      }),
    });
    await says(
      page,
      /1 MX host[^]*held up\s*senders refuse\s*mx\.example\.test[^]*9950, 9948 held up[^]*mismatch[^]*in \d+ d: the certificate expires/,
    );
    assert.match(await page.getByRole("link", { name: "CSV" }).getAttribute("href"), /^\/api\/v1\/mx\?.*format=csv/);
    assert.equal(await page.getByRole("link", { name: "9950" }).getAttribute("href"), "/domains?mx=mx.example.test");
    await page.getByLabel("Verdict").selectOption("refused");
    await page.waitForURL(/\/mx\?verdict=refused$/);
    await clean(page);
  });
}

// The page in a real browser, of the real agent on the lab: what an operator sees and does.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";

import { advice } from "./advice.mjs";
import { clean, go, isLoaded, lab, open, says, start, stop } from "./browser.mjs";
import { crowd } from "./crowd.mjs";
import { screens, until } from "./lab.mjs";
import { past } from "./past.mjs";
import { people } from "./people.mjs";
import { story } from "./story.mjs";
import { time } from "./time.mjs";
import { witnesses } from "./witnesses.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

before(start);
after(stop);

const alertCard = (page, section, host) =>
  page
    .getByRole("region", { name: section })
    .locator("article", { hasText: host })
    .filter({ hasText: "tlsa-mismatch" });

// Some at a time: the long stories are mostly waits.
describe("the page", { concurrency: 3 }, () => {
  story(); // first, since it takes longest

  // ---- stories

  test("a late rollover is watched, taken in hand and looked back upon without a reload", async () => {
    const host = await open("/mx/mx.provider.test");
    const alerts = await open("/alerts?q=mx.provider.test"); // others may fill the first page
    const began = new Date().toISOString();
    for (const page of [host, alerts])
      await page.evaluate(() => {
        window.isTheSame = true;
      });
    await says(host, /Every endpoint matches/);
    assert.equal(await alertCard(alerts, "Firing", "mx.provider.test").count(), 0);

    lab.command("story", "late-rollover", "--step", "1");
    await says(
      host,
      /^[^]*held up Senders that check DANE refuse to deliver through it\.[^]*Keys:\W+mismatch The published records refuse/,
      90,
    );
    await says(host, /\d+ watched domains use it; mail to \w+[^:]* is held up: [^]*shared-a\.test/, 30);
    for (const name of ["shared-a.test", "shared-b.test"]) {
      const domain = await open(`/domains/${name}`);
      await says(domain, /held up Mail waits in senders' queues/, 30);
      assert.equal(await domain.locator("main .card.ok").count(), 0);
      await clean(domain);
    }
    await host.locator("svg .band").waitFor({ state: "attached" });
    await host.getByText("The picture as a table").click();
    assert.match(await host.locator("details table").first().innerText(), /key B refused/);
    await host.screenshot({ path: `${screens}/late-rollover-mismatch.png`, fullPage: true });
    const card = alertCard(alerts, "Firing", "mx.provider.test");
    await until("the alert is on the page", 90, async () => (await card.count()) === 1);
    assert.match(await card.innerText(), /shared-a\.test[^]*shared-b\.test/);

    await card.getByRole("button", { name: "Acknowledge…" }).click();
    await card.getByLabel("Your name").fill("Ada");
    await card.getByLabel("Comment").fill("publishing the record <b>now</b>");
    await card.getByLabel("Lasts").selectOption("1 hour");
    await card.getByRole("button", { name: "Acknowledge it" }).click();
    await until("it is acknowledged", 10, async () =>
      /Acknowledged by Ada .* expires in .*: publishing the record <b>now<\/b>/.test(await card.innerText()),
    );
    await card.getByRole("button", { name: "Take the acknowledgement back" }).click();
    await card.getByRole("button", { name: "Acknowledge…" }).waitFor();

    const partner = await open("/domains/insecuremx.test");
    await says(partner, /What to write to their postmaster/);
    await partner.getByRole("button", { name: "I have put it in" }).click();
    await says(partner, /exception in force/);
    await partner.getByRole("button", { name: "I have removed it" }).click();
    await partner.getByRole("button", { name: "I have put it in" }).waitFor();
    await clean(partner);

    lab.command("story", "late-rollover", "--step", "2");
    await says(host, /caches may refuse[^]*The last cache recovers/, 60);
    await host.screenshot({ path: `${screens}/late-rollover-stale.png`, fullPage: true });
    // One look to see it, the TTL of a minute until the last cache has let go, two looks to clear it.
    await until(
      "the alert is over",
      240,
      async () => (await card.count()) === 0 && (await alertCard(alerts, "Over", "mx.provider.test").count()) === 1,
    );
    await says(host, /late: the key came before its record/, 60);
    for (const page of [host, alerts]) {
      assert.ok(await page.evaluate(() => window.isTheSame), "it was reloaded");
      await clean(page);
    }

    const diff = await open(`/diff?domain=shared-a.test&a=${began}&b=${new Date().toISOString()}`);
    const published = diff.getByRole("row", { name: /TLSA at a name server/ }).first();
    assert.match(await published.innerText(), /−\s*removed:\s*3 1 1 [^]*\+\s*added:\s*3 1 1 /);
    await diff.screenshot({ path: `${screens}/diff-late-rollover.png`, fullPage: true });
    await clean(diff);
    const history = await open("/history?domain=shared-a.test");
    assert.match(await history.locator("main").innerText(), /verdict: mail waits in queues/);
    await history.getByLabel("From (UTC)").fill("2100-01-01 00:00");
    await says(history, /Nothing changed in that time/);
    await history.getByRole("link", { name: "All times" }).click();
    await says(history, /changes, newest first/);
    await history.getByRole("link", { name: "compare" }).first().click();
    await history.waitForURL(/\/diff\?/);
    await clean(history);
  });

  test("a planned rollover goes from the certificate to the record, the time and the window", async () => {
    const host = "mx.rolling.test",
      owner = `_25._tcp.${host}`;
    lab.command("prepare", host);
    const [old, next] = [lab.command("tlsa", host), lab.command("tlsa", host, "--next")];
    const page = await open("/");
    await page.getByRole("link", { name: "Silences" }).click();
    // A click is none where what loads meanwhile moves the link between press and release.
    await until("the plan is open", 30, async () => {
      await page.getByRole("link", { name: "plan a rollover" }).click();
      return page.waitForURL(/\/plan/, { timeout: 3000 }).catch(() => false) !== false;
    });
    await page.getByLabel("MX host").fill(host);
    await says(page, /watched/);
    await page.getByLabel("The new certificate").fill("nonsense");
    await page.getByRole("button", { name: "Read it" }).click();
    await says(page, /neither PEM, nor a certificate/);
    await page.getByLabel("The new certificate").fill(lab.nextCertificate(host));
    await page.getByRole("button", { name: "Read it" }).click();
    await says(page, /not published/);
    assert.match(await page.locator("main").innerText(), new RegExp(`${owner}\\. 60 IN TLSA ${next}`));

    lab.command("set", owner, "TLSA", old, next, "--flush");
    await says(page, /wait Not before/, 60);
    await page.screenshot({ path: `${screens}/plan-wait.png`, fullPage: true });
    await page.getByLabel("Your name").fill("Ada");
    await page.getByRole("button", { name: "Plan it" }).click();
    await says(page, /planned From/);
    await page.getByRole("link", { name: "All silences" }).click();
    await says(page, new RegExp(`active[^]*mx=${host}[^]*planned rollover to the key ${next.slice(6)}`));
    await until("every cache has it", 120, async () =>
      (await lab.json(`/api/v1/mx/${host}`)).rollover.state.match(/prepub-ok|ready/),
    );
    await page.goto(`${lab.url}/mx/${host}`);
    await says(page, /Every cache has/);
    assert.equal(await page.locator("svg .lane", { hasText: "3 1 1" }).count(), 2);
    await page.screenshot({ path: `${screens}/clean-rollover.png`, fullPage: true });
    await clean(page, { refused: true });
  });

  test("an alert is silenced after a look at what that covers, and told again in the end", async () => {
    const page = await open("/alerts");
    const card = alertCard(page, "Firing", "mx.mismatch.test");
    await until("the alert is there", 30, async () => (await card.count()) === 1);
    assert.equal(await card.getByRole("link", { name: "Silence…" }).count(), 0, "one of many is a line");
    await card.locator("summary").first().click();
    await card.getByRole("link", { name: "Silence…" }).click();
    await page.waitForURL(/\/silences\?m=code%3Dtlsa-mismatch&m=mx%3Dmx\.mismatch\.test/);
    await says(page, /It covers 1 open alert:/);
    await page.getByLabel("Value 2").fill("mx.nobody.test");
    await says(page, /It covers none of the alerts/);
    await page.getByLabel("Relation 2").selectOption("matches");
    await page.getByLabel("Value 2").fill("(");
    await says(page, /cannot be read/);
    assert.ok(await page.getByRole("button", { name: "Silence", exact: true }).isDisabled());
    await page.getByLabel("Value 2").fill("mx\\.mismatch\\..*");
    await says(page, /It covers 1 open alert:/);
    await page.getByLabel("Comment").fill("known");
    await page.getByRole("button", { name: "Silence", exact: true }).click();
    const row = page.getByRole("row", { name: /mx=~mx\\\.mismatch/ });
    await until("it is listed", 10, async () => /active[^]*known/.test(await row.innerText().catch(() => "")));
    await page.getByRole("link", { name: "Alerts", exact: true }).click();
    await until("the alert is marked", 20, async () => /silenced/.test(await card.innerText()));
    await page.getByRole("link", { name: "Silences", exact: true }).click();
    await row.getByRole("button", { name: "End it" }).click();
    await until("it has ended", 10, async () => /ended/.test(await row.innerText()));
    await page.getByRole("link", { name: "Alerts", exact: true }).click();
    await until("the alert is as before", 20, async () => !/silenced/.test(await card.innerText()));
    await clean(page, { refused: true });
  });

  // ---- views

  test("overview answers whether mail gets through, and counts as filters", async () => {
    const page = await open("/");
    await until("the headline counts those whose mail is held up, ours and partners", 20, async () => {
      const { delivery, held_up_lately: lately } = await lab.json("/api/v1/status");
      const { inbound, outbound } = delivery["held-up"];
      assert.ok(inbound > 5 && lately >= inbound, "the agent has just begun to watch");
      const whose =
        outbound === 0 ? `${inbound} ours` : `${inbound} ours, ${outbound} partner${outbound > 1 ? "s" : ""}`;
      const all = Object.keys(lab.expected).length;
      const said = await page.locator("main .lead").first().innerText();
      return (
        said.includes(
          `Mail does not arrive at ${inbound + outbound} of ${all} domains: ${whose}. ${lately} began in the last hour.`,
        ) && (await page.title()).startsWith(`${whose} held up · Overview`)
      );
    });
    for (const delivery of ["held-up", "unprotected", "at-risk", "fine", "unknown"]) {
      await page.goto(lab.url);
      await page.locator(`main .counts a[href="/domains?delivery=${delivery}"]`).click();
      await page.waitForURL(`**/domains?delivery=${delivery}`);
      await until(`those that are ${delivery} are listed`, 20, async () => {
        const { inbound, outbound } = (await lab.json("/api/v1/status")).delivery[delivery];
        return (await page.locator("tbody tr").count()) === inbound + outbound;
      });
    }
    await page.goto(lab.url);
    await page.locator('main .counts a[href="/mx?rolling=yes"]').click();
    await until("the hosts whose change of key is under way are listed", 20, async () => {
      const { rollovers_under_way: count } = await lab.json("/api/v1/status");
      return (await page.locator("tbody tr").count()) === count;
    });
    await page.goto(`${lab.url}/domains?delivery=held-up&role=inbound`);
    await says(page, /mismatch\.test/);
    await page.getByLabel("Whose").selectOption("partners");
    await until(
      "only partners are listed",
      10,
      async () => !/mismatch\.test/.test(await page.locator("main").innerText()),
    );
    assert.match(page.url(), /role=outbound/);
    await clean(page);
  });

  // A verdict that says no delivery: the first line says so, and nothing on the view is green or gives advice about keys that
  // nobody saw.
  const undelivered = [
    ["stripped.test", "mx.stripped.test", /refuse to deliver through it/, false],
    ["nostarttls.test", "mx.nostarttls.test", /refuse to deliver through it/, false],
    ["down.test", "mx.down.test", /no usable SMTP session/, false],
    ["mismatch.test", "mx.mismatch.test", /refuse to deliver through it/, true],
  ];

  for (const [domain, host, hostSays, isCertificateSeen] of undelivered) {
    test(`no view of ${domain} is calm while its mail is not delivered`, async () => {
      const alert = async (kind) => (await lab.json(kind)).alerts.find((one) => one.state === "firing");
      await until("its alert fires", 60, () => alert(`/api/v1/mx/${host}`));
      for (const [where, wanted] of [
        [`/domains/${domain}`, /no host takes it/],
        [`/mx/${host}`, hostSays],
      ]) {
        const page = await open(where);
        const first = page.locator("main .mail");
        assert.match(await first.locator(".lead").innerText(), /held up/);
        assert.match(await first.locator(".lead").innerText(), wanted);
        assert.match(await first.innerText(), /Since .* ago|Since \d+ s/);
        assert.match(await first.innerText(), /Alert: /);
        await first.getByRole("link").last().waitFor();
        const isFirst = await page.evaluate(
          () => document.querySelector("main .card, main .lead, main p").closest(".mail") !== null,
        );
        assert.ok(isFirst, "it is the first thing said");
        assert.equal(await page.locator("main .card.ok, main .lead .mark.ok").count(), 0);
        const text = await page.locator("main").innerText();
        if (isCertificateSeen) {
          if (where.startsWith("/domains")) assert.match(text, /none matches/);
        } else {
          assert.doesNotMatch(
            text,
            /none matches|Nothing to change|Nothing is to be done|Put the next key live|What to do: (?:Publish|Remove|Put)/,
          );
          assert.match(text, /No certificate was seen|no certificate was seen/i);
          assert.doesNotMatch(await page.locator("main").textContent(), /(?:safe|recommended) to switch/);
        }
        await clean(page);
      }
      const hostPage = await open(`/mx/${host}`);
      await until("it says how many", 10, async () =>
        /1 watched domain uses it; mail to it is held up/.test(await hostPage.locator("main .mail").innerText()),
      );
      await hostPage.locator("main .mail").getByRole("link").last().click();
      await hostPage.waitForURL(/\/alerts#/);
      await clean(hostPage);
      const list = await open(`/domains?q=${domain}`);
      assert.match(await list.locator("tbody tr").first().innerText(), /held up/);
      await clean(list);
    });
  }

  test("a list, a domain and the API have one word for what happens to mail", async () => {
    const page = await open("/domains");
    const items = await lab.items("/api/v1/domains?limit=500");
    const shown = new Map(
      await page
        .locator("tbody tr")
        .evaluateAll((rows) =>
          rows.map((row) => [
            row.querySelector("th a").textContent,
            row.querySelector(".mark").innerText.replace(/^\W+/, "").trim(),
          ]),
        ),
    );
    const rolling = new Set([
      "rolling.test",
      "shared-a.test",
      "shared-b.test",
      "insecuremx.test",
      "tlsacname.test",
      "nsec3.test",
      "drift.test",
    ]); // by other tests
    for (const { domain, delivery } of items) {
      if (rolling.has(domain)) continue;
      assert.equal(shown.get(domain), delivery.replace("-", " "), domain);
      await go(page, `/domains/${domain}`);
      await page.getByRole("heading", { level: 1, name: domain }).waitFor();
      await isLoaded(page);
      assert.equal(
        (await page.locator("main .mail .lead .mark").innerText()).replace(/^\W+/, "").trim(),
        delivery.replace("-", " "),
        domain,
      );
    }
    await clean(page);
  });

  test("a time of which nothing was recorded is hatched in the picture and stands in its table", async () => {
    const at = (ms) => new Date(ms).toISOString().replace(/\.\d+/, "");
    const page = await open("/mx/mx.healthy.test", {
      prepare: (it) =>
        it.route("**/timeline?*", async (route) => {
          const timeline = await (await route.fetch()).json();
          assert.deepEqual(timeline.gaps, []);
          const now = Date.parse(timeline.now);
          return route.fulfill({
            json: {
              ...timeline,
              gaps: [{ from: at(now - 3_600_000), until: at(now - 1_800_000) }],
              mail: [
                { from: at(now - 3_000_000), until: at(now - 2_000_000), delivery: "unknown" },
                { from: at(now - 1_200_000), until: at(now - 600_000), delivery: "unknown" },
              ],
            },
          });
        }),
    });
    await page.locator("svg .gap-band").waitFor({ state: "attached" });
    await page.getByText("The picture as a table").click();
    assert.match(await page.locator("details table").first().innerText(), /This monitor: nothing recorded/);
    const unknown = page
      .locator("details table")
      .first()
      .getByRole("row", { name: /This monitor: unknown/ });
    assert.equal(await unknown.count(), 1, "what was not recorded is not told twice");
    await page.screenshot({ path: `${screens}/gap.png`, fullPage: true });
    await clean(page);
  });

  test("the first load of the overview is small", async () => {
    const parts = await Promise.all(
      ["/", "/assets/app.js", "/assets/chunk.js", "/assets/app.css"].map(
        async (where) => gzipSync(Buffer.from(await (await fetch(lab.url + where)).arrayBuffer())).length,
      ),
    );
    const all = parts.reduce((sum, part) => sum + part);
    assert.ok(all < 24_000, `${all} octets`);
  });

  test("all other views come in one file, which the first one fetches", async () => {
    const file = Buffer.from(await (await fetch(`${lab.url}/assets/views.js`)).arrayBuffer());
    assert.ok(gzipSync(file).length < 36_000);
    const page = await open("/");
    await page.context().setOffline(true);
    await page.getByRole("link", { name: "Silences" }).click();
    await page.getByRole("heading", { level: 1, name: "Silences" }).waitFor();
    await page.context().setOffline(false);
    await page.close();
  });

  test("a certificate that was issued is listed, and may be said to be for no mail", async () => {
    const made = execFileSync(
      "openssl",
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -days 30 -subj /CN=issued"
        .split(" ")
        .concat("-addext", "subjectAltName=DNS:www.issued.test"),
      { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    );
    const shown = await fetch(`${lab.url}/api/v1/certificates?by=log`, {
      method: "POST",
      headers: { "Content-Type": "application/pem-certificate-chain" },
      body: made,
    });
    assert.equal(shown.status, 200);
    const page = await open("/mx");
    await page.getByRole("link", { name: "Certificates issued" }).click();
    const row = page.locator("tbody tr", { hasText: "www.issued.test" });
    await until("it is listed", 10, async () => /by log/.test(await row.innerText()));
    await row.getByText("It is for no mail server").click();
    await row.getByLabel("Your name").fill("Ada");
    await row.getByLabel("What it is for").fill("the <b>web</b>");
    await row.getByRole("button", { name: "Not for mail" }).click();
    await until("it is kept", 10, async () => /not for mail, says Ada .*: the <b>web<\/b>/.test(await row.innerText()));
    await page.screenshot({ path: `${screens}/certificates.png`, fullPage: true });
    await row.getByRole("button", { name: "Take back" }).click();
    await until("it is taken back", 10, async () => /It is for no mail server/.test(await row.innerText()));
    await clean(page);
  });

  test("domains are listed with verdict and worst finding, searched, sorted and paged", async () => {
    const page = await open("/domains");
    assert.equal(await page.locator("tbody tr").count(), Object.keys(lab.expected).length);
    await page.getByRole("link", { name: "Mail", exact: true }).click();
    await until("the worst come first", 5, async () =>
      /held up/.test(await page.locator("tbody tr").first().innerText()),
    );
    assert.match(page.url(), /sort=delivery/);
    await page.getByRole("searchbox").fill("healthy");
    await until("the list shrinks", 5, async () => (await page.locator("tbody tr").count()) === 1);
    assert.match(await page.locator("tbody tr").innerText(), /healthy\.test/);
    assert.match(page.url(), /q=healthy/);
    await clean(page);
  });

  test("the name of a group leads to its domains and back", async () => {
    const page = await open("/domains?q=shared-a");
    await page.getByRole("link", { name: "provider", exact: true }).click();
    await page.getByRole("searchbox").fill("");
    await until("its domains are listed", 5, async () => (await page.locator("tbody tr").count()) === 2);
    assert.match(page.url(), /group=provider/);
    await says(page, /2 domains[^]*shared-a\.test[^]*shared-b\.test/);
    assert.equal(await page.getByLabel("Group").inputValue(), "provider");
    await page.getByLabel("Group").selectOption("");
    await until(
      "all are listed",
      5,
      async () => (await page.locator("tbody tr").count()) === Object.keys(lab.expected).length,
    );
    await clean(page);
  });

  test("ten thousand domains are shown fifty at a time", async () => {
    const item = (await lab.items("/api/v1/domains?limit=1"))[0];
    const asked = [];
    const page = await open("/domains?page=3", {
      prepare: (it) =>
        it.route("**/api/v1/domains?*", (route) => {
          const query = new URL(route.request().url()).searchParams;
          asked.push(query.get("cursor") ?? "0");
          const first = Number(query.get("cursor"));
          const items = Array.from({ length: 50 }, (_, at) => ({ ...item, domain: `d${first + at}.test` }));
          return route.fulfill({ json: { items, next: `${first + 50}`, total: 10_000 } });
        }),
    });
    assert.match(await page.locator("main").innerText(), /10000 domains[^]*d100\.test[^]*Page 3 of 200/);
    assert.equal(await page.locator("tbody tr").count(), 50);
    await page.getByRole("link", { name: "Next" }).click();
    await says(page, /d150\.test/);
    assert.match(page.url(), /page=4/);
    assert.deepEqual([...new Set(asked)], ["100", "150"]);
    await clean(page);
  });

  test("a domain shows its chain from MX to certificate and says what to do", async () => {
    const page = await open("/domains/nostarttls.test");
    const text = await page.locator("main").innerText();
    for (const wanted of [/mx\.nostarttls\.test/, /secure/, /STARTTLS is not offered/, /What to do/]) {
      assert.match(text, wanted);
    }
    await clean(page);
  });

  test("a cell of the matrix opens to its evidence, and is an address of its own", async () => {
    const page = await open("/domains/dual.test");
    assert.match(await page.locator("main").innerText(), /1 rare class of senders fares otherwise/);
    await page
      .getByRole("table")
      .getByRole("button", { name: /senders refuse/ })
      .click();
    await says(page, /C: EHLO danelaw\.test\nS: 250-[^]*C: STARTTLS\nS: 220 [^\n]*\n\* TLSv1\.3 /);
    await says(page, /TLSv1\.3[^]*not what matched[^]*CN=mx\.dual\.test[^]*The record that would fit/);
    const again = await open(new URL(page.url()).pathname + new URL(page.url()).search);
    await says(again, /The record that would fit/);
    await clean(page);
    await clean(again);
  });

  test("check now shows that a look is under way and when it is done", async () => {
    const page = await open("/domains/healthy.test");
    await page.getByRole("button", { name: "Check now" }).click();
    await says(page, /Probing|Probed again/);
    await says(page, /Probed again/, 30);
    await clean(page);
  });

  test("the range of a rollover picture stands in the address, as in links from Grafana", async () => {
    const page = await open("/mx/mx.healthy.test?from=1795600000000&to=now%2B1h");
    assert.match(await page.locator("main").innerText(), /2026-11-25 09:46 UTC to/);
    await page.getByRole("link", { name: "Earlier" }).click();
    await page.waitForURL(/from=2026-/);
    await page.getByRole("link", { name: "Fit" }).click();
    await page.waitForURL(/\/mx\/mx\.healthy\.test$/);
    await clean(page);
  });

  test("alerts have addresses, as in links from notices, and say who was told", async () => {
    const [alert] = await until("an alert fires", 30, async () => {
      const items = await lab.items("/api/v1/alerts?state=firing");
      return items.length > 0 && items;
    });
    const page = await open(`/alerts#${alert.id}`);
    await says(page, /What to do[^]*Who was notified[^]*Nobody was notified/i);
    await clean(page);
  });

  test("what nobody watches is said to be so, and paths that are none give nothing", async () => {
    const page = await open("/");
    for (const [where, wanted] of [
      ["/domains/other.example", /not watched/],
      ["/mx/other.example", /no watched domain uses/],
      ["/history?domain=other.example", /not watched/],
    ]) {
      await page.goto(lab.url + where);
      await says(page, wanted);
    }
    assert.equal((await fetch(`${lab.url}/nowhere`)).status, 404);
    await clean(page, { refused: true });
  });

  test("without a stream of events the page asks every half minute, and says so", async () => {
    const page = await open("/", {
      prepare: (it) =>
        it.route("**/api/v1/events", (route) => route.fulfill({ status: 503, headers: { "Retry-After": "30" } })),
    });
    await until("it says so", 10, async () => /asking every 30 s/.test(await page.locator("header").innerText()));
    const asked = page.waitForRequest("**/api/v1/status", { timeout: 40_000 });
    await asked;
    await page.context().close();
    const live = await open("/");
    await until("it is live", 10, async () => /live/.test(await live.locator("header").innerText()));
    await clean(live);
  });

  test("the colours can be chosen by hand, and the choice lasts", async () => {
    const page = await open("/", { scheme: "light" });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.getByLabel("Colours").selectOption("dark");
    await until("it is dark", 5, async () => (await ground()) !== light);
    await page.reload();
    await isLoaded(page);
    assert.notEqual(await ground(), light);
    await clean(page);
  });

  test("keys alone lead through the page", async () => {
    const page = await open("/");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
    await page.getByRole("link", { name: "Domains", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/domains$/);
    await until("the new view has the focus", 5, () => page.evaluate(() => document.activeElement.id === "main"));
    await until("and its title", 5, async () => /Domains · danelaw$/.test(await page.title()));
    await clean(page);
  });

  past();
  time();
  advice();
  people();
  witnesses();
  crowd();

  // ---- looks

  const cell = encodeURIComponent("mx.dual.test|127.0.2.13|rsa");
  const pages = {
    overview: "/",
    domains: "/domains?sort=delivery",
    domain: `/domains/dual.test?cell=${cell}`,
    "domain-bogus": "/domains/bogus.test",
    mx: "/mx/mx.healthy.test",
    alerts: "/alerts",
    silences: "/silences?m=mx%3D~mx%5C..*",
    plan: "/plan?mx=mx.healthy.test",
    findings: "/findings",
    "mx-rolling": "/mx/mx.rolling.test",
    "mx-stripped": "/mx/mx.stripped.test",
    "mx-down": "/mx/mx.down.test",
    "mx-mismatch": "/mx/mx.mismatch.test",
    "domain-stripped": "/domains/stripped.test",
    "held-up": "/domains?delivery=held-up",
    finding: "/findings/tlsa-mismatch",
    public: "/public",
    check: "/check",
    certificates: "/certificates",
    history: "/history?domain=healthy.test",
    report: `/report?month=${new Date().toISOString().slice(0, 7)}`,
    diff: "/diff?domain=healthy.test",
    status: "/status",
    postfix: "/postfix",
  };

  for (const [name, where] of Object.entries(pages)) {
    test(`looks: ${name} is accessible and fits, light and dark, wide and narrow`, async () => {
      const page = await open(where);
      await page.evaluate(axe); // the page's policy does not bind it
      if (name === "alerts") await page.locator("article summary").first().click();
      for (const colorScheme of ["light", "dark"]) {
        for (const width of [1280, 360]) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: 900 });
          const variant = `${colorScheme}-${width}`;
          await page.screenshot({ path: `${screens}/${name}-${variant}.png`, fullPage: true });
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(overflow <= 0, `${variant}: ${overflow} px wider than the window`);
          // Of the second scheme only the colours can differ.
          const rules = colorScheme === "light" ? ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] : ["color-contrast"];
          const found = await page.evaluate(
            (runOnly) => window.axe.run(document, { runOnly, resultTypes: ["violations"] }),
            rules,
          );
          assert.deepEqual(
            found.violations.map((v) => `${variant} ${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`),
            [],
          );
        }
      }
      await clean(page);
    });
  }
});

// What others saw: senders' reports (RFC 8460), and the log of our own Postfix.
import assert from "node:assert/strict";
import { test } from "node:test";

import { clean, lab, open, says } from "./browser.mjs";
import { screens, until } from "./lab.mjs";

const delivery = (id, domain, host, rest) =>
  `smtp[7]: ${id}: to=<somebody@${domain}>, relay=${host}, delay=1, delays=0/0/1/0, ${rest}`;

export function witnesses() {
  test("what senders reported stands beside what danelaw saw", async () => {
    const report = {
      "organization-name": "Sender <Ltd>",
      "report-id": `page-${process.pid}`,
      "date-range": {
        "start-datetime": `${new Date().toISOString().slice(0, 10)}T00:00:00Z`,
        "end-datetime": `${new Date().toISOString().slice(0, 19)}Z`,
      },
      policies: [
        {
          policy: { "policy-type": "tlsa", "policy-domain": "mismatch.test", "mx-host": "mx.mismatch.test" },
          summary: { "total-successful-session-count": 7, "total-failure-session-count": 1204 },
          "failure-details": [
            {
              "result-type": "certificate-not-trusted",
              "receiving-mx-hostname": "mx.mismatch.test",
              "failed-session-count": 1204,
            },
          ],
        },
      ],
    };
    const host = await open("/mx/mx.mismatch.test");
    assert.doesNotMatch(await host.locator("main").innerText(), /What senders reported/);
    const reply = await fetch(`${lab.url}/api/v1/tlsrpt`, {
      method: "POST",
      headers: { "Content-Type": "application/tlsrpt+json" },
      body: JSON.stringify(report),
    });
    assert.equal(reply.status, 202, await reply.text());

    const domain = await open("/domains/mismatch.test");
    const told =
      /What senders reported[^]*Sender <Ltd>[^]*1 kind of failure[^]*certificate-not-trusted[^]*mx\.mismatch\.test\s+1 204\W+danelaw saw it, too/;
    await says(domain, told, 30);
    // That day is red, in the sender's row, with its failures on top, as in our own.
    const daysOf = (name) => domain.locator("table.senders tr", { hasText: name }).locator(".days > span");
    const own = daysOf("danelaw");
    await until(
      "thirty days, the last red",
      10,
      async () => (await own.count()) === 30 && (await own.last().getAttribute("class")) === "critical",
    );
    const bars = daysOf("Sender <Ltd>");
    assert.equal(await bars.count(), 30);
    const parts = await bars
      .last()
      .locator("i")
      .evaluateAll((all) => all.map((one) => [one.className, one.getBoundingClientRect().height]));
    assert.deepEqual(
      parts.map(([look]) => look),
      ["critical", "ok"],
    );
    assert.ok(parts[0][1] > 40 && parts[1][1] >= 1, `1204 failed and 7 did not: ${parts}`);
    assert.ok((await bars.first().boundingBox()).height < 4, "a day without a report has no bar");
    assert.match(
      await domain.locator(".bars").getAttribute("aria-label"),
      /^1 211 sessions, 1 204 of them failed; 1 day of 30 with DANE failures$/,
    );
    await domain.screenshot({ path: `${screens}/senders.png`, fullPage: true });
    await domain.setViewportSize({ width: 360, height: 900 });
    await domain.screenshot({ path: `${screens}/senders-360.png`, fullPage: true });
    assert.ok((await domain.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, "it is too wide");
    await clean(domain);
    // Without a reload, and on the alert as well.
    await says(host, told, 90);
    // Other domains use it, too: the band is of the host itself.
    const ownDays = host.locator("table.senders tr", { hasText: "danelaw" }).locator(".days > span");
    await until(
      "the host's days stand beside, the last red",
      10,
      async () => (await ownDays.count()) === 30 && (await ownDays.last().getAttribute("class")) === "critical",
    );
    await host.screenshot({ path: `${screens}/senders-host.png`, fullPage: true });
    await clean(host);
    const alerts = await open("/alerts");
    await alerts.locator("article", { hasText: "mx.mismatch.test" }).locator("summary").first().click();
    await says(alerts, /mx\.mismatch\.test[^]*Sender <Ltd> refused 1 204 sessions since/, 60);
    const card = alerts
      .getByRole("region", { name: "Firing" })
      .locator("article", { hasText: "mx.mismatch.test" })
      .filter({ hasText: "tlsa-mismatch" });
    await card.getByText("What it means, what to do, who was notified").click();
    await card.getByText("Evidence, step by step").click();
    await until("the argument stands there", 20, async () =>
      /holds What was said follows from the evidence: tlsa-mismatch of host [^]*mx\.mismatch\.test, seen [^]*proven [^]*TLSA[^]*seen [^]*follows /.test(
        await card.innerText(),
      ),
    );
    const address = await card.getByRole("link", { name: "Download the evidence" }).getAttribute("href");
    assert.equal((await lab.json(address)).schema, "danelaw.evidence/1");
    await card.screenshot({ path: `${screens}/ladder.png` });
    await clean(alerts);
  });

  test("our own deliveries are held against the verdicts", async () => {
    const view = await open("/postfix");
    await says(view, /last line of the log/);
    assert.doesNotMatch(await view.locator("main").innerText(), /stranger\.test/);
    lab.delivered(
      "smtp[7]: Verified TLS connection established to mx.healthy.test[127.0.2.1]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
      delivery("4jcKpc4yXSz1bsL3", "healthy.test", "mx.healthy.test[127.0.2.1]:25", "dsn=2.0.0, status=sent (250 ok)"),
      delivery(
        "4jcKpc4yXSz1bsL4",
        "mismatch.test",
        "mx.mismatch.test[127.0.2.8]:25",
        "dsn=4.7.5, status=deferred (Server certificate not trusted)",
      ),
      // danelaw sees it well.
      delivery(
        "4jcKpc4yXSz1bsL5",
        "healthy.test",
        "mx.healthy.test[127.0.2.1]:25",
        "dsn=4.7.5, status=deferred (Server certificate not trusted)",
      ),
      ...["4jcKpc4yXSz1bsL6", "4jcKpc4yXSz1bsL7"].map((id) =>
        delivery(id, "stranger.test", "mx.stranger.test[127.0.2.9]:25", "dsn=2.0.0, status=sent (250 ok)"),
      ),
    );
    await says(view, /2 messages waiting, the oldest came/, 20);
    await says(view, /Partners not yet watched[^]*stranger\.test 2 messages a month/, 20);
    // What was delivered is compared once the host was probed after it.
    for (const name of ["healthy.test", "mismatch.test"])
      await fetch(`${lab.url}/api/v1/domains/${name}/check`, { method: "POST" });
    await says(view, /2 of 3 deliveries of the last seven days went as our verdict said \(66\.7 %\)/, 60);
    await says(
      view,
      /Disagreements[^]*to healthy\.test through mx\.healthy\.test: deferred, the certificate matches no TLSA record; we said/,
      30,
    );
    const asked = [];
    await view.route("**/api/v1/domains", (route) => {
      if (route.request().method() !== "POST") return route.fallback();
      asked.push(route.request().postDataJSON());
      return route.fulfill({ status: 201, json: {} });
    });
    await view.getByRole("button", { name: "+ watch stranger.test" }).click();
    await until("it is taken over", 10, () => asked.some((body) => body.domain === "stranger.test"));
    await view.screenshot({ path: `${screens}/postfix.png`, fullPage: true });
    await clean(view);

    const waits = await open("/domains/mismatch.test");
    await says(
      waits,
      /Our own deliveries[^]*1 message waiting[^]*deferred since [^]*the certificate matches no TLSA record/,
    );
    await clean(waits);
    const host = await open("/mx/mx.healthy.test");
    await says(host, /Our own deliveries[^]*healthy\.test[^]*authenticated \(Verified\): last/);
    await clean(host);
  });
}

// What the page says to do, and that it says when danelaw itself is what is broken.
import assert from "node:assert/strict";
import { test } from "node:test";

import { altered, clean, lab, open, says } from "./browser.mjs";
import { screens, until } from "./lab.mjs";

const line = `_25._tcp.mx.mismatch.test. 3600 IN TLSA 3 1 1 ${"ab".repeat(32)}`;
const remedy = {
  owner: "_25._tcp.mx.mismatch.test",
  zone: "mismatch.test",
  ttl: 3600,
  server: null,
  publish: [line],
  remove: [],
  nsupdate: `zone mismatch.test\nadd ${line}\nsend`,
  zone_file: line,
  knotc: `zone-set mismatch.test ${line}`,
  recovers_after: 3600,
  recovers_at: "2100-01-01T01:00:00Z",
};
const advised = (alert) => ({
  ...alert,
  remedy,
  bounces_at: "2100-01-05T00:00:00Z",
  consequences: [{ code: "host-down", title: "mx.mismatch.test: what follows" }],
  links: {
    alert: `/alerts#${alert.id}`,
    host: "/mx/mx.mismatch.test",
    recheck: ["/api/v1/domains/mismatch.test/check"],
  },
});

export function advice() {
  test("of a partner whose mail is held up nothing is said to be well, with nothing to write or to allow", async () => {
    const partner = { postmaster_text: null, exception: null, proposed_exception: null };
    const page = await open("/domains/down.test", {
      prepare: altered({ "**/api/v1/domains/down.test": (domain) => ({ ...domain, partner }) }),
    });
    await says(page, /Only their operators can put this right/);
    assert.doesNotMatch(await page.locator("main").innerText(), /nothing that holds up mail/);
    await clean(page);
  });

  test("from the overview to the record line it is one click and no scroll", async () => {
    await until("an alert fires", 60, async () => (await lab.items("/api/v1/alerts?state=firing")).length > 0);
    const page = await open("/", {
      prepare: altered({
        "**/api/v1/alerts?*": (page) => ({ ...page, items: page.items.map(advised) }),
        "**/api/v1/alerts": (page) => ({ ...page, items: page.items.map(advised) }),
        "**/api/v1/alerts/*": advised,
      }),
    });
    await page.locator("section table tbody a").first().click();
    await page.waitForURL(/\/alerts#/);
    const shown = page.getByText(line).first();
    await shown.waitFor();
    const box = await shown.boundingBox();
    assert.ok(box.y > 0 && box.y + box.height < 900, "the line is in the window");
    const card = page.locator("article").first();
    await says(page, /Done now, the last cache recovers in .*, at 2100-01-01 01:00:00 UTC/);
    await says(page, /waits in senders' queues begins to bounce in .*, at 2100-01-05 00:00 UTC/);
    await says(page, /What belongs to it\W+mx\.mismatch\.test: what follows/);
    await card.getByRole("button", { name: "as nsupdate" }).click();
    await says(page, /zone mismatch\.test\s+add _25/);
    await card.getByRole("button", { name: "as knotc" }).click();
    await says(page, /zone-set mismatch\.test/);
    await card.getByRole("button", { name: "Check now" }).click();
    await says(page, /A probe has been asked for/);
    await page.screenshot({ path: `${screens}/alert-remedy.png` });
    await card.getByRole("link", { name: "MX host", exact: true }).click();
    await page.waitForURL(/\/mx\/mx\.mismatch\.test$/);
    await clean(page);
  });

  test("a partner's alert says whose it is, and has nothing to paste into a zone of ours", async () => {
    await until("an alert fires", 60, async () => (await lab.items("/api/v1/alerts?state=firing")).length > 0);
    const partners = (alert) => ({
      ...advised(alert),
      direction: "outbound",
      is_theirs: true,
      remedy: { ...remedy, nsupdate: "", zone_file: "", knotc: "" },
      partner: {
        whose: "mismatch.test is a partner's domain: only its operators can change this. Send them this.",
        ours: ["Write to postmaster@mismatch.test: the page of the domain has the letter, with the evidence."],
        page: "/domains/mismatch.test",
      },
    });
    const [first] = await lab.items("/api/v1/alerts?state=firing");
    const page = await open(`/alerts#${first.id}`, {
      prepare: altered({ "**/api/v1/alerts/*": partners }),
    });
    const card = page.locator("article.target");
    await says(page, /mismatch\.test is a partner's domain: only its operators can change this\. Send them this\./);
    await says(page, /What we can do\W+Write to postmaster@mismatch\.test[^]*For them to publish\W+_25\._tcp/);
    await says(page, /If they do it now, the last cache recovers in /);
    await says(page, /What their operators have to do/);
    assert.equal(await card.getByRole("button", { name: /^as / }).count(), 0, "nothing to paste");
    await page.screenshot({ path: `${screens}/alert-partner.png` });
    await card.getByRole("link", { name: "The page of the domain" }).click();
    await page.waitForURL(/\/domains\/mismatch\.test/);
    await says(page, /From the domain to the certificate/);
    await clean(page);
  });

  test("our own fault is said on every view, with what was known before", async () => {
    const broken = (status) => ({
      ...status,
      vantage: status.vantage.map((one) => (one.check === "resolver" ? { ...one, up: false, detail: "timeout" } : one)),
      blind: {
        since: "2026-11-27T23:31:00Z",
        causes: [{ check: "resolver", detail: "timeout", since: "2026-11-27T23:31:00Z" }],
        resolvers: ["127.0.0.53"],
      },
      last_known: {
        at: status.now,
        delivery: Object.fromEntries(
          Object.keys(status.delivery).map((one) => [
            one,
            { inbound: one === "held-up" ? 12 : one === "fine" ? 20 : 0, outbound: one === "fine" ? 1 : 0 },
          ]),
        ),
      },
    });
    for (const where of ["/", "/domains", "/domains/healthy.test", "/mx/mx.healthy.test", "/alerts"]) {
      const page = await open(where, { prepare: altered({ "**/api/v1/status": broken }) });
      const banner = page.getByRole("alert").first();
      await until("it says so", 5, async () =>
        /danelaw cannot see.* since 2026-11-27 23:31 UTC: resolver 127\.0\.0\.53 gives no answer\. Last known, .* ago: 12 held up, 21 fine\./.test(
          await banner.innerText(),
        ),
      );
      await clean(page);
    }
  });

  test("who is notified is said where it is nobody", async () => {
    const page = await open("/");
    await page.getByRole("link", { name: /Nobody is notified: set up notify/ }).click();
    await says(page, /Who is notified[^]*Nobody is notified/);
    await clean(page);
    const posted = [];
    const status = await open("/status", {
      prepare: async (it) => {
        await altered({
          "**/api/v1/status": (json) => ({
            ...json,
            notifiers: [
              { name: "ops mail", waiting: 0, delivered: 3, failed: 0, last_success_at: json.now, fault: null },
            ],
          }),
        })(it);
        await it.route("**/api/v1/notifiers/**", (route) => {
          posted.push([new URL(route.request().url()).pathname, route.request().postDataJSON()]);
          return route.fulfill({ json: { items: [{ notifier: "ops mail", ok: true, fault: null }] } });
        });
      },
    });
    await status.getByRole("button", { name: "Send a test notification" }).click();
    await says(status, /Sent\./);
    assert.deepEqual(posted, [["/api/v1/notifiers/test", { notifier: "ops mail" }]]);
    await clean(status);
  });

  test("rare classes of senders are folded and grey where the reference sender gets through", async () => {
    const weigh = (splits, weight) => splits.map((one) => ({ ...one, weight }));
    const weighed = (weight) =>
      altered({
        "**/api/v1/domains/dual.test": (domain) => ({
          ...domain,
          splits: weigh(domain.splits, weight),
          hosts: domain.hosts.map((host) => ({ ...host, splits: weigh(host.splits, weight) })),
        }),
      });
    const rare = await open("/domains/dual.test", { prepare: weighed("rare") });
    await says(rare, /1 rare class of senders fares otherwise/);
    assert.equal(await rare.getByText("mail waits in queues").isVisible(), false);
    assert.equal(await rare.locator(".splits .mark.critical, .matrix .mark.critical").count(), 0);
    await rare.getByText("1 rare class of senders").click();
    await says(rare, /mail waits in queues for senders that offer no ECDSA/);
    await clean(rare);
    const common = await open("/domains/dual.test", { prepare: weighed("common") });
    assert.equal(await common.locator(".splits .mark.critical").count(), 1);
    await clean(common);
  });
}

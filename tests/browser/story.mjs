// One story, told alike by everything that tells: API, metrics, overview, list, domain, host and alert.
import assert from "node:assert/strict";
import { test } from "node:test";

import { clean, lab, open, says } from "./browser.mjs";
import { screens, until } from "./lab.mjs";

const domain = "tls12.test",
  host = "mx.tls12.test";
const deliveries = ["fine", "unprotected", "unknown", "at-risk", "held-up"]; // as the metric numbers them

async function told() {
  const [one, mx, metrics] = await Promise.all([
    lab.json(`/api/v1/domains/${domain}`),
    lab.json(`/api/v1/mx/${host}`),
    fetch(`${lab.url}/metrics`).then((reply) => reply.text()),
  ]);
  const gauge = metrics.match(new RegExp(`^danelaw_domain_delivery\\{[^}]*domain="${domain}"[^}]*\\} (\\d)`, "m"));
  return { domain: one.delivery, host: mx.delivery, metric: deliveries[Number(gauge?.[1])] };
}

const text = async (page, what) => (await page.locator(what).first().innerText()).replace(/\s+/g, " ");

// Every outlet says this of mail; gives what the first lines of domain and host say.
async function allSay(delivery) {
  await until(`API and metrics say ${delivery}`, 120, async () =>
    Object.values(await told()).every((one) => one === delivery),
  );
  const word = delivery.replace("-", " ");
  const { items } = await lab.json(`/api/v1/domains?q=${domain}&delivery=${delivery}`);
  assert.equal(items.length, 1, "the filter of its tile");
  const pages = {};
  for (const [name, where] of Object.entries({ domain: `/domains/${domain}`, host: `/mx/${host}` })) {
    const page = await open(where);
    await says(page, new RegExp(`${word} `), 30);
    pages[name] = await text(page, ".lead");
    assert.match(pages[name], new RegExp(word), name);
    if (delivery !== "fine") assert.equal(await page.locator("main .card.ok").count(), 0, `${name} is green`);
    await page.screenshot({ path: `${screens}/story-${delivery}-${name}.png`, fullPage: true });
    await clean(page);
  }
  const list = await open(`/domains?q=${domain}`);
  assert.match(await text(list, "main table tbody tr"), new RegExp(word), "the list");
  await clean(list);
  return pages;
}

const verdictNow = async () => (await lab.json(`/api/v1/domains/${domain}`)).verdict;

const sinceOf = async () => {
  const [one, mx] = await Promise.all([lab.json(`/api/v1/domains/${domain}`), lab.json(`/api/v1/mx/${host}`)]);
  return [one.delivery_since, mx.delivery_since];
};

async function card() {
  const found = await until("its alert fires", 90, async () =>
    (await lab.items(`/api/v1/alerts?state=firing&domain=${domain}`)).find((one) => one.host === host),
  );
  const page = await open(`/alerts#${found.id}`);
  const shown = await text(page, `[id="${found.id}"]`);
  await clean(page);
  return { alert: found, shown };
}

export function story() {
  test("a story is told alike by every view, and none is quiet while mail waits", async () => {
    // Long enough to look at what most caches, and then few of them, still hold.
    lab.command("set", `_25._tcp.${host}`, "TLSA", lab.command("tlsa", host), "--ttl", "180", "--flush");
    await allSay("fine");

    lab.command("swap", host);
    await allSay("held-up");
    assert.equal(new Set(await sinceOf()).size, 1, "since when, as domain and host say it");
    const refused = await card();
    const line = `_25._tcp.${host}. 180 IN TLSA ${lab.command("tlsa", host)}`;
    assert.match(refused.shown, /Publish _25\./);
    assert.ok(refused.shown.includes(line), refused.shown);
    const front = await open("/");
    await says(front, new RegExp(refused.alert.title));
    await clean(front);

    // STARTTLS is gone on top of it: one alert, which does not call for a record that nobody can try.
    lab.command("mode", host, "stripped");
    const openAlerts = async () =>
      (await lab.items(`/api/v1/alerts?state=firing,pending&domain=${domain}`)).filter((one) => one.host === host);
    const hiding = await until("one alert tells of the host", 120, async () => {
      const all = await openAlerts();
      return all.length === 1 && all[0].state === "firing" && all[0].code === "starttls-stripped" && all[0];
    });
    const both = await card();
    assert.equal(both.alert.id, hiding.id);
    assert.match(both.shown, /What belongs to it.*certificate.*\(as last seen\)/);
    assert.doesNotMatch(both.shown, /Publish/);
    lab.command("mode", host, "normal");
    const again = await until("it is a mismatch again", 120, async () => {
      const all = (await openAlerts()).filter((one) => one.state === "firing");
      return all.length === 1 && all[0].code === "tlsa-mismatch" && all[0];
    });

    // What is published is right; most caches still hold what refuses: a new probe finds nothing wrong, and mail waits.
    lab.command("set", `_25._tcp.${host}`, "TLSA", lab.command("tlsa", host), "--ttl", "180", "--flush");
    await until("what is published is right", 60, async () => (await verdictNow()) === "authenticated");
    const most = await allSay("held-up");
    assert.equal(await verdictNow(), "authenticated");
    for (const lead of Object.values(most))
      assert.match(lead, /Most senders refuse now: [\d.]+ % of caches hold records that refuse the key served/);
    assert.equal(new Set(await sinceOf()).size, 1);
    const events = await open("/history?kind=verdict");
    assert.match(
      await text(events, "main table"),
      /Half of the caches, or more, hold records that refuse the key served: mail waits/,
    );
    await clean(events);
    const few = await allSay("at-risk");
    for (const lead of Object.values(few)) {
      assert.match(
        lead,
        /% of caches hold records that refuse the key served, and mail from there waits, the last until/,
      );
      assert.doesNotMatch(lead, /Most senders/);
    }
    const rest = await until("the alert says so", 60, async () => {
      const one = await card();
      return /put right/.test(one.shown) && one;
    });
    assert.equal(rest.alert.id, again.id);
    assert.doesNotMatch(rest.shown, /Publish/);
    assert.match(rest.shown, /The last cache recovers by itself/);
    assert.equal(rest.alert.remedy.publish.length, 0);
    await until(
      "it is over",
      240,
      async () => !(await lab.items(`/api/v1/alerts?state=firing&domain=${domain}`)).length,
    );

    lab.command("mode", host, "stripped");
    await allSay("held-up");
    assert.equal(new Set(await sinceOf()).size, 1);
    const mx = await open(`/mx/${host}`);
    await says(mx, /Keys:\W+not seen/);
    assert.doesNotMatch(await text(mx, "main"), /Nothing to change|Put the next key live/);
    await clean(mx);
    const stripped = await card();
    assert.equal(stripped.alert.code, "starttls-stripped");
    assert.doesNotMatch(stripped.shown, /Publish/);

    lab.command("mode", host, "normal");
    await allSay("fine");
  });
}

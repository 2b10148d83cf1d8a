// One story, told alike by everything that tells: API, metrics, overview, list, domain, host and alert.
import assert from "node:assert/strict";
import { test } from "node:test";

import { clean, lab, open, says } from "./browser.mjs";
import { screens, until } from "./lab.mjs";

const domain = "tls12.test",
  host = "mx.tls12.test";
const deliveries = ["fine", "unprotected", "unknown", "at-risk", "held-up"]; // as the metric numbers them

// What API and metrics say of the story at one moment: what passes is held by this, and can be looked at for as long as
// that takes.
async function told(delivery) {
  const paths = {
    domain: `/api/v1/domains/${domain}`,
    host: `/api/v1/mx/${host}`,
    timeline: `/api/v1/mx/${host}/timeline`,
    list: `/api/v1/domains?q=${domain}`,
  };
  const [filtered, alerts, metrics, ...answers] = await Promise.all([
    lab.items(`/api/v1/domains?q=${domain}&delivery=${delivery}`), // as its tile does
    lab.items(`/api/v1/alerts?state=firing&domain=${domain}`),
    fetch(`${lab.url}/metrics`).then((reply) => reply.text()),
    ...Object.values(paths).map((path) => lab.json(path)),
  ]);
  const [one, mx, , list] = answers;
  const gauge = metrics.match(new RegExp(`^danelaw_domain_delivery\\{[^}]*domain="${domain}"[^}]*\\} (\\d)`, "m"));
  const alert = alerts.find((other) => other.host === host);
  const held = Object.values(paths).map((path, index) => [path.split("?")[0], answers[index]]);
  if (alert) held.push([`/api/v1/alerts/${alert.id}`, alert]);
  return {
    deliveries: [
      one.delivery,
      mx.delivery,
      deliveries[Number(gauge?.[1])],
      list.items[0]?.delivery,
      filtered[0]?.delivery,
    ],
    since: [one.delivery_since, mx.delivery_since],
    verdict: one.verdict,
    alert,
    held: Object.fromEntries(held),
  };
}

// A page that is given the answers of that moment instead of those of now.
const asOf = ({ held }) => ({
  prepare: (page) =>
    page.route(
      ({ pathname }) => pathname in held,
      (route) => route.fulfill({ json: held[new URL(route.request().url()).pathname] }),
    ),
});

const text = async (page, what) => (await page.locator(what).first().innerText()).replace(/\s+/g, " ");

// API and metrics say this of mail, at one moment that is as wanted: what was told then.
async function reached(delivery, wanted = () => true, seconds = 120) {
  const then = await until(`API and metrics say ${delivery}`, seconds, async () => {
    const now = await told(delivery);
    return now.deliveries.every((one) => one === delivery) && wanted(now) && now;
  });
  if (delivery === "held-up") assert.equal(new Set(then.since).size, 1, "since when, as domain and host say it");
  return { ...then, delivery };
}

// Every view says the same of that moment; gives what the first lines of domain and host say.
async function shown(then) {
  const { delivery } = then;
  const word = delivery.replace("-", " ");
  const leads = {};
  for (const [name, where] of Object.entries({ domain: `/domains/${domain}`, host: `/mx/${host}` })) {
    const page = await open(where, asOf(then));
    await says(page, new RegExp(`${word} `), 30);
    leads[name] = await text(page, ".lead");
    assert.match(leads[name], new RegExp(word), name);
    if (delivery !== "fine") assert.equal(await page.locator("main .card.ok").count(), 0, `${name} is green`);
    await page.screenshot({ path: `${screens}/story-${delivery}-${name}.png`, fullPage: true });
    await clean(page);
  }
  const list = await open(`/domains?q=${domain}`, asOf(then));
  assert.match(await text(list, "main table tbody tr"), new RegExp(word), "the list");
  await clean(list);
  return Object.values(leads);
}

const allSay = async (delivery) => shown(await reached(delivery));

async function cardOf(alert, how) {
  const page = await open(`/alerts#${alert.id}`, how);
  const says = await text(page, `[id="${alert.id}"]`);
  await clean(page);
  return says;
}

async function card() {
  const alert = await until("its alert fires", 90, async () =>
    (await lab.items(`/api/v1/alerts?state=firing&domain=${domain}`)).find((one) => one.host === host),
  );
  return { alert, shown: await cardOf(alert) };
}

export function story() {
  test("a story is told alike by every view, and none is quiet while mail waits", async () => {
    // Long enough to look at what most caches, and then few of them, still hold.
    lab.command("set", `_25._tcp.${host}`, "TLSA", lab.command("tlsa", host), "--ttl", "180", "--flush");
    await allSay("fine");

    lab.command("swap", host);
    await allSay("held-up");
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
    const most = await reached("held-up", ({ verdict }) => verdict === "authenticated");
    // What comes next is awaited while this is looked at: it does not last.
    const next = reached("at-risk", ({ alert }) => /put right/.test(alert?.title), 240);
    next.catch(() => {}); // told below
    for (const lead of await shown(most))
      assert.match(lead, /Most senders refuse now: [\d.]+ % of caches hold records that refuse the key served/);
    const events = await open("/history?kind=verdict");
    assert.match(
      await text(events, "main table"),
      /Half of the caches, or more, hold records that refuse the key served: mail waits/,
    );
    await clean(events);
    const few = await next;
    for (const lead of await shown(few)) {
      assert.match(
        lead,
        /% of caches hold records that refuse the key served, and mail from there waits, the last until/,
      );
      assert.doesNotMatch(lead, /Most senders/);
    }
    assert.equal(few.alert.id, again.id);
    const rest = await cardOf(few.alert, asOf(few));
    assert.match(rest, /put right/);
    assert.doesNotMatch(rest, /Publish/);
    assert.match(rest, /The last cache recovers by itself/);
    assert.equal(few.alert.remedy.publish.length, 0);
    await until(
      "it is over",
      240,
      async () => !(await lab.items(`/api/v1/alerts?state=firing&domain=${domain}`)).length,
    );

    lab.command("mode", host, "stripped");
    await allSay("held-up");
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

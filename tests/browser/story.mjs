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
    await allSay("fine");

    lab.command("swap", host);
    await allSay("held-up");
    assert.equal(new Set(await sinceOf()).size, 1, "since when, as domain and host say it");
    const refused = await card();
    const line = `_25._tcp.${host}. 60 IN TLSA ${lab.command("tlsa", host)}`;
    assert.match(refused.shown, /Publish _25\./);
    assert.ok(refused.shown.includes(line), refused.shown);
    const front = await open("/");
    assert.match(await text(front, "main"), new RegExp(refused.alert.title), "the overview");
    await clean(front);

    // What is published is right; most caches still hold what refuses.
    lab.command("set", `_25._tcp.${host}`, "TLSA", lab.command("tlsa", host), "--flush");
    const cached = await allSay("at-risk");
    for (const lead of Object.values(cached))
      assert.match(
        lead,
        /% of caches hold records that refuse the key served, and mail from there waits, the last until/,
      );
    const rest = await until("the alert says so", 60, async () => {
      const one = await card();
      return /put right/.test(one.shown) && one;
    });
    assert.equal(rest.alert.id, refused.alert.id);
    assert.doesNotMatch(rest.shown, /Publish/);
    assert.match(rest.shown, /The last cache recovers by itself/);
    assert.equal(rest.alert.remedy.publish.length, 0);
    await until(
      "it is over",
      180,
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

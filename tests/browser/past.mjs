// The rollover picture does not repaint the past.
import assert from "node:assert/strict";
import { test } from "node:test";

import { altered, clean, lab, open, says } from "./browser.mjs";
import { screens, until } from "./lab.mjs";

const timeline = (host) => lab.json(`/api/v1/mx/${host}/timeline`);
const accepted = async (host) =>
  (await timeline(host)).endpoints[0].keys.flatMap((key) => key.acceptance.map((one) => one.accepted));
const keyRows = (page) =>
  page
    .locator("details table tbody tr", { hasText: "Keys served" })
    .evaluateAll((rows) => rows.map((row) => row.querySelector("td").innerText.replace(/\s+/g, " ").trim()));

export function past() {
  test("a record that went while its key was served, and came back, leaves its cut in the picture", async () => {
    const host = "mx.nsec3.test",
      owner = `_25._tcp.${host}`;
    const record = lab.command("tlsa", host);
    lab.command("set", owner, "TLSA", `3 1 1 ${"07".repeat(32)}`, "--flush");
    await until("the key is refused", 60, async () => (await accepted(host)).at(-1) === "no");
    lab.command("set", owner, "TLSA", record, "--flush");
    await until("the key is accepted again", 60, async () => (await accepted(host)).at(-1) === "yes");
    const page = await open(`/mx/${host}`);
    await page.getByText("The picture as a table").click();
    assert.match((await keyRows(page)).join("; "), /key A accepted.*; \W*key A refused.*; key A accepted/);
    for (const look of ["key", "refused"]) await page.locator(`svg .bar.${look}`).first().waitFor();
    const [{ last_change_at: last }, text] = [await timeline(host), await page.locator("main").innerText()];
    const shown = /(\d{4}-\d\d-\d\d \d\d:\d\d) UTC to (\d{4}-\d\d-\d\d \d\d:\d\d) UTC/.exec(text);
    const [from, to] = [Date.parse(`${shown[1]}Z`), Date.parse(`${shown[2]}Z`)];
    assert.ok(from <= Date.parse(last) - 180_000 && from >= Date.parse(last) - 301_000, "four TTLs of a minute before");
    assert.ok(to >= Date.parse(last) + 180_000, "and four after it");
    assert.match(await page.locator("svg .signature").textContent(), /valid to \d+ \w{3}/);
    assert.equal(await page.locator("svg .signature rect:not(.expected)").count(), 1);
    await page.setViewportSize({ width: 360, height: 900 });
    await page.screenshot({ path: `${screens}/early-retire-360.png`, fullPage: true });
    await clean(page);
  });

  test("a key keeps its letter whatever the range", async () => {
    const host = "mx.nsec3.test";
    const { keys, now } = await timeline(host);
    const page = await open(`/mx/${host}?from=${new Date(Date.parse(now) - 5000).toISOString()}&to=now`);
    await page.getByText("The picture as a table").click();
    const { endpoints } = await timeline(host);
    const served = endpoints[0].keys.at(-1).spki_sha256;
    const letter = String.fromCharCode(65 + keys.indexOf(served));
    assert.match((await keyRows(page)).join("; "), new RegExp(`key ${letter} `));
    await clean(page);
  });

  test("signatures are one lane, but where a server gives one that ends on another day", async () => {
    const at = (days) => new Date(Date.now() + days * 86_400_000).toISOString().replace(/\.\d+/, "");
    const signature = (server, expires, from = -2, last = 0) => ({
      server,
      from: at(from),
      last_seen_at: at(last).slice(0, 10),
      inception_at: at(from - 1),
      expires_at: at(expires),
      is_lost: false,
      signed_per_answer: false,
    });
    const day = (days) =>
      new Date(at(days)).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
    const shown = async (...signatures) => {
      const page = await open("/mx/mx.healthy.test", {
        prepare: altered({ "**/timeline?*": (timeline) => ({ ...timeline, signatures }) }),
      });
      await page.getByText("The picture as a table").click();
      const rows = await page.locator("details table tbody tr", { hasText: "DNSSEC" }).allInnerTexts();
      await clean(page);
      return rows.map((row) =>
        row
          .split(/\t|\n/)
          .slice(0, 2)
          .map((cell) => cell.replace(/^\W+/, "").trim()),
      );
    };
    const common = "DNSSEC: RRSIG over the TLSA records";
    assert.deepEqual(
      await shown(signature(null, 12), signature("ns1.test 127.0.1.1", 12), signature("ns2.test 127.0.1.2", 3, -9, -5)),
      [[common, `valid to ${day(12)}`]],
      "two keys on one day, and what a server gave once",
    );
    assert.deepEqual(await shown(signature(null, 12), signature("ns2.test 127.0.1.2", 3)), [
      [common, `valid to ${day(12)}`],
      ["DNSSEC: at ns2.test (127.0.1.2)", `valid to ${day(3)}`],
    ]);
  });

  test("a key that was never seen has no letter", async () => {
    const host = "mx.healthy.test";
    const spans = (now) => [{ from: now, until: null, cached_until: null }];
    const page = await open(`/mx/${host}`, {
      prepare: altered({
        "**/timeline?*": (timeline) => ({
          ...timeline,
          records: [
            ...timeline.records,
            { usage: 3, selector: 1, matching_type: 1, data: "07".repeat(32), spans: spans(timeline.now), servers: [] },
          ],
        }),
      }),
    });
    const lanes = await page.locator("svg text.lane").allTextContents();
    assert.ok(lanes.includes("3 1 1 07070707… for a key not seen yet"), lanes.join("; "));
    assert.ok(
      lanes.some((one) => / for key A$/.test(one)),
      lanes.join("; "),
    );
    await clean(page);
  });

  test("name servers that differ have lanes of their own, and the host's page names them", async () => {
    const host = "mx.drift.test";
    lab.command("story", "drift", "--step", "1");
    await until("they differ", 60, async () => (await timeline(host)).records.some((one) => one.servers.length > 0));
    const page = await open(`/mx/${host}`);
    await says(page, /ns\d\S* \(127\.0\.1\.\d\) lacks 3 1 1 \w{5}…; ns\d\S* \(127\.0\.1\.\d\) has it since 20/, 30);
    // Below the lane of a record only what differs: when which of them lacked it.
    const lanes = await page.locator("svg text.lane").allTextContents();
    const parts = lanes.filter((one) => /^not at ns/.test(one));
    assert.ok(parts.length > 0 && parts.some((one) => /ns1\S* \(127\.0\.1\.1\)/.test(one)), lanes.join("; "));
    const lacking = page.locator("svg .bar.partly", { has: page.locator("title", { hasText: /^lacks it: / }) });
    assert.equal(await lacking.count(), parts.length);
    assert.doesNotMatch(await page.locator("main").innerText(), /only time helps/);
    await page.locator("svg .bar.partly").first().waitFor();
    await page.screenshot({ path: `${screens}/drift.png`, fullPage: true });
    await clean(page);
  });
}

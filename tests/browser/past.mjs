// The rollover picture does not repaint the past.
import assert from "node:assert/strict";
import { test } from "node:test";

import { clean, lab, open, says } from "./browser.mjs";
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

  test("name servers that differ have lanes of their own, and the host's page names them", async () => {
    const host = "mx.drift.test";
    lab.command("story", "drift", "--step", "1");
    await until("they differ", 60, async () => (await timeline(host)).records.some((one) => one.servers.length > 0));
    const page = await open(`/mx/${host}`);
    await says(page, /ns\d\S* \(127\.0\.1\.\d\) lacks 3 1 1 \w{5}…; ns\d\S* \(127\.0\.1\.\d\) has it since 20/, 30);
    assert.match(await page.locator("svg").textContent(), /at ns1\S* \(127\.0\.1\.1\)[^]*at ns2\S* \(127\.0\.1\.2\)/);
    assert.doesNotMatch(await page.locator("main").innerText(), /only time helps/);
    await page.locator("svg .bar.partly").first().waitFor();
    await page.screenshot({ path: `${screens}/drift.png`, fullPage: true });
    await clean(page);
  });
}

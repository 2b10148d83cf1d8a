// The page in a real browser, of the real agent on the lab: what an operator sees.
import assert from 'node:assert/strict';
import {mkdirSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {after, before, test} from 'node:test';

import {chromium} from 'playwright-core';

import {LivingLab, screens, until} from './lab.mjs';

const lab = new LivingLab();
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
let browser;

before(async () => {
  mkdirSync(screens, {recursive: true});
  await lab.start();
  browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ['--no-sandbox']});
});
after(async () => {
  await browser?.close();
  await lab.stop();
});

// A fresh page that notes everything a clean page never does.
async function open(where, {width = 1280, scheme = 'light'} = {}) {
  const context = await browser.newContext({viewport: {width, height: 900}, colorScheme: scheme,
                                            timezoneId: 'America/New_York'});
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', line => { if (line.type() === 'error') page.complaints.push(line.text()); });
  page.on('pageerror', error => page.complaints.push(String(error)));
  page.on('request', request => {
    if (!request.url().startsWith(lab.url)) page.complaints.push(`asks ${request.url()}`);
  });
  await page.goto(lab.url + where);
  await page.locator('main h1').waitFor();
  await page.waitForLoadState('networkidle');
  return page;
}

test('overview answers whether mail gets through, and counts as filters', async () => {
  const page = await open('/');
  const counts = (await (await fetch(`${lab.url}/api/v1/status`)).json()).counts;
  const main = await page.locator('main').innerText();
  assert.match(main, new RegExp(`\\b${counts.critical}\\b`));
  await page.getByRole('link', {name: /critical/i}).first().click();
  await page.waitForURL(/\/domains\?.*status=critical/);
  await until('the critical ones are listed', 5,
              async () => await page.locator('tbody tr').count() === counts.critical);
  assert.deepEqual(page.complaints, []);
});

test('domains are listed with verdict and worst finding, and can be searched', async () => {
  const page = await open('/domains');
  assert.equal(await page.locator('tbody tr').count(), Object.keys(lab.expected).length);
  await page.getByRole('searchbox').fill('healthy');
  await until('the list shrinks', 5, async () => await page.locator('tbody tr').count() === 1);
  assert.match(await page.locator('tbody tr').innerText(), /healthy\.test/);
  assert.match(page.url(), /q=healthy/);
  assert.deepEqual(page.complaints, []);
});

test('a domain shows its chain from MX to certificate and says what to do', async () => {
  const page = await open('/domains/nostarttls.test');
  const text = await page.locator('main').innerText();
  for (const wanted of [/mx\.nostarttls\.test/, /_25\._tcp/, /STARTTLS/, /What to do|Fix/i]) {
    assert.match(text, wanted);
  }
  assert.deepEqual(page.complaints, []);
});

test('a late rollover appears among the alerts with both domains, and goes', async () => {
  const page = await open('/alerts');
  const card = page.getByRole('region', {name: 'Firing'})
    .locator('article', {hasText: 'mx.provider.test'}).filter({hasText: 'tlsa-mismatch'});
  assert.equal(await card.count(), 0);
  lab.command('story', 'late-rollover', '--step', '1');
  await until('the alert is on the page', 90, async () => await card.count() === 1);
  const text = await card.innerText();
  assert.match(text, /shared-a\.test/);
  assert.match(text, /shared-b\.test/);
  assert.match(text, /critical/i);
  await page.screenshot({path: `${screens}/late-rollover.png`, fullPage: true});
  lab.command('story', 'late-rollover', '--step', '2');
  // One look to see it, the TTL of a minute until the last cache has let go, two looks to clear it.
  await until('the alert is gone from the page', 150, async () => await card.count() === 0);
  assert.deepEqual(page.complaints, []);
});

const pages = {overview: '/', domains: '/domains', domain: '/domains/dual.test', alerts: '/alerts',
               status: '/status'};
for (const [name, where] of Object.entries(pages)) {
  for (const scheme of ['light', 'dark']) {
    for (const width of [1280, 360]) {
      test(`${name} is accessible and fits (${scheme}, ${width})`, async () => {
        const page = await open(where, {scheme, width});
        await page.screenshot({path: `${screens}/${name}-${scheme}-${width}.png`, fullPage: true});
        const overflow = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(overflow <= 0, `${overflow} px wider than the window`);
        assert.deepEqual(page.complaints, []);
        await page.evaluate(await readFile(axe, 'utf8'));  // the page's policy does not bind it
        const found = await page.evaluate(() => window.axe.run(document, {
          runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']}));
        assert.deepEqual(found.violations.map(v => `${v.id}: ${v.nodes.map(n => n.html).join(' ')}`),
                         []);
      });
    }
  }
}

// Holds what the templates of docs/notifiers make against what services publish for it in npm: types of Slack, PagerDuty
// and Matrix, and for Teams the reader of Adaptive Cards. Opsgenie, ntfy and Mattermost publish nothing of what is posted
// to them; Mattermost takes what Slack does. Needs `npm ci` in this folder.
import assert from "node:assert";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import Mustache from "mustache";

const { AdaptiveCard, SerializationContext } = createRequire(import.meta.url)("adaptivecards/dist/adaptivecards.js");
const here = fileURLToPath(new URL(".", import.meta.url));

// J<T>: T as JSON has it, with the values of enumerations instead of their names.
const head = `
import type { IncomingWebhookSendArguments } from "@slack/webhook";
import type { EventPayloadV2 } from "@pagerduty/pdjs/build/src/events";
import type { RoomMessageTextEventContent } from "matrix-js-sdk/lib/@types/events";
type J<T> = unknown extends T ? T
  : T extends string ? (string extends T ? string : \`\${T}\`)
  : T extends (infer E)[] ? J<E>[]
  : T extends object ? { [K in keyof T]: J<T[K]> } : T;
type Slack = IncomingWebhookSendArguments;
type Mattermost = IncomingWebhookSendArguments;
type PagerDuty = EventPayloadV2 & { client: string; client_url: string };
type PagerDutyResolved = Omit<PagerDuty, "payload">;
type Matrix = J<Omit<RoomMessageTextEventContent, "m.mentions" | "m.relates_to">>;
`;

const said = {
  alert_id: "tlsa-mismatch.mx.example.org.1", severity: "error", title: 'mx.example.org: "no" record\nfits',
  subject: "mx.example.org", domains: "example.org, example.net", senders_now: "Mail waits.", fix: "Publish it.",
  fix_list: [{ item: "Publish it." }, { item: "Wait.", is_last: true }], url: "https://danelaw.example.org/alerts/1",
};
// What a template makes of it; texts stand in strings of JSON.
const filled = (name, more) =>
  JSON.parse(Mustache.render(readFileSync(join(here, `../../docs/notifiers/${name}.json`), "utf8"), { ...said, ...more }, {}, {
    escape: (text) => JSON.stringify(String(text)).slice(1, -1),
  }));

// What the compiler says of payloads, by name: [type, payload].
function complaints(named) {
  const folder = mkdtempSync(join(here, "checked-"));
  try {
    for (const [name, [type, payload]] of Object.entries(named))
      writeFileSync(join(folder, `${name}.ts`), `${head}export const payload = ${JSON.stringify(payload, null, 1)} satisfies ${type};\n`);
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({
      compilerOptions: { strict: true, noEmit: true, module: "esnext", moduleResolution: "bundler", target: "es2022", skipLibCheck: true, types: [] },
      include: ["*.ts"],
    }));
    execFileSync(join(here, "node_modules/.bin/tsc"), ["-p", folder, "--pretty", "false"], { encoding: "utf8" });
    return "";
  } catch (error) {
    return error.stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// What the reader of Teams' cards says of a message.
function cardComplaints({ attachments: [{ content }] }) {
  const context = new SerializationContext();
  const card = new AdaptiveCard();
  card.parse(content, context);
  const events = Array.from({ length: context.eventCount }, (_, index) => context.getEventAt(index));
  return [...events, ...card.validateProperties().validationEvents].map((one) => one.message);
}

test("what services are sent is what their types say", () => {
  const all = {};
  for (const [state, more] of Object.entries({ opened: { event: "opened" }, resolved: { event: "resolved", is_resolved: true } })) {
    all[`slack_${state}`] = ["Slack", filled("slack", more)];
    all[`mattermost_${state}`] = ["Mattermost", filled("mattermost", more)];
    assert.deepEqual(cardComplaints(filled("teams", more)), []);
    all[`matrix_${state}`] = ["Matrix", filled("matrix", more)];
  }
  all.pagerduty_opened = ["PagerDuty", filled("pagerduty", { event: "trigger" })];
  all.pagerduty_resolved = ["PagerDutyResolved", filled("pagerduty", { event: "resolve", is_resolved: true })];
  assert.equal(complaints(all), "");
});

test("a fault is caught", () => {
  const opened = { event: "opened" };
  const card = filled("teams", opened);
  card.attachments[0].content.body[0].type = "Text";
  delete card.attachments[0].content.actions[0].url;
  assert.equal(cardComplaints(card).length, 2);
  const output = complaints({
    slack: ["Slack", { ...filled("slack", opened), message: "none" }],
    mattermost: ["Mattermost", { ...filled("mattermost", opened), text: 7 }],
    matrix: ["Matrix", { ...filled("matrix", opened), msgtype: "text" }],
    pagerduty: ["PagerDuty", filled("pagerduty", { event: "opened" })],
    severity: ["PagerDuty", filled("pagerduty", { event: "trigger", severity: "high" })],
  });
  for (const name of ["slack", "mattermost", "matrix", "pagerduty", "severity"])
    assert.match(output, new RegExp(`${name}\\.ts.*error`), output);
});

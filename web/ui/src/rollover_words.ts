// The words about keys and their rollovers.
import type { Delivery, Rollover, RolloverState, Status } from "./api";
import { rolloverLook } from "./catalogue";
import type { Look } from "./words";
import { duration, utc } from "./words";

export const rolloverWords: Record<RolloverState, string> = {
  "no-dane": "no DANE",
  steady: "steady",
  "prepub-wait": "waiting for caches",
  "prepub-ok": "in every cache",
  ready: "ready",
  switching: "switching",
  rolled: "rolled over",
  "stale-risk": "caches may refuse",
  fallback: "only the trust anchor matches",
  mismatch: "mismatch",
  "partial-mismatch": "mismatch at some endpoints",
  "dns-fail": "DNS fails",
  withdrawn: "records withdrawn",
  unknown: "unknown",
};

// Keys that are well are no good news where mail is held up all the same.
export const keysLook = (state: RolloverState, delivery: Delivery): Look =>
  rolloverLook[state] === "ok" && delivery !== "fine" ? "note" : rolloverLook[state];

export const rolloverSentence: Record<RolloverState, string> = {
  "no-dane": "There are no usable TLSA records: senders do not check this host.",
  steady: "Every endpoint matches what is published and what caches may hold.",
  "prepub-wait": "A record for the next key is published; some caches may still lack it.",
  "prepub-ok": "Every cache has the record for the next key.",
  ready: "Every cache has had the record for the next key for as long as RFC 7671 asks.",
  switching: "Some endpoints present the next key, some the old one; all match.",
  rolled: "All endpoints present the new key; the record of the old one is still published.",
  "stale-risk": "What is published fits, but caches may still hold a set that refuses the key served.",
  fallback: "Only a DANE-TA(2) record matches: the DANE-EE(3) records fit no key served.",
  mismatch: "The published records refuse the key served at every endpoint.",
  "partial-mismatch": "The published records refuse the key served at some endpoints.",
  "dns-fail": "No name server gives an answer about the TLSA records.",
  withdrawn: "The records are gone; caches may still hold them.",
  unknown: "No key was seen, or the records changed more often than is remembered.",
};

export const rolloverAdvice: Record<RolloverState, string> = {
  "no-dane": "Publish a 3 1 1 record of the served key when the host is to be protected.",
  steady: "Nothing to change. Publish the next key's record before it goes live.",
  "prepub-wait": "Keep the old key until every cache has the new record.",
  "prepub-ok": "The next key may go live; waiting for twice the TTL is recommended.",
  ready: "Put the next key live.",
  switching: "Put the next key live at the other endpoints too; keep the old record until all have it.",
  rolled: "Remove the record of the old key.",
  "stale-risk":
    "Remove no record, and leave the key as it is unless the alert says otherwise: senders deliver again as their caches recover, the last at the time below.",
  fallback: "Publish the 3 1 1 record of the served key beside the others.",
  mismatch: "Publish a record of the key served beside the present ones.",
  "partial-mismatch": "Bring the endpoints that differ to the same key, or publish a record for each key served.",
  "dns-fail": "Fix DNS first: senders cannot learn the records and keep the mail in their queues.",
  withdrawn: "Keep the served key until the records have expired from every cache.",
  unknown: "Leave records and key alone for their TTL.",
};

const gradeWords: Record<string, string> = {
  safe: "safe",
  "safe-via-ta": "safe by the trust anchor",
  tight: "tight: less than twice the TTL",
  early: "too early: caches refused the new key",
  late: "late: the key came before its record",
  never: "the record never came",
  "early-retire": "the old record went too early",
  indeterminate: "could not be determined",
};
type Change = Rollover["rollovers"][number];
// It is not over: what was published never fitted the new key by itself.
const awaitsRecord = ({ grade, lead: [least] }: Change) => grade === "indeterminate" && least === null;
// `isSplit`: name servers differ now.
export const changeWords = (change: Change, isSplit: boolean) =>
  awaitsRecord(change)
    ? `late: the key's record is ${isSplit ? "not given by every name server" : "still missing"}`
    : (gradeWords[change.grade] ?? change.grade);
export const changeStatus = (change: Change): Status => (awaitsRecord(change) ? "critical" : gradeStatus(change.grade));
const gradeStatus = (grade: string): Status =>
  grade === "safe" || grade === "safe-via-ta"
    ? "ok"
    : grade === "tight"
      ? "warning"
      : grade === "indeterminate"
        ? "unknown"
        : "critical";

// "ns1.example.org 192.0.2.53", as the API calls a name server.
export const serverWords = (server: string) => server.replace(/^(\S+) (\S+)$/, "$1 ($2)");

// Which name server lacks which record that others give: "ns1 (127.0.1.1) lacks 3 1 1 ceaab…; ns2 … has it since 22:53".
export const differences = ({ differences: all }: Rollover) =>
  all.map(({ server, lacks, given_by }) => {
    const has = given_by.map((one) => `${serverWords(one.server)} has it since ${utc(one.since)}`);
    return `${serverWords(server)} lacks ${lacks.slice(0, 11)}…; ${has.join(", ")}.`;
  });

// Which of them to bring up to date: those that lack the record of a key in use, if any do.
export function differenceAdvice({ differences: all }: Rollover): string {
  const lacking = all.some((one) => one.in_use) ? all.filter((one) => one.in_use) : all;
  const behind = [...new Set(lacking.map((one) => serverWords(one.server)))];
  return behind.length === 1
    ? `Make ${behind[0]} take over what the others give: check its serial number and its transfers.`
    : `Bring ${behind.join(" and ")} to the same records: check the zone's serial numbers and transfers.`;
}

// What caches do to mail, where all of these hosts are refused by some: told for the one that is refused least.
export function cachesSentence(hosts: Rollover[], delivery?: Delivery): string {
  const [least] = [...hosts].sort((a, b) => (a.held_share ?? 0) - (b.held_share ?? 0));
  const share = least?.held_share ?? 0;
  if (!least || share <= 0) return "";
  const until = least.window?.until ? `the last until ${utc(least.window.until)}` : "and it will not end by itself";
  const percent = `${Math.round(share * 1000) / 10} %`;
  const many = share > 0.5005 ? "Most senders refuse now: " : "Every second sender is refused now: ";
  return `${delivery === "held-up" && share >= 0.4995 ? many : ""}${percent} of caches hold records that refuse the key served, and mail from there waits, ${until}.`;
}

// `now`: what happens to mail by what is published.
export function withCaches(now: string, hosts: Rollover[], delivery: Delivery): string {
  const caches = cachesSentence(hosts, delivery);
  return caches ? `${caches} Otherwise: ${now}` : now;
}

// How long before its key a record came, as far as probes can tell: "28 to 83 s after the key".
export function leadWords({ grade, lead: [least, most] }: Change): string {
  if (least === null || least === undefined)
    return grade === "never" || grade === "indeterminate"
      ? "not yet, or not everywhere"
      : grade === "safe-via-ta"
        ? "none was needed"
        : "when it came was not seen";
  const end = most ?? null;
  if (end !== null && end < 0 && least < 0) return `${between(-end, -least)} after the key`;
  if (end !== null && least < 0)
    return `at most ${duration(end)} before the key, or at most ${duration(least)} after it`;
  return end === null ? `at least ${duration(least)} before the key` : `${between(least, end)} before the key`;
}
function between(least: number, most: number): string {
  const [a, b] = [duration(least), duration(most)];
  if (a === b) return a;
  const unit = / \w+$/.exec(b)?.[0] ?? "";
  return a.endsWith(unit) ? `${a.slice(0, -unit.length)} to ${b}` : `${a} to ${b}`;
}
// `isOpen`: caches, or what is published, refuse it still.
export function refusedFor(seconds: number | null, isOpen: boolean) {
  if (seconds === null) return isOpen ? "by all, until its record is given" : "how much was not seen";
  if (seconds === 0) return "by nobody";
  const when = isOpen ? " by the time the last cache recovers" : "";
  return `for ${duration(seconds)}${when}, averaged over senders`;
}

// The words a person reads for the words of the API.
import type { AgentStatus, Delivery, RolloverState, Severity, Status, Verdict } from "./api";

export const verdictWords: Record<Verdict, string> = {
  "authenticated": "delivered, authenticated",
  "host-authenticated": "host authenticated, MX not signed",
  "encrypted": "encrypted, not authenticated",
  "opportunistic": "TLS if nobody interferes",
  "cleartext": "delivered in the clear",
  "refused": "senders refuse",
  "lookup-failed": "DNS fails",
  "down": "no SMTP session",
  "no-address": "no address",
  "unknown": "could not be told",
  "deferred": "mail waits in queues",
  "bounced": "mail bounces",
  "no-mail": "takes no mail",
};

export const verdictSentence: Record<Verdict, string> = {
  "authenticated": "Mail is delivered over authenticated TLS.",
  "host-authenticated": "The mail host is authenticated, but nobody vouches that it is the domain's host: the MX records are not signed.",
  "encrypted": "Mail is delivered over TLS, without authentication.",
  "opportunistic": "Mail is delivered over TLS if nobody interferes; DANE does not apply.",
  "cleartext": "Mail is delivered in the clear.",
  "refused": "Senders that check DANE refuse to deliver.",
  "lookup-failed": "Senders cannot find the mail hosts: DNS fails.",
  "down": "No usable SMTP session.",
  "no-address": "The host has no address.",
  "unknown": "Could not be told from here; nothing is concluded about the domain.",
  "deferred": "No host takes the mail: it waits in senders' queues.",
  "bounced": "Mail bounces: no such domain, no host with an address, or a host that refuses for good.",
  "no-mail": "The domain says that it takes no mail.",
};

// Of an MX host, where a verdict is one of a host.
export const hostSentence: Partial<Record<Verdict, string>> = {
  "authenticated": "Senders deliver through it over authenticated TLS.",
  "host-authenticated": "Senders authenticate it, but nobody vouches that it is the host of all its domains: their MX records are not signed.",
  "encrypted": "Senders deliver through it over TLS, without authentication.",
  "opportunistic": "Senders deliver through it over TLS if nobody interferes; DANE does not apply.",
  "cleartext": "Senders deliver through it in the clear.",
  "refused": "Senders that check DANE refuse to deliver through it.",
  "lookup-failed": "Senders cannot use it: its DNS lookups fail.",
  "down": "Senders get no usable SMTP session with it.",
  "no-address": "It has no address that senders could deliver to.",
};

export const deliveries: Delivery[] = ["held-up", "unprotected", "at-risk", "fine", "unknown"];
export const deliveryWords: Record<Delivery, string> = {
  "held-up": "held up", "unprotected": "unprotected", "at-risk": "at risk", "fine": "fine", "unknown": "unknown",
};
export const deliveryLook: Record<Delivery, Status> = {
  "held-up": "critical", "unprotected": "warning", "at-risk": "warning", "fine": "ok", "unknown": "unknown",
};

const all = (of: { inbound: number; outbound: number }) => of.inbound + of.outbound;
export const countOf = (status: AgentStatus, delivery: Delivery) => all(status.delivery[delivery]);

// "11 ours, 1 partner"
export const rolesOf = (status: AgentStatus, delivery: Delivery) => {
  const { inbound, outbound } = status.delivery[delivery];
  return [inbound > 0 && `${inbound} ours`, outbound > 0 && plural(outbound, "partner")].filter(Boolean).join(", ");
};

// The answer to the question that the page is asked.
export function headline(status: AgentStatus): string {
  const domains = status.config.domains;
  const [held, unprotected, risky, fine, unknown] = deliveries.map((one) => countOf(status, one)) as [number, number, number, number, number];
  const of = plural(domains, "domain");
  const doubt = unknown > 0 ? ` Nothing can be said about ${unknown} at the moment.` : "";
  if (domains === 0) return "No domain is watched yet.";
  if (unknown === domains) return `Unknown: nothing can be said about mail to the ${of} at the moment.`;
  if (held > 0) {
    const lately = status.held_up_lately ? ` ${status.held_up_lately} began in the last hour.` : "";
    return `Mail does not arrive at ${held} of ${of}: ${rolesOf(status, "held-up")}.${lately}${doubt}`;
  }
  if (fine === domains) return domains === 1 ? "Mail arrives at the watched domain, protected." : `Mail arrives at all ${of}, protected.`;
  const but = [unprotected > 0 && `${unprotected} unprotected`, risky > 0 && `${risky} at risk`].filter(Boolean).join(", ");
  return `Mail arrives at ${unknown > 0 ? `${domains - unknown} of ${of}` : domains === 1 ? "the watched domain" : `all ${of}`}${but && `: ${but}`}.${doubt}`;
}

export const verdictStatus = (verdict: Verdict | null): Status => {
  switch (verdict) {
    case "authenticated": case "no-mail": return "ok";
    case "host-authenticated": case "encrypted": case "opportunistic": case "cleartext": return "warning";
    case "unknown": case null: return "unknown";
    default: return "critical";
  }
};

export const severities: Severity[] = ["critical", "high", "medium", "low", "info"];
// A status, or a mere note, which is neither good nor bad.
export type Look = Status | "note";
export const severityLook = (severity: Severity): Look =>
  severity === "critical" ? "critical" : severity === "high" || severity === "medium" ? "warning" : "note";

export const dnssecStatus = (status: string | null): Status =>
  status === "secure" ? "ok" : status === "insecure" ? "warning" : status === "bogus" ? "critical" : "unknown";

export const rolloverStatus: Record<RolloverState, Status> = {
  "no-dane": "unknown", "steady": "ok", "prepub-wait": "ok", "prepub-ok": "ok", "ready": "ok", "switching": "ok",
  "rolled": "ok", "stale-risk": "critical", "fallback": "warning", "mismatch": "critical", "partial-mismatch": "critical",
  "dns-fail": "critical", "withdrawn": "warning", "unknown": "unknown",
};

// Keys that are well are no good news where mail is held up all the same.
export const keysLook = (state: RolloverState, delivery: Delivery): Look =>
  rolloverStatus[state] === "ok" && delivery !== "fine" ? "note" : rolloverStatus[state];

export const rolloverSentence: Record<RolloverState, string> = {
  "no-dane": "There are no usable TLSA records: senders do not check this host.",
  "steady": "Every endpoint matches what is published and what caches may hold.",
  "prepub-wait": "A record for the next key is published; some caches may still lack it.",
  "prepub-ok": "Every cache has the record for the next key.",
  "ready": "Every cache has had the record for the next key for as long as RFC 7671 asks.",
  "switching": "Some endpoints present the next key, some the old one; all match.",
  "rolled": "All endpoints present the new key; the record of the old one is still published.",
  "stale-risk": "What is published fits, but caches may still hold a set that refuses the key served.",
  "fallback": "Only a DANE-TA(2) record matches: the DANE-EE(3) records fit no key served.",
  "mismatch": "The published records refuse the key served at every endpoint.",
  "partial-mismatch": "The published records refuse the key served at some endpoints.",
  "dns-fail": "No name server gives an answer about the TLSA records.",
  "withdrawn": "The records are gone; caches may still hold them.",
  "unknown": "The records changed more often than is remembered: what caches hold cannot be determined.",
};

export const rolloverAdvice: Record<RolloverState, string> = {
  "no-dane": "Publish a 3 1 1 record of the served key when the host is to be protected.",
  "steady": "Nothing to change. Before the next change of key, publish its record beside the present ones.",
  "prepub-wait": "Keep the old key until every cache has the new record.",
  "prepub-ok": "The next key may go live; waiting for twice the TTL is recommended.",
  "ready": "Put the next key live.",
  "switching": "Put the next key live at the other endpoints too; keep the old record until all have it.",
  "rolled": "Remove the record of the old key.",
  "stale-risk": "Put the previous key back if you can; otherwise only time helps. Do not remove any record.",
  "fallback": "Publish the 3 1 1 record of the served key beside the others.",
  "mismatch": "Put the previous key back if you can; that helps at once. Else publish the record of the served key and wait for the caches.",
  "partial-mismatch": "Bring the endpoints that differ to the same key, or publish a record for each key served.",
  "dns-fail": "Mend DNS first: senders cannot learn the records and keep the mail in their queues.",
  "withdrawn": "Keep the served key until the last cache has let go.",
  "unknown": "Find out why the records change all the time; leave records and key alone for their TTL.",
};

export const gradeWords: Record<string, string> = {
  "safe": "safe", "safe-via-ta": "safe by the trust anchor", "tight": "tight: less than twice the TTL",
  "early": "too early: caches refused the new key", "late": "late: the key came before its record",
  "never": "the record never came", "early-retire": "the old record went too early", "indeterminate": "cannot be told",
};
export const gradeStatus = (grade: string): Status =>
  grade === "safe" || grade === "safe-via-ta" ? "ok" : grade === "tight" ? "warning" : grade === "indeterminate" ? "unknown" : "critical";

export const deadlineWords: Record<string, string> = {
  "safe-to-switch": "the next key may go live",
  "recommended-switch": "recommended time for the next key",
  "safe-to-remove": "the old record may go",
  "caches-recover": "the last cache has let go",
  "publish-by": "publish the next record by then",
  "signature-end": "the DNSSEC signature ends",
  "certificate-end": "the certificate ends",
};

export const eventWords: Record<string, string> = {
  "mx": "MX records", "addresses": "addresses", "tlsa": "TLSA as resolved", "published": "TLSA at a name server",
  "chain": "certificate chain", "verdict": "verdict", "findings": "findings",
  "gap": "nothing recorded", "clock": "clock was set",
};

export const plural = (count: number, one: string, more = `${one}s`) => `${count} ${count === 1 ? one : more}`;

export function duration(seconds: number): string {
  const size = Math.abs(Math.round(seconds));
  return size < 90 ? `${size} s` : size < 5400 ? `${Math.round(size / 60)} min`
    : size < 129600 ? `${Math.round(size / 3600)} h` : `${Math.round(size / 86400)} d`;
}

export function ago(from: string, now: number): string {
  const seconds = (now - Date.parse(from)) / 1000;
  return seconds >= 0 ? `${duration(seconds)} ago` : `in ${duration(seconds)}`;
}

// "2026-11-25 20:44:29 UTC"; `short`: without the seconds.
export const utc = (at: string | number, short = false) =>
  `${new Date(at).toISOString().slice(0, short ? 16 : 19).replace("T", " ")} UTC`;

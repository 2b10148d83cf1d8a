// The words a person reads for the words of the API.
import type { AgentStatus, Delivery, Endpoint, Host, Severity, Status, Verdict } from "./api";
import { deliverable, verdictLook } from "./catalogue";

export const verdictWords: Record<Verdict, string> = {
  authenticated: "delivered, authenticated",
  "host-authenticated": "host authenticated, MX not signed",
  encrypted: "encrypted, not authenticated",
  opportunistic: "TLS if nobody interferes",
  cleartext: "delivered in the clear",
  refused: "senders refuse",
  "lookup-failed": "DNS fails",
  down: "no session",
  "no-address": "no address",
  unknown: "unknown: could not be determined",
  deferred: "mail waits in queues",
  bounced: "mail bounces",
  "no-mail": "takes no mail",
};

// Of an MX host, where a verdict is one of a host.
export const hostSentence: Partial<Record<Verdict, string>> = {
  authenticated: "Senders deliver through it over authenticated TLS.",
  "host-authenticated":
    "Senders authenticate it, but MX records of its domains are not signed: nobody vouches for them.",
  encrypted: "Senders deliver through it over TLS, without authentication.",
  opportunistic: "Senders deliver through it over TLS if nobody interferes; DANE does not apply.",
  cleartext: "Senders deliver through it in the clear.",
  refused: "Senders that check DANE refuse to deliver through it.",
  "lookup-failed": "Senders cannot use it: its DNS lookups fail.",
  down: "Senders get no usable SMTP session with it.",
  "no-address": "It has no address that senders could deliver to.",
};

// A door of mail programs, watched without MX records: HOST:PORT.
export const isService = (name: string) => name.includes(":");
export const serviceSentence: Partial<Record<Verdict, string>> = {
  authenticated: "Mail programs connect, and know whom they talk to.",
  refused: "Mail programs do not connect, or warn their users.",
  "lookup-failed": "Mail programs cannot look it up.",
  down: "Mail programs get no usable session with it.",
};

export const deliveries: Delivery[] = ["held-up", "unprotected", "at-risk", "fine", "unknown"];
export const deliveryWords: Record<Delivery, string> = {
  "held-up": "held up",
  unprotected: "unprotected",
  "at-risk": "at risk",
  fine: "fine",
  unknown: "unknown",
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
  const [held, unprotected, risky, fine, unknown] = deliveries.map((one) => countOf(status, one)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const of = status.config.services > 0 ? `${domains} domains and services` : plural(domains, "domain");
  const doubt = unknown > 0 ? ` Nothing can be said about ${unknown} at the moment.` : "";
  if (domains === 0) return "No domain is watched yet.";
  if (unknown === domains) return `Unknown: nothing can be said about mail to the ${of} at the moment.`;
  if (held > 0) {
    const lately = status.held_up_lately ? ` ${status.held_up_lately} began in the last hour.` : "";
    return `Mail does not arrive at ${held} of ${of}: ${rolesOf(status, "held-up")}.${lately}${doubt}`;
  }
  if (fine === domains)
    return domains === 1 ? "Mail arrives at the watched domain, protected." : `Mail arrives at all ${of}, protected.`;
  const but = [unprotected > 0 && `${unprotected} unprotected`, risky > 0 && `${risky} at risk`]
    .filter(Boolean)
    .join(", ");
  return `Mail arrives at ${unknown > 0 ? `${domains - unknown} of ${of}` : domains === 1 ? "the watched domain" : `all ${of}`}${but && `: ${but}`}.${doubt}`;
}

export const verdictStatus = (verdict: Verdict | null): Status => (verdict ? verdictLook[verdict] : "unknown");

// Somebody takes the mail, as far as was seen.
export const delivers = (verdict: Verdict | null) => verdict !== null && deliverable.includes(verdict);

// The verdict beside what happens to mail: that of what is published, where caches or a server that lags make mail wait.
export const verdictBeside = (delivery: Delivery, verdict: Verdict) =>
  `${delivery === "held-up" && delivers(verdict) ? "by what is published: " : ""}${verdictWords[verdict]}`;

export const severities: Severity[] = ["critical", "high", "medium", "low", "info"];
// A status, or a mere note, which is neither good nor bad.
export type Look = Status | "note";
export const severityLook = (severity: Severity): Look =>
  severity === "critical" ? "critical" : severity === "high" || severity === "medium" ? "warning" : "note";

export const dnssecStatus = (status: string | null): Status =>
  status === "secure" ? "ok" : status === "insecure" ? "warning" : status === "bogus" ? "critical" : "unknown";

export const deadlineWords: Record<string, string> = {
  "safe-to-switch": "the next key may go live",
  "recommended-switch": "recommended time for the next key",
  "safe-to-remove": "the old record may go",
  "caches-recover": "the last cache recovers",
  "mail-bounces": "mail that waits begins to bounce",
  "publish-by": "publish the next record by then",
  "renewal-suggested": "the CA suggests to renew from then on",
  "signature-end": "the DNSSEC signature expires",
  "certificate-end": "the certificate expires",
};

// How a deadline is known.
export const deadlineSourceWords: Record<string, string> = {
  ttl: "by the TTLs of the records",
  ari: "as the CA suggests (ARI)",
  habit: "by how it was renewed so far",
  lifetime: "by how long the certificate lives",
  rrsig: "as the signature says",
  "not-after": "as the certificate says",
};

export const eventWords: Record<string, string> = {
  mx: "MX records",
  addresses: "addresses",
  tlsa: "TLSA as resolved",
  published: "TLSA at a name server",
  chain: "certificate chain",
  verdict: "verdict",
  findings: "findings",
  gap: "nothing recorded",
  clock: "clock was set",
};

// Classes of senders that hardly anybody has; what only they meet is shown on request. The API says which are rare.
type Weighted = { sender: string; weight?: string };
export const isRare = (one: Weighted) => one.weight === "rare";
const classOfKey: Record<string, string> = { rsa: "rsa-only" };

// Only a rare class of senders has such a session, and the others get through.
export const isQuiet = (host: Host, endpoint: Endpoint) =>
  verdictStatus(host.verdict) === "ok" &&
  host.splits.some((one: Weighted) => isRare(one) && one.sender === classOfKey[endpoint.key_type]);

// "99.93 %", and never a hundred that is not.
export const percent = (share: number) => `${share >= 1 ? "100" : (Math.floor(share * 10_000) / 100).toFixed(2)} %`;
export const checkWords: Record<string, string> = {
  dns: "DNS",
  clock: "clock",
  resolver: "resolver",
  smtp_ipv4: "port 25 over IPv4",
  smtp_ipv6: "port 25 over IPv6",
  service_ipv4: "services over IPv4",
  service_ipv6: "services over IPv6",
  greeting: "the name in EHLO",
  trust_anchor: "the DNSSEC trust anchor file",
  storage: "storage",
  looks: "probes",
};

export const roleChoices: [string, string][] = [
  ["inbound", "ours"],
  ["outbound", "partners"],
];

export const outcomeWords: Record<string, string> = {
  answer: "found",
  absent: "none",
  failed: "lookup fails",
  "not-queried": "not looked up",
};

export const actWords: Record<string, string> = {
  acknowledge: "acknowledged",
  "take-back": "took the acknowledgement back",
  silence: "silenced",
  plan: "planned a rollover",
  "end-silence": "ended a silence",
  check: "asked for a probe",
  exception: "recorded an exception",
  "end-exception": "ended an exception",
  "show-certificate": "showed a certificate to come",
  "not-for-mail": "said that a key is not for mail",
  "for-mail": "took back that a key is not for mail",
  reload: "reloaded the configuration",
  "test-notification": "sent a test notification",
  "check-once": "checked a domain once",
  watch: "watched a domain",
  "accept-list": "accepted what a list lost",
};

export const plural = (count: number, one: string, more = `${one}s`) => `${count} ${count === 1 ? one : more}`;

export function duration(seconds: number): string {
  const size = Math.abs(Math.round(seconds));
  return size < 90
    ? `${size} s`
    : size < 5400
      ? `${Math.round(size / 60)} min`
      : size < 129600
        ? `${Math.round(size / 3600)} h`
        : `${Math.round(size / 86400)} d`;
}

export function ago(from: string, now: number): string {
  const seconds = (now - Date.parse(from)) / 1000;
  return seconds >= 0 ? `${duration(seconds)} ago` : `in ${duration(seconds)}`;
}

// "2026-11-25 20:44:29 UTC"; `short`: without the seconds.
export const utc = (at: string | number, short = false) =>
  `${new Date(at)
    .toISOString()
    .slice(0, short ? 16 : 19)
    .replace("T", " ")} UTC`;

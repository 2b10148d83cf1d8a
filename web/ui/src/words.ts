// The words a person reads for the words of the API.
import type { Severity, Status, Verdict } from "./api";

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
  "bounced": "Mail bounces: there is no such domain, or no host for it.",
  "no-mail": "The domain says that it takes no mail.",
};

export const verdictStatus = (verdict: Verdict | null): Status => {
  switch (verdict) {
    case "authenticated": case "no-mail": return "ok";
    case "host-authenticated": case "encrypted": case "opportunistic": case "cleartext": return "warning";
    case "unknown": case null: return "unknown";
    default: return "critical";
  }
};

export const severityStatus = (severity: Severity): Status =>
  severity === "critical" ? "critical" : severity === "high" || severity === "medium" ? "warning" : "ok";

export const senderWords: Record<string, string> = {
  "secure-mx-only": "senders that apply DANE only behind a signed MX (Exim)",
  "sha256-only": "senders that know SHA2-256 but not SHA2-512",
  "rsa-only": "senders that offer no ECDSA",
  "strict-time": "senders whose validator forgives no expired signature",
  "sha1-unsupported": "senders whose validator has given up SHA-1",
  "nsec3-limited": "senders whose validator limits NSEC3 iterations",
  "aggressive-nsec": "senders whose resolver minimises names",
  "strict-addresses": "senders that skip a host when one address lookup fails",
  "trust-anchor-strict": "senders that want the trust anchor sent and in date",
  "short-wildcards": "senders that accept a wildcard right under a top-level domain",
  "strict-security-level": "senders that refuse weak keys",
  "null-mx-ignored": "senders that ignore a null MX beside others",
};

export function ago(from: string, now: number): string {
  const seconds = Math.round((now - Date.parse(from)) / 1000);
  const size = Math.abs(seconds);
  const text = size < 60 ? `${size} s` : size < 5400 ? `${Math.round(size / 60)} min`
    : size < 129600 ? `${Math.round(size / 3600)} h` : `${Math.round(size / 86400)} d`;
  return seconds >= 0 ? `${text} ago` : `in ${text}`;
}

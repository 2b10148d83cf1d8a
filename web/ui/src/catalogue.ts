// The words for what the program knows: written by script/docs from its own tables; do not edit.
import type { Delivery, RolloverState, Status, Verdict } from "./api";

export const senderWords: Record<string, string> = {
  "secure-mx-only": "senders that apply DANE only behind a signed MX, as Exim does",
  "sha256-only": "senders that know or prefer SHA2-256",
  "rsa-only": "senders that offer no ECDSA, which are rare",
  "sha1-unsupported": "senders whose validator no longer supports SHA-1",
  "nsec3-limited": "senders whose validator allows fewer NSEC3 iterations",
  "strict-algorithms": "senders whose validator wants signatures by every algorithm of the DS records",
  "aggressive-nsec": "senders whose resolver cuts at NXDOMAIN",
  "trust-anchor-strict": "senders that want the trust anchor sent and in date",
  "short-wildcards": "senders that accept a wildcard right under a top-level domain",
  "strict-addresses": "senders that pass over a host when one address lookup fails",
  "strict-time": "senders whose validator forgives no expired signature, such as BIND",
  "strict-security-level": "senders whose TLS library refuses weak keys",
  "null-mx-ignored": "senders that ignore a null MX beside others",
  "other-nameserver": "senders whose resolver asked a name server that says otherwise",
  "rfc-7672": "senders that follow the letter of the RFCs where Postfix does not",
  "web-pki-only": "mail programs that know no DANE, which most are",
};

// How many senders a class stands for, and why it is counted so.
export const senderWeights: Record<string, { weight: "common" | "rare"; source: string; year: number }> = {
  "secure-mx-only": { weight: "common", source: "Exim, whose SMTP transport tries DANE by default (hosts_try_dane)", year: 2022 },
  "sha256-only": { weight: "rare", source: "RFC 7671 §9 asks for SHA2-512, too; Postfix and Exim know both", year: 2015 },
  "rsa-only": { weight: "rare", source: "every TLS library offers ECDSA, as RFC 9325 §4.2 asks", year: 2022 },
  "sha1-unsupported": { weight: "common", source: "crypto policy of Red Hat Enterprise Linux 9; RFC 9905", year: 2025 },
  "nsec3-limited": { weight: "common", source: "validators that take more than 50 iterations for insecure (RFC 9276 §3.2)", year: 2024 },
  "strict-algorithms": { weight: "rare", source: "RFC 6840 §5.11 lets validators waive it; in Unbound it is off by default", year: 2013 },
  "aggressive-nsec": { weight: "common", source: "Unbound minimises names by default, as RFC 9156 asks", year: 2021 },
  "trust-anchor-strict": { weight: "rare", source: "libraries for Go; no common mail server", year: 2024 },
  "short-wildcards": { weight: "rare", source: "libraries for Go; libcrypto wants two labels behind the asterisk", year: 2024 },
  "strict-addresses": { weight: "rare", source: "RFC 7672 §2.2.2 read strictly; Postfix and Exim go on", year: 2015 },
  "strict-time": { weight: "common", source: "BIND, whose validator forgives no expired signature", year: 2024 },
  "strict-security-level": { weight: "common", source: "OpenSSL 3.2 and Debian's OpenSSL: security level 2 by default", year: 2023 },
  "null-mx-ignored": { weight: "rare", source: "software from before RFC 7505", year: 2015 },
  "other-nameserver": { weight: "common", source: "each resolver chooses among a zone's name servers (RFC 1034 §5.3.3)", year: 1987 },
  "rfc-7672": { weight: "common", source: "Exim and other senders that are not Postfix", year: 2022 },
  "web-pki-only": { weight: "common", source: "no common mail program checks TLSA records", year: 2026 },
};

export const verdictSentence: Record<Verdict, string> = {
  "authenticated": "Mail is delivered over authenticated TLS (DANE).",
  "host-authenticated": "The host is authenticated by DANE, but its choice (MX) is not signed.",
  "encrypted": "Mail is delivered over TLS without authentication (no usable TLSA record).",
  "opportunistic": "Mail is delivered over TLS if nobody interferes (no DANE).",
  "cleartext": "Mail is delivered in the clear (no DANE, no TLS).",
  "refused": "Senders that check DANE refuse to deliver here.",
  "lookup-failed": "DNS fails: senders treat it as unreachable.",
  "down": "No usable SMTP session.",
  "no-address": "The host has no address.",
  "unknown": "Unknown: could not be determined.",
  "deferred": "Mail waits in senders' queues: no host takes it.",
  "bounced": "Mail bounces: no such domain, no host with an address, or a host that refuses for good.",
  "no-mail": "The domain takes no mail (null MX).",
};

// A sender that gets one of them delivers.
export const deliverable: Verdict[] = [
  "authenticated",
  "host-authenticated",
  "encrypted",
  "opportunistic",
  "cleartext",
];

// How it is shown, beside the words.
export const verdictLook: Record<Verdict, Status> = {
  "authenticated": "ok",
  "host-authenticated": "warning",
  "encrypted": "warning",
  "opportunistic": "warning",
  "cleartext": "warning",
  "refused": "critical",
  "lookup-failed": "critical",
  "down": "critical",
  "no-address": "critical",
  "unknown": "unknown",
  "deferred": "critical",
  "bounced": "critical",
  "no-mail": "ok",
};

export const deliveryLook: Record<Delivery, Status> = {
  "held-up": "critical",
  "unprotected": "warning",
  "at-risk": "warning",
  "fine": "ok",
  "unknown": "unknown",
};

export const rolloverLook: Record<RolloverState, Status> = {
  "no-dane": "unknown",
  "steady": "ok",
  "prepub-wait": "ok",
  "prepub-ok": "ok",
  "ready": "ok",
  "switching": "ok",
  "rolled": "ok",
  "stale-risk": "critical",
  "fallback": "warning",
  "mismatch": "critical",
  "partial-mismatch": "critical",
  "dns-fail": "critical",
  "withdrawn": "warning",
  "unknown": "unknown",
};

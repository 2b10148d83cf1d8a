// The words for what the program knows: written by script/docs from its own tables; do not edit.

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
  "rfc-7672": "senders that go by the letter of the RFCs where Postfix does not",
};

#include "probes/explain.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include <fmt/format.h>

#include "probes/dns/answer.h"

namespace probes {
namespace {

// {name} stands for the subject.
struct Row {
  Code code;
  std::string_view title;
  std::string_view explanation;
  std::string_view senders_now;
  std::initializer_list<std::string_view> fix;
  std::initializer_list<std::string_view> references;
  std::string_view tlsrpt;
};

constexpr std::string_view kWaits =
    "Senders that check DANE do not deliver here: mail waits in their queues, usually for up to "
    "five days, and then bounces.";
constexpr std::string_view kUnhurt = "Mail is delivered.";

// One row a code, in the order of the enumeration.
const auto& rows() {
  static const std::initializer_list<Row> table{
      {Code::tlsa_mismatch,
       "{name}: the certificate matches no TLSA record",
       "The TLSA records promise one key or certificate, the server shows another. Most often the "
       "certificate was renewed with a new key and the records were not.",
       kWaits,
       {"If the previous key still exists, put it and its certificate back: that helps at once, "
        "everywhere.",
        "Else publish a record for the served key beside the old ones (`danelaw tlsa CERT.pem` "
        "prints it); caches learn it when the old TTL has passed.",
        "Remove the stale record only when the new one has been published for the old TTL.",
        "From now on publish the next record two TTLs before the certificate changes, or keep the "
        "key at renewal (certbot --reuse-key)."},
       {"RFC 7672 §2.2", "RFC 7671 §8.1"},
       "certificate-not-trusted"},
      {Code::tlsa_mismatch_insecure_mx,
       "{name}: the certificate matches no TLSA record (insecure MX)",
       "The MX records are not signed, but the host's TLSA records are, and they do not fit the "
       "certificate. Some senders apply DANE to such hosts, Postfix among them.",
       "Postfix and others that apply DANE behind an insecure MX let the mail wait; senders that "
       "want a secure MX deliver without authentication.",
       {"Make records and certificate agree, as for a mismatch: restore the key, or publish the "
        "served key's record and wait the TTL.",
        "Sign the zone that holds the MX records."},
       {"RFC 7672 §2.2.1"},
       "certificate-not-trusted"},
      {Code::starttls_missing,
       "{name}: TLSA records demand TLS, but STARTTLS is not offered",
       "The published TLSA records say that this host speaks TLS. In the session it did not offer "
       "STARTTLS.",
       kWaits,
       {"Turn on TLS in the mail server (Postfix: smtpd_tls_security_level = may, certificate "
        "files readable) and reload it.",
        "Look for a firewall or proxy that rewrites SMTP.",
        "If TLS is meant to stay off, remove the TLSA records and wait their TTL."},
       {"RFC 7672 §2.2"},
       "starttls-not-supported"},
      {Code::starttls_rejected,
       "{name}: STARTTLS is offered and then refused",
       "The server lists STARTTLS but answers the command with an error. Often it cannot read its "
       "key or certificate.",
       "After a temporary refusal (4xx) mail waits up to five days. After a permanent one (5xx) "
       "Postfix returns it at once and tries no other host; other senders keep it waiting.",
       {"Read the mail server's log of the moment: it says why TLS is not available.",
        "Check that key and certificate exist, fit each other, and can be read by the server.",
        "Reload the server and look again."},
       {"RFC 3207 §4", "RFC 7672 §2.2"},
       "starttls-not-supported"},
      {Code::starttls_stripped,
       "{name}: something on the way overwrites STARTTLS",
       "The server's reply shows a keyword of the length of STARTTLS replaced by X characters: the "
       "mark of a firewall with SMTP inspection. It would also hide TLS from an attacker's "
       "victims.",
       kWaits,
       {"Turn off SMTP inspection (\"fixup\", ESMTP inspection) in the firewall before this host.",
        "Look again from outside your network."},
       {"RFC 7672 §1.3.1"},
       "starttls-not-supported"},
      {Code::tls_handshake_failed,
       "{name}: the TLS handshake fails",
       "STARTTLS was accepted, but the handshake did not complete.",
       kWaits,
       {"Read the mail server's log of the moment.",
        "Try `openssl s_client -starttls smtp -connect HOST:25 -servername HOST` and read where it "
        "stops.",
        "Check key, certificate and the allowed protocol versions and ciphers."},
       {"RFC 7672 §2.2"},
       "validation-failure"},
      {Code::tls_version_old,
       "{name}: only TLS versions that are too old",
       "The server speaks nothing newer than TLS 1.1. Current senders refuse that.",
       kWaits,
       {"Allow TLS 1.2 and 1.3 in the mail server; upgrade its TLS library where it knows "
        "neither."},
       {"RFC 8996 §4", "RFC 7671 §3"},
       "validation-failure"},
      {Code::name_mismatch,
       "{name}: the certificate does not name the host",
       "The matching TLSA record has usage 2 (trust anchor): then the certificate must carry the "
       "host's or the domain's name, and it does not.",
       kWaits,
       {"Renew the certificate with the MX host's name as DNS name.",
        "Or publish a 3 1 1 record for the served key, which needs no name."},
       {"RFC 7672 §3.2.2"},
       "certificate-host-mismatch"},
      {Code::certificate_expired,
       "{name}: the certificate is out of date",
       "With a TLSA record of usage 2 (trust anchor) the dates of the certificate count, and now "
       "is outside of them.",
       kWaits,
       {"Renew the certificate.", "Check the server's clock if the certificate is new.",
        "A 3 1 1 record for the served key would not depend on dates."},
       {"RFC 7671 §5.2"},
       "certificate-expired"},
      {Code::certificate_expiring,
       "{name}: the certificate nears its end",
       "Senders look at the certificate's end here: a TLSA record of usage 2 (trust anchor) "
       "matches, or an MTA-STS policy is enforced. When it ends they deliver no more.",
       kUnhurt,
       {"Renew the certificate in time; find out why it has not been renewed already."},
       {"RFC 7671 §5.2", "RFC 8461 §4.2"},
       ""},
      {Code::trust_anchor_not_sent,
       "{name}: the trust anchor is not in the chain",
       "A TLSA record of usage 2 names an issuing certificate that the server does not send. "
       "Senders have no other source for it.",
       "Senders that need the anchor refuse; some can go on with a full key from DNS.",
       {"Configure the server to send the full chain, the anchor included.",
        "Or publish a 3 1 1 record for the served key."},
       {"RFC 7672 §3.1.2", "RFC 7671 §5.2.2"},
       "certificate-not-trusted"},
      {Code::trust_anchor_expired,
       "{name}: the trust anchor is out of date",
       "A TLSA record of usage 2 names an issuing certificate that has expired. Some senders "
       "accept that, some do not.",
       "Part of the senders refuse.",
       {"Move to a chain with a valid anchor and publish its record first.",
        "Or publish a 3 1 1 record for the served key."},
       {"RFC 7671 §5.2"},
       "certificate-not-trusted"},
      {Code::tlsa_lookup_failed,
       "{name}: the TLSA lookup fails",
       "The host's zone is signed, so senders must know whether TLSA records exist. The lookup "
       "ended in an error, which may be an attack: they treat the host as unreachable.",
       kWaits,
       {"Ask each name server of the zone: `dig +dnssec TLSA _25._tcp.HOST @SERVER`; all must "
        "answer or deny with valid signatures.",
        "Repair the server or firewall that drops or refuses the TLSA type.",
        "Sign the zone anew when signatures are missing or out of date."},
       {"RFC 7672 §2.1.2"},
       "dnssec-invalid"},
      {Code::mx_lookup_failed,
       "{name}: the MX lookup fails",
       "The domain's MX records cannot be learned: an error, or signatures that do not validate.",
       "Senders that validate DNSSEC cannot find the domain's mail hosts: mail waits in their "
       "queues.",
       {"`delv MX DOMAIN` and dnsviz.net show where the chain breaks.",
        "Check that every name server answers, and that the DS record at the parent fits a key of "
        "the zone.",
        "Sign the zone anew when signatures are missing or out of date."},
       {"RFC 7672 §2.1.2"},
       "dnssec-invalid"},
      {Code::address_lookup_failed,
       "{name}: the address lookup fails",
       "The addresses of the host cannot be learned: an error, or signatures that do not validate.",
       "Without addresses senders skip the host; with those of one family most go on.",
       {"`dig +dnssec A HOST` and `AAAA` at each name server show which fails.",
        "Repair the server, or sign the zone anew."},
       {"RFC 7672 §2.2.2"},
       "dnssec-invalid"},
      {Code::dnssec_expired,
       "{name}: DNSSEC signatures are out of date",
       "The signatures over records that mail depends on have expired, or are not valid yet. The "
       "signer has stopped, or a name server does not get the signed zone any more.",
       "Senders that validate DNSSEC treat the records as forged: mail waits in their queues.",
       {"Look at the signer: is it running, is its clock right, can it write?",
        "Sign the zone anew and see the new serial at every name server.",
        "Watch the life of signatures: danelaw warns before the end."},
       {"RFC 4035 §5.3.1", "RFC 7671 §11"},
       "dnssec-invalid"},
      {Code::ds_broken,
       "{name}: the DS record at the parent fits no key of the zone",
       "The parent zone vouches for a key that the zone does not have. A key rollover ended "
       "halfway, or the zone moved to another signer.",
       "Senders that validate DNSSEC treat the whole zone as forged: mail waits in their queues.",
       {"Compare `dig DS ZONE` with `dig DNSKEY ZONE | dnssec-dsfromkey -f - ZONE`.",
        "Publish the right DS through the registrar, or remove the DS until the zone is in order.",
        "Caches forget the old DS after its TTL."},
       {"RFC 4035 §5.2"},
       "dnssec-invalid"},
      {Code::ds_stale,
       "{name}: caches hold DS records and keys that do not fit each other",
       "DS and DNSKEY records live in caches apart, each for its own TTL. The zone changed its "
       "keys "
       "before the last cache could follow: resolvers that hold the older of one and the newer of "
       "the other cannot validate the zone.",
       "Part of the senders that validate DNSSEC treat the whole zone as forged, until the time in "
       "`until`: their mail waits in queues.",
       {"Put the old key back into the zone, signing the DNSKEY records, or the old DS back at the "
        "parent, until caches have let go.",
        "Next time keep the old key until the TTL of the DS records is over after the parent "
        "removed the old one, and change the DS only when the new key is in every cache."},
       {"RFC 6781 §4.1.2", "RFC 7583 §3.3"},
       "dnssec-invalid"},
      {Code::combination_stale,
       "{name}: a kind of TLSA record matches nothing that is served",
       "Every published combination of usage, selector and matching type must have a record that "
       "fits the certificate. One has none; senders that use only that one fail.",
       "Most senders deliver by another record; those left with this combination refuse.",
       {"Publish a record of that combination for the served certificate, or remove the "
        "combination."},
       {"RFC 7671 §8"},
       ""},
      {Code::key_type_partial,
       "{name}: only one of two certificates is covered",
       "The server has an RSA and an ECDSA certificate; TLSA records match only one of them.",
       "Senders that choose the other kind of key refuse.",
       {"Publish a record for each key (`danelaw tlsa` on both files).",
        "Or remove the second certificate from the server."},
       {"RFC 7671 §8"},
       "certificate-not-trusted"},
      {Code::intermittent,
       "{name}: looks at the same address differ",
       "Several machines behind one address show different certificates or capabilities.",
       "Mail is delivered or waits by chance.",
       {"Bring all machines behind the address to the same certificate and settings."},
       {"RFC 7671 §8"},
       ""},
      {Code::endpoint_partial,
       "{name}: some addresses fail",
       "Not all addresses of the host let senders through.",
       "Senders try the other addresses; mail is delayed, and lost protection goes unnoticed.",
       {"Bring all addresses to the same certificate and settings, or take the broken ones out of "
        "DNS."},
       {"RFC 7671 §8"},
       ""},
      {Code::stale_cache_window,
       "{name}: caches may hold TLSA records that refuse the certificate",
       "The records are right now, but resolvers may still hold older ones for their TTL.",
       "Senders whose resolver holds the old set refuse until it expires.",
       {"Wait for the end of the window; do not change records or key again.",
        "Put the old key back if mail cannot wait, unless it is compromised."},
       {"RFC 7671 §8.1"},
       "certificate-not-trusted"},
      {Code::early_retire,
       "{name}: a TLSA record was removed while its key is served",
       "The record that matches the served key has gone before the key.",
       kWaits,
       {"Publish the record of the served key again.",
        "Remove it only when no address serves the key any more."},
       {"RFC 7671 §8.4"},
       "certificate-not-trusted"},
      {Code::nameserver_split,
       "{name}: name servers disagree",
       "The zone's name servers answer differently.",
       "What happens to mail depends on which server was asked.",
       {"Find out why the lagging server does not take the zone over (transfer, serial, "
        "firewall)."},
       {"RFC 7671 §8.1"},
       ""},
      {Code::dane_lost,
       "{name}: DANE protection has disappeared",
       "The host was protected by DANE and is not any more.",
       "Mail is delivered without protection against interference; nobody is told.",
       {"Find out whether DS, signatures or TLSA records were removed on purpose; put them back."},
       {"RFC 7672 §2.2"},
       ""},
      {Code::downgrade,
       "{name}: mail goes to a host without protection because a better one refuses",
       "A preferred MX host fails its DANE check; the next one has no TLSA records and takes the "
       "mail.",
       "Mail is delivered unprotected, silently.",
       {"Repair the preferred host.",
        "Publish TLSA records for every MX host, or remove the hosts that have none."},
       {"RFC 7672 §2.2"},
       ""},
      {Code::fallback_only,
       "{name}: only the trust anchor record still matches",
       "The records for the server's own key (usage 3) fit nothing; the one for its issuer (usage "
       "2) does.",
       "Mail is delivered, until the issuer, the name or the dates change.",
       {"Publish a 3 1 1 record for the served key and remove the stale one after the TTL."},
       {"RFC 7671 §8"},
       ""},
      {Code::rrsig_expiring,
       "{name}: DNSSEC signatures end soon",
       "The signatures over records that mail depends on have little life left and have not been "
       "renewed. Where the zone's habit is known, other signatures were renewed well before this.",
       "Mail is delivered. When the signatures end, senders let it wait.",
       {"Look at the signer and at the transfer to every name server."},
       {"RFC 6781 §4.4.2"},
       ""},
      {Code::rrsig_long,
       "{name}: signatures stay valid for very long",
       "Whoever keeps a copy of the records and their signatures can present it as current until "
       "the "
       "signatures expire: withdrawing a TLSA record or a key takes that long to be safe.",
       "Nothing changes for mail today.",
       {"Let the signer make signatures that are valid for two to four weeks, and renew them well "
        "before they expire."},
       {"RFC 7671 §13", "RFC 6781 §4.4.2"},
       ""},
      {Code::ent_nxdomain,
       "{name}: a name above the TLSA records is denied",
       "A name server says that _tcp below the host does not exist, although records exist below "
       "it. Resolvers that minimise names stop there.",
       "Part of the senders see no TLSA records.",
       {"Upgrade or repair the name server: empty non-terminals exist (RFC 8020)."},
       {"RFC 8020"},
       ""},
      {Code::denial_too_wide,
       "{name}: a denial denies records that exist",
       "Asked for one type, the zone proves that the name, or the wildcard that stands for it, has "
       "none of another that does exist, or says that there is no such name. Resolvers that use "
       "what was proven for further questions then deny the other records as well.",
       "Part of the senders find no address, or no TLSA records, as long as their resolver "
       "remembers the denial: mail waits or bounces, or goes unprotected.",
       {"Compare `dig +dnssec AAAA NAME` with `dig +dnssec A NAME` at each name server: the NSEC "
        "or "
        "NSEC3 record of the denial must list every type that exists at its owner.",
        "Upgrade or repair the signer or load balancer that makes up such denials; it must answer "
        "NOERROR, not NXDOMAIN, where the name has other records."},
       {"RFC 8198 §5", "RFC 4035 §3.1.3", "RFC 8020 §2", "RFC 4074 §4.2"},
       ""},
      {Code::plaintext_injection,
       "{name}: plain text behind the STARTTLS reply",
       "The server, or something before it, sent octets in clear after agreeing to TLS. A server "
       "that mixes both can be made to obey an attacker's words.",
       "Good senders throw the octets away and deliver.",
       {"Upgrade the mail server or the proxy before it (CVE-2011-0411 and its kin).",
        "Look for a proxy that adds lines."},
       {"RFC 3207 §4.2"},
       ""},
      {Code::selective_starttls,
       "{name}: STARTTLS only for some clients",
       "Different clients are offered different capabilities.",
       "Senders that are not offered STARTTLS let the mail wait.",
       {"Offer STARTTLS to everybody."},
       {"RFC 7672 §9.2"},
       "starttls-not-supported"},
      {Code::all_unusable,
       "{name}: no TLSA record can be used",
       "Records exist, but with usages, selectors or data that senders make no use of.",
       "Mail is delivered over TLS, without authentication; never in the clear.",
       {"Publish a 3 1 1 record for the served key (`danelaw tlsa CERT.pem`).",
        "Remove the unusable records."},
       {"RFC 7672 §3.1.3"},
       "tlsa-invalid"},
      {Code::predicted_mismatch,
       "{name}: the next renewal will break mail",
       "If this host is renewed as it was so far, it will soon serve a certificate that no "
       "published record fits. The evidence says when and why, and by when the next record must be "
       "published for every cache to know it.",
       "Mail is delivered, until then.",
       {"Publish the next key's record by then (`danelaw tlsa CERT.pem` prints it), or keep the "
        "key at renewal (certbot --reuse-key).",
        "Where the record is of the whole certificate (selector 0), or of an issuer that signs "
        "with several keys, publish a 3 1 1 record of the host's own key instead."},
       {"RFC 7671 §8.1", "RFC 7671 §5.1"},
       ""},
      {Code::rollover_late,
       "{name}: the TLSA record came after the new certificate",
       "During the rollover the records lagged behind the certificate.",
       "Senders with old records in their cache refuse until those expire.",
       {"Publish first, wait two TTLs, then change the certificate."},
       {"RFC 7671 §8.1"},
       ""},
      {Code::rollover_stuck,
       "{name}: a rollover does not come to its end",
       "Old records stay published long after the change.",
       kUnhurt,
       {"Remove the records of keys that are served no more."},
       {"RFC 7671 §8"},
       ""},
      {Code::partial_dane,
       "{name}: not every MX host has TLSA records",
       "An attacker who blocks the protected hosts sends the mail to an unprotected one.",
       "Mail is delivered; at the unprotected hosts without authentication.",
       {"Publish TLSA records for every MX host of the domain."},
       {"RFC 7672 §2.2.1"},
       ""},
      {Code::mx_insecure,
       "{name}: the MX records are not signed",
       "The host has DANE, but nobody vouches that it is the domain's host: an attacker can name "
       "another.",
       "Some senders authenticate the host, some ignore its TLSA records; the choice of host is "
       "unprotected.",
       {"Sign the domain's zone and publish its DS record at the parent."},
       {"RFC 7672 §2.2.1"},
       ""},
      {Code::dane_ineffective,
       "{name}: DANE cannot apply, DNSSEC does not reach the host",
       "Addresses or TLSA records are not covered by DNSSEC, so senders must not use TLSA here.",
       "Mail is delivered over TLS if nobody interferes.",
       {"Sign the host's zone and publish its DS record at the parent."},
       {"RFC 7672 §2.2.2"},
       ""},
      {Code::no_dane,
       "{name}: no TLSA records",
       "DNSSEC is in place, but no TLSA record is published.",
       "Mail is delivered over TLS if nobody interferes.",
       {"Publish a 3 1 1 record for the served key (`danelaw tlsa CERT.pem`)."},
       {"RFC 7672 §2.2"},
       ""},
      {Code::tlsa_wrong_name,
       "{name}: TLSA records stand at the wrong name",
       "Records exist, but not at _25._tcp below the MX host.",
       "Senders do not find them: mail is delivered without authentication.",
       {"Publish them at _25._tcp.HOST, HOST being the name in the MX record."},
       {"RFC 7672 §2.2.3"},
       ""},
      {Code::tlsa_malformed,
       "{name}: a TLSA record is malformed",
       "A record's data cannot be what its fields say, or there is none.",
       "Senders ignore the record and use the others. A record without data stops senders that run "
       "Postfix up to 3.10.10.",
       {"Correct or remove the record."},
       {"RFC 7671 §9"},
       ""},
      {Code::tlsa_residue,
       "{name}: a TLSA record of an old key is left over",
       "It matched earlier and matches nothing now.",
       kUnhurt,
       {"Remove it."},
       {"RFC 7671 §8"},
       ""},
      {Code::tlsa_orphan,
       "{name}: a TLSA record has never matched",
       "It has been published for long and fits nothing, or its data show a mistake in how it was "
       "made (see the hint), so that it will never fit.",
       kUnhurt,
       {"Remove it, or find out what it was meant for.",
        "If it is meant for the next key, make it again from that (`danelaw tlsa CERT.pem`) before "
        "the key goes live."},
       {"RFC 7671 §8"},
       ""},
      {Code::nsec3_parameters,
       "{name}: NSEC3 with iterations",
       "Iterations above zero protect nothing and make some resolvers treat denials as unsigned.",
       "Mail is delivered; some senders may see no DNSSEC.",
       {"Set NSEC3 iterations to 0 and the salt to empty."},
       {"RFC 9276 §3.1"},
       ""},
      {Code::dane_fragile,
       "{name}: DANE works, but not for every sender",
       "Something in the chain is at the edge of what validators and TLS libraries still accept.",
       "Part of the senders may refuse or ignore DANE.",
       {"Replace the algorithm, digest or key that the evidence names."},
       {"RFC 9904 §2"},
       ""},
      {Code::ttl_long,
       "{name}: TLSA records with a long TTL",
       "A mistake, or an emergency change of key, will take that long to leave the caches.",
       kUnhurt,
       {"Use a TTL of half an hour to an hour."},
       {"RFC 7671 §13"},
       ""},
      {Code::mta_sts_conflict,
       "{name}: MTA-STS and DANE disagree",
       "The MTA-STS policy refuses what DANE accepts, or the other way round.",
       "Senders that follow only one of the two may let mail wait.",
       {"Bring the policy's mx patterns and the certificates in line with the MX hosts."},
       {"RFC 8461 §4"},
       ""},
      {Code::mx_invalid,
       "{name}: an MX record that cannot work",
       "The record names no reachable mail host: an address in place of a name, a host without "
       "address or with a special-purpose one, or a null MX beside others.",
       "Senders skip it, or bounce; some deliver to an address.",
       {"Correct or remove the MX record."},
       {"RFC 5321 §5.1", "RFC 7505 §3"},
       ""},
      {Code::mx_cname,
       "{name}: the MX host is an alias",
       "MX records should name hosts, not aliases.",
       kUnhurt,
       {"Name the canonical host in the MX record."},
       {"RFC 5321 §5.1", "RFC 7672 §2.2.2"},
       ""},
      {Code::mx_changed,
       "{name}: the MX records have changed",
       "Other hosts take the domain's mail than before.",
       kUnhurt,
       {"See that the change was meant."},
       {"RFC 5321 §5.1"},
       ""},
      {Code::domain_gone,
       "{name}: the domain does not exist for mail",
       "There is no such name, or it has neither MX nor address.",
       "Mail bounces at once.",
       {"See whether the domain's registration or delegation has lapsed.",
        "Take it out of the configuration if it is no longer used."},
       {"RFC 5321 §5.1"},
       ""},
      {Code::null_mx,
       "{name}: the domain takes no mail",
       "A null MX says so.",
       "Mail is refused by the sender at once, as meant.",
       {"Nothing is to be done if the domain is to take no mail; else publish its MX hosts "
        "instead."},
       {"RFC 7505 §3"},
       ""},
      {Code::implicit_mx,
       "{name}: no MX record, the domain is its own mail host",
       "Senders fall back to the address of the domain.",
       kUnhurt,
       {"Publish an MX record that names the mail host, or a null MX if there is none."},
       {"RFC 5321 §5.1"},
       ""},
      {Code::host_down,
       "{name}: no SMTP session",
       "The host does not answer, or not with SMTP.",
       "Senders try other hosts, then let mail wait.",
       {"See whether the server runs and port 25 is open to the world."},
       {"RFC 5321 §5.1"},
       ""},
      {Code::probe_refused,
       "{name}: the server does not talk to us",
       "It refused the session for who asks: a block list, a rate limit, or greylisting. Nothing "
       "follows about other senders.",
       "Unknown: others may be treated differently.",
       {"Give the monitor a name and address that fit each other, and allow it at the server."},
       {"RFC 5321 §3.1"},
       ""},
      {Code::selector_cert,
       "{name}: TLSA records bind the whole certificate",
       "Every renewal changes the certificate, even with the same key.",
       "Mail is delivered, until the next renewal.",
       {"Publish 3 1 1 records, which bind the key, and keep the key at renewal."},
       {"RFC 7671 §5.1"},
       ""},
      {Code::certificate_changed,
       "{name}: the certificate has changed",
       "Another certificate is served than before.",
       kUnhurt,
       {"See that the change was meant."},
       {"RFC 7671 §8"},
       ""},
      {Code::nameserver_failing,
       "{name}: a name server does not answer",
       "One of the zone's authoritative servers gives no answer or none that can be used, while "
       "others do. Resolvers that ask it must try again elsewhere; when the others fail too, mail "
       "stops.",
       "Mail is delivered; lookups may take longer.",
       {"See whether the server that the evidence names runs, serves the zone and is reachable on "
        "port 53.",
        "If it was retired, take it out of the NS records of the zone and of its parent."},
       {"RFC 1034 §4.1", "RFC 2182"},
       ""},
      {Code::nameserver_udp_only,
       "{name}: a name server does not answer over TCP",
       "Large answers, such as signed denials or long TLSA sets, reach some resolvers only over "
       "TCP.",
       "Resolvers that must use TCP cannot look the records up: their mail waits.",
       {"Open port 53 for TCP at the server and at the firewalls before it."},
       {"RFC 7766 §5", "RFC 7671 §10.1.1"},
       ""},
      {Code::nameserver_lagging,
       "{name}: a name server does not take over the zone's changes",
       "For longer than the zone's refresh one of its authoritative servers has given an older "
       "serial number than another. If it does not take the zone over, the next change, such as a "
       "new TLSA record, does not reach it either, and in the end its signatures expire.",
       "Mail is delivered as long as the records that it needs are the same on all servers.",
       {"See why the server that the evidence names does not transfer the zone: NOTIFY, the "
        "transfer's address and key, or a zone file that it does not load.",
        "Before the next change of key see that every server gives the new TLSA record.",
        "Where several providers sign the zone and each counts for itself, nothing is wrong."},
       {"RFC 1996 §1", "RFC 1035 §3.3.13"},
       ""},
      {Code::mta_sts_invalid,
       "{name}: the MTA-STS policy cannot be used",
       "The domain announces an MTA-STS policy, but the policy cannot be fetched, or not be read.",
       "Senders that know an older policy go on with it; others deliver without MTA-STS.",
       {"Fetch https://mta-sts.DOMAIN/.well-known/mta-sts.txt with a browser: it must come without "
        "redirection, as text/plain, with a valid certificate.",
        "Correct the policy; then change the id in the _mta-sts TXT record."},
       {"RFC 8461 §3.3", "RFC 8461 §5"},
       "sts-policy-fetch-error"},
      {Code::tlsrpt_missing,
       "{name}: senders are not asked for reports",
       "There is no TLSRPT record, so senders whose TLS fails tell nobody.",
       kUnhurt,
       {"Publish a TXT record at _smtp._tls.DOMAIN: \"v=TLSRPTv1; rua=mailto:reports@DOMAIN\"."},
       {"RFC 8460 §3"},
       ""},
      {Code::policy_override,
       "{name}: take the exception out of your Postfix again",
       "While this partner's DANE was broken, an exception in smtp_tls_policy_maps was made that "
       "lets mail go there without it. It is no longer needed, or its time is over, and as long as "
       "it stays an attacker needs not break DANE.",
       "Your own Postfix delivers to the domain without checking who takes the mail.",
       {"Remove the domain's line from smtp_tls_policy_maps; run `postmap` on the file.",
        "Tell danelaw that it is gone: DELETE /api/v1/domains/DOMAIN/exception."},
       {"RFC 7672 §2.2"},
       ""},
      {Code::monitor_fault,
       "danelaw cannot see: {name}",
       "Our own resolver, clock or network is at fault. Nothing is known about the watched domains "
       "until it is repaired, and nothing is concluded.",
       "Nothing follows about senders.",
       {"See whether the configured resolver runs and passes DNSSEC records: `dig +dnssec SOA .` "
        "must show RRSIG.",
        "Check this machine's clock.", "Check that the trust anchor file is the right one."},
       {"RFC 7672 §2.1.1"},
       ""},
  };
  return table;
}

const Row& row_of(Code code) {
  return rows().begin()[static_cast<std::size_t>(code)];
}

std::string filled(std::string_view text, const Finding& finding) {
  constexpr std::string_view kName = "{name}";
  std::string out{text};
  for (std::size_t at = 0; (at = out.find(kName, at)) != std::string::npos;) {
    out.replace(at, kName.size(), finding.subject.name);
    at += finding.subject.name.size();
  }
  return out;
}

// Length of the UTF-8 sequence at the front, 0 when it is none.
std::size_t sequence_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length > text.size()) return 0;
  unsigned value = length == 1 ? lead : lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0U) != 0x80) return 0;
    value = value << 6U | (next & 0x3FU);
  }
  if ((length == 3 && value < 0x800) || (length == 4 && (value < 0x10000 || value > 0x10FFFF)))
    return 0;
  const bool is_surrogate = value >= 0xD800 && value <= 0xDFFF;
  const bool is_control = value < 0x20 || (value >= 0x7F && value < 0xA0);
  // Line and paragraph separators, and the marks that turn the direction of text.
  const bool misleads = (value >= 0x2028 && value <= 0x202E) ||
                        (value >= 0x2066 && value <= 0x2069) || value == 0x200E ||
                        value == 0x200F || value == 0x061C;
  return is_surrogate || is_control || misleads ? 0 : length;
}

// The chain breaks in a zone above: what is below is right in itself, and its operators can do
// nothing but say so. They must not be made to give up their own DNSSEC.
void tell_break_above(Explanation& out, const Finding& finding) {
  const auto evidence = [&](std::string_view name) -> const std::string* {
    const auto found = std::ranges::find(finding.evidence, name, &Evidence::name);
    return found == finding.evidence.end() ? nullptr : &found->value;
  };
  const auto* zone = evidence("broken-at");
  if (zone == nullptr) return;
  const auto* cause = evidence("cause");
  const bool is_ds = cause != nullptr && *cause == wire_name(dns::Cause::ds_signature);
  const auto at = printable(*zone, 255);
  out.title = fmt::format("{}: the DNSSEC chain above it breaks at {}", finding.subject.name, at);
  out.explanation = fmt::format(
      "{} Every signed zone below {} is treated as forged, however right it is in itself.",
      is_ds ? fmt::format("{} signs the DS records of the zones below it with signatures that do "
                          "not verify with its published keys.",
                          at)
            : fmt::format("The keys or signatures of {} do not verify from its parent.", at),
      at);
  out.fix = {fmt::format("Tell the operator of {}: only they can repair it. See "
                         "`delv +rtrace +multi SOA {}.`",
                         at, at),
             "Change nothing in the zones below: their keys, signatures and DS records are not the "
             "cause."};
}

// Of our own faults those that leave us our sight.
void tell_own_fault(Explanation& out, const std::string& check) {
  if (check == "storage") {
    out.title = "danelaw cannot record what it sees";
    out.explanation =
        "The database cannot be written. danelaw goes on looking, alerting and notifying from "
        "memory, and records what waits there as soon as it can. If this lasts, history gets a "
        "gap, "
        "and a restart forgets what is not recorded.";
    out.fix = {
        "See `storage` under /api/v1/status: the disk is full, another process holds the "
        "database, or the file or its file system is read-only.",
        "Make room on the disk of storage.path, or end what holds the file."};
  } else if (check == "resolver") {
    out.title = "our resolver fails where others answer";
    out.explanation =
        "A resolver that danelaw uses gives wrong answers, none, or late ones. The zones' own name "
        "servers were asked instead wherever they can be reached; where not, nothing is said about "
        "the domain. No domain is to blame.";
    out.senders_now = "Mail servers that use the same resolver may hold up mail that is in order.";
    out.fix = {"Ask it yourself what the detail names: `dig @RESOLVER +dnssec`.",
               "Repair or replace it, or name another under dns.resolvers. A validating Unbound on "
               "this machine is the safest."};
  } else if (check == "looks") {
    out.title = "danelaw loses looks to a fault of its own";
    out.explanation =
        "A look at a target ended in a fault of danelaw or of this machine, e.g. for want of "
        "memory. "
        "It says nothing about the target, which is looked at again.";
    out.fix = {
        "See the log for `event=fault`. std::bad_alloc: give danelaw more memory, or set "
        "schedule.workers lower. Anything else is a bug: please report it."};
  } else if (check == "clock") {
    out.title = "danelaw cannot trust this machine's clock";
    out.explanation =
        "The clock was set while danelaw ran, or it is wrong. Checks go on by another clock and "
        "all "
        "targets are checked anew, but what is recorded around that moment may have a wrong time.";
    out.fix = {"See whether the time is right now, and whether it is kept so: `timedatectl`."};
  } else if (check == "greeting") {
    out.title = "mail servers refuse to talk to danelaw";
    out.explanation =
        "Servers that have nothing to do with each other refuse its sessions before STARTTLS. That "
        "is about danelaw, the name it gives in EHLO or its address, not about them: nothing can "
        "be said about their TLS and certificates while they do.";
    out.fix = {
        "Read what they say: a name that they do not accept, an address without reverse DNS, or a "
        "block list.",
        "Set smtp.helo to a fully qualified name of letters, digits and hyphens that resolves to "
        "this machine's address and back.",
        "Have the address taken off the block list that they name."};
  }
}

}  // namespace

Explanation explain(const Finding& finding) {
  const auto& row = row_of(finding.code);
  Explanation out{.title = filled(row.title, finding),
                  .explanation = filled(row.explanation, finding),
                  .senders_now = filled(row.senders_now, finding)};
  for (const auto step : row.fix) out.fix.push_back(filled(step, finding));
  for (const auto reference : row.references) out.references.emplace_back(reference);
  if (!row.tlsrpt.empty()) out.tlsrpt = row.tlsrpt;
  if (finding.code == Code::ds_broken || finding.code == Code::dnssec_expired)
    tell_break_above(out, finding);
  if (finding.code == Code::monitor_fault) tell_own_fault(out, finding.subject.name);
  return out;
}

std::string printable(std::string_view text, std::size_t most) {
  std::string out;
  while (!text.empty()) {
    if (out.size() >= most) return out + "…";
    const auto length = sequence_length(text);
    if (text[0] == '\\') {
      out += "\\\\";
    } else if (length == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace probes

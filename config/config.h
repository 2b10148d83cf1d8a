#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/time.h"
#include "config/word.h"

// What the operator asked for, as plain values. Made and checked by config/load.h, then never
// changed: a reload makes a new one. Every key, unit and default is described in
// config/danelaw.example.yaml.
namespace config {

// Whose failure it is: mail to us (inbound) or mail from us to a partner (outbound).
enum class Role : std::uint8_t { inbound, outbound };

struct Domain {
  std::string name;  // A-label form, lower case, no trailing dot
  Role role = Role::inbound;
  Word group;  // free text of the operator, for filters and labels; may be empty
};

// How TLS begins at a service: by a command of the protocol that is spoken there, or at once.
enum class Starttls { smtp, imap, pop3, sieve, none };

// A service that is watched by itself: a door at which people's mail programs come in
// (service.h).
struct Service {
  std::string host;  // A-label form
  std::uint16_t port = 0;
  Starttls starttls = Starttls::none;
  Role role = Role::inbound;
  std::string group;
};

// A CA issues, or has said that it will issue, from this intermediate: a line of `issuers_file`.
struct AnnouncedIssuer {
  std::string organisation;  // O= of its subject
  std::string key;           // SHA2-256 of its SubjectPublicKeyInfo, hexadecimal
  std::string key_type;      // of the certificates that come from it: rsa, ecdsa, eddsa; empty: all
  std::optional<Time> from;  // null: it does already
  std::optional<Time> until;  // null: no end was announced
};

struct ResolverAddress {
  std::string address;  // IPv4 or IPv6 text
  std::uint16_t port = 53;
};

// Domains that stand outside of the configuration; exactly one of file, url and catalog_zone is
// set. Those of a file are read when the agent starts and reloads, and are then in Config::domains.
// Those from elsewhere are read again and again while it runs (agent/lists).
struct DomainList {
  // One domain a line: partners, as an export of the mail log gives them. '#' begins a comment.
  std::filesystem::path file;
  std::string url;           // of such lines, or of JSON in the shape of Prometheus' http_sd
  std::string catalog_zone;  // RFC 9432; its member zones are the domains
  Role role = Role::outbound;
  std::string group;
  bool appendable = false;  // a file: operators may add domains to it on the page

  // What follows is of those from elsewhere.
  std::string name;  // for people, logs and metrics; no two have the same
  Seconds refresh{300};
  std::filesystem::path token_file;  // of a url: bearer token; empty: none
  // Of a url. PEM; empty: the system's.
  std::filesystem::path ca_file;
  ResolverAddress primary;              // of a catalog_zone: who is asked for its transfer
  std::filesystem::path tsig_key_file;  // the transfer is signed with it; empty: not signed

  [[nodiscard]] bool is_elsewhere() const { return file.empty(); }
};

struct Dns {
  // In order of preference; empty: those of /etc/resolv.conf.
  std::vector<ResolverAddress> resolvers;
  // DS or DNSKEY lines, zone-file form.
  std::filesystem::path trust_anchor_file{"/usr/share/dns/root.ds"};
  // For one question, retries included.
  Seconds timeout{12};
  // Ask also every authoritative server of the zones, one by one, whether they agree.
  bool every_server = true;
};

struct Smtp {
  std::uint16_t port = 25;
  std::string helo;     // the name we say in EHLO; empty: this machine's host name
  Seconds timeout{60};  // for one whole session with one address
  bool allow_special_addresses =
      false;  // contact loopback, private and other special-purpose addresses
  // Default handshakes with each address, so that back-ends that differ show; `check` makes at
  // least three.
  unsigned looks = 1;
  // Probe also with only RSA and only ECDSA signatures offered, so that a server with two
  // certificates shows both.
  bool every_key_type = true;
};

// MTA-STS policies and TLSRPT records of the watched domains (RFC 8461, RFC 8460).
struct MtaSts {
  bool enabled = true;
  // PEM: the CAs that senders following MTA-STS trust.
  std::filesystem::path ca_file{"/etc/ssl/certs/ca-certificates.crt"};
  std::uint16_t port = 443;
  Seconds timeout{20};  // for fetching one policy
};

// CAs are asked when a certificate of theirs is to be renewed (RFC 9773).
struct Acme {
  bool enabled = true;
  // The ACME directory of a CA, an https URL, by the O= of who issues for it (by the CN= where that
  // has none). What a file says is added; an empty URL takes one away.
  std::map<std::string, std::string> directories{
      {"Google Trust Services", "https://dv.acme-v02.api.pki.goog/directory"},
      {"Let's Encrypt", "https://acme-v02.api.letsencrypt.org/directory"},
      {"ZeroSSL", "https://acme.zerossl.com/v2/DV90"}};  // has ARI: acme.sh's wiki, May 2026
  bool partners = false;  // also of certificates that only partners' hosts present
};

struct Schedule {
  Seconds interval{900};  // between two looks at a target that shows nothing new
  Seconds confirm_after{
      60};  // before the second look that confirms a new finding, or its end; below 120 s
  Seconds retry_after{
      120};               // first wait after a look that could not tell; doubles up to `interval`
  Seconds fastest{60};    // between two looks at a host whose records have short TTLs or changed
  unsigned workers = 16;  // looks under way at once
};

// What one provider, by the networks of its MX hosts or the name above theirs, is asked for by all
// agents of a fleet.
struct Politeness {
  unsigned at_once = 16;       // probes of its hosts at a time
  unsigned per_minute = 600;   // sessions
  bool own_hosts_too = false;  // also where the hosts are those of inbound domains
};

// Who this agent is, among others and in evidence that leaves the house.
struct Agent {
  std::string name;     // empty: the host name
  std::string vantage;  // where it looks from; empty: the agent's name
};

// Agents with one database of PostgreSQL.
struct Fleet {
  Seconds takeover{15};  // after the last sign of life of the one that leads another does
  // So many vantages must see a host's trouble before an alert tells of it.
  unsigned quorum = 1;
  Seconds cross_check{3600};  // between two looks from each other vantage at a host that is well
};

struct Storage {
  std::filesystem::path path{"/var/lib/danelaw/danelaw.db"};
  // A connection string or URI of libpq, instead of the path: the history is in that database of
  // PostgreSQL. Secret. Empty: there is none.
  std::string postgresql;
  Seconds retention{std::chrono::hours{24 * 400}};  // how long closed history is kept
};

// Reports of senders on TLS with our hosts (RFC 8460).
struct Tlsrpt {
  // Reports and mails with reports in it are taken; empty: none is looked into.
  std::filesystem::path folder;
};

// What somebody may do at the web: only hand in senders' reports and certificates; look; or also
// acknowledge, silence, probe now, reload.
enum class Right { report, read, operate };

// TLS of the web server (config/web_file.h).
struct Tls {
  enum class ClientAuth { none, if_given, required };  // certificates of clients, verified
  enum class Version { tls12, tls13 };

  std::filesystem::path cert_file;  // PEM: the certificate, its issuers behind it
  std::filesystem::path key_file;
  std::filesystem::path client_ca_file;  // PEM; empty unless clients' certificates are asked for
  ClientAuth client_auth = ClientAuth::none;
  Version min_version = Version::tls12;
};

struct WebFile {
  std::optional<Tls> tls;                      // nothing: plain HTTP
  std::map<std::string, std::string> users;    // name, bcrypt hash of the password
  std::map<std::string, std::string> headers;  // of every reply; in place of ours where both are
};

// A machine's way in: "Authorization: Bearer …".
struct Token {
  std::string name;  // a word for the log
  std::filesystem::path file;
  Right right = Right::read;
  std::vector<std::string> groups;  // whose domains it is for; empty: everybody's
};

struct Web {
  std::string listen_address = "127.0.0.1";  // IPv4 or IPv6 text
  std::uint16_t port = 9672;
  std::string
      external_url;  // where users reach the page, for links; empty: made from listen_address
  std::vector<std::string> hosts;      // more names by which we may be called, lower case
  std::filesystem::path config_file;   // empty: none
  WebFile file;                        // what was in it when the configuration was loaded
  std::vector<std::string> operators;  // those users of the file who may operate
  // Those users of the file who see and operate only what belongs to the domains of these groups;
  // everybody else is for all.
  std::map<std::string, std::vector<std::string>> user_groups;
  std::vector<Token> tokens;
  bool allow_unauthenticated = false;      // also beyond loopback
  std::vector<std::string> public_badges;  // domains whose badges everybody may see
  std::string public_title, public_text;   // of the page that lists them; empty: ours

  // Whether nobody gets in without a password, a token or a certificate.
  [[nodiscard]] bool has_login() const {
    return !file.users.empty() || !tokens.empty() ||
           (file.tls && file.tls->client_auth == Tls::ClientAuth::required);
  }
};

// How far /metrics goes into detail: each level holds what those after it hold.
enum class Detail { address, mx, domain, summary };

struct Metrics {
  Detail detail = Detail::address;
};

// Who is told of alerts, and how. Secrets are read from files when the agent starts and reloads.
enum class Least { medium, high, critical };  // the calmest alerts that are told

// Takes the state of alerts, not notifications: all that fire, every minute.
struct Alertmanager {
  std::string url;                   // without "/api/v2"
  std::filesystem::path token_file;  // bearer token; empty: none
};

// Words that a template gets instead of ours: field → our word → theirs, "otherwise" for all
// others.
using TemplateWords = std::map<std::string, std::map<std::string, std::string>>;

enum class HookMethod { post, put };
struct Webhook {
  std::string name;  // a word for the log and the metrics; no two notifiers have the same
  std::string url;
  std::filesystem::path secret_file;  // the body is signed with it (HMAC-SHA256); empty: not signed
  std::filesystem::path token_file;   // bearer token; empty: none
  std::filesystem::path template_file;  // text with {{fields}}; empty: our own JSON
  TemplateWords values;                 // for the template
  Least least = Least::medium;
  std::vector<std::string>
      matchers;  // all of which an alert must fit (matcher.h); none: every alert
  HookMethod method = HookMethod::post;
  std::string resolved_url;             // instead of url, of what is over; empty: url
  std::string token_scheme = "Bearer";  // before the token in Authorization
};

enum class DigestEvery { never, daily, weekly };
struct Mail {
  std::string name;
  std::string server;  // smtp://HOST:PORT (STARTTLS is demanded) or smtps://HOST:PORT
  std::string from;
  std::vector<std::string> to;
  std::string user;  // empty: no login
  std::filesystem::path password_file;
  // PEM; empty: the system's.
  std::filesystem::path ca_file;
  Least least = Least::medium;
  std::vector<std::string> matchers;  // as a webhook's; they hold for the digest, too
  bool tells_alerts = true;           // false: only the digest
  DigestEvery digest = DigestEvery::never;
  Seconds digest_at{std::chrono::hours{7}};  // after midnight, UTC; weekly ones on Mondays
  bool digest_when_well = true;              // also when there is nothing to say
};

// Rollovers as regions on Grafana's graphs.
struct Grafana {
  std::string name;
  std::string url;
  std::filesystem::path token_file;
};

// A sign of life: asked for as long as the agent looks and remembers; whoever misses it raises the
// alarm.
struct Heartbeat {
  std::string url;
  Seconds every{60};
};

// The operator's own Postfix, which sends mail to those partners.
struct Postfix {
  std::filesystem::path log;                            // followed; empty: none, or the journal
  bool has_journal = false;                             // journald's is followed instead:
  std::optional<std::filesystem::path> journal_folder;  // the files in there, or this machine's
  std::filesystem::path policy_socket;  // where exceptions are served; empty: nowhere
};

struct Notify {
  Seconds remind_after{std::chrono::hours{24}};  // 0: never
  std::vector<Alertmanager> alertmanagers;
  std::map<std::string, std::string> labels;  // added to every alert for Alertmanager
  std::vector<Webhook> webhooks;
  std::vector<Mail> mail;
  std::vector<Grafana> grafana;
  std::optional<Heartbeat> heartbeat;
};

// The classes of senders that `sender_classes` may name: those of probes/judge.h.
inline constexpr std::array<std::string_view, 15> kSenderClasses{
    "secure-mx-only",  "sha256-only",       "rsa-only",        "sha1-unsupported",
    "nsec3-limited",   "strict-algorithms", "aggressive-nsec", "trust-anchor-strict",
    "short-wildcards", "strict-addresses",  "strict-time",     "strict-security-level",
    "null-mx-ignored", "other-nameserver",  "rfc-7672"};

struct Config {
  // No name twice; those of the lists, too, once loaded; and the services, by their names.
  std::vector<Domain> domains;
  std::vector<Service> hosts;  // no host twice with one port
  std::vector<DomainList> domain_lists;
  // Classes of senders, however rare, for which it is a finding that they cannot deliver.
  std::vector<std::string> sender_classes;
  std::filesystem::path issuers_file;    // empty: none
  std::vector<AnnouncedIssuer> issuers;  // what was in it when the configuration was loaded
  Dns dns;
  Smtp smtp;
  MtaSts mta_sts;
  Acme acme;
  Tlsrpt tlsrpt;
  Schedule schedule;
  Politeness politeness;
  Storage storage;
  Agent agent;
  Fleet fleet;
  Web web;
  Metrics metrics;
  Notify notify;
  Postfix postfix;
};

}  // namespace config

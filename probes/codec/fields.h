#pragma once

#include <concepts>
#include <type_traits>

#include "config/service.h"
#include "probes/observation.h"

// PURE
// What is encoded of an observation, named once for writing, reading and comparing. Each struct is
// taken apart as a whole, so that a field that is added to it and not here does not compile.
namespace probes::codec {

template <class T, class Of>
concept Is = std::same_as<std::remove_const_t<T>, Of>;

template <class V, Is<dns::Alias> T>
void fields(V& v, T& value) {
  auto& [from, to, status, ttl] = value;
  v("from", from)("to", to)("status", status)("ttl", ttl);
}

template <class V, Is<dns::SignatureWindow> T>
void fields(V& v, T& value) {
  auto& [inception, expiration] = value;
  v("inception", inception)("expiration", expiration);
}

template <class V, Is<dns::Signing> T>
void fields(V& v, T& value) {
  auto& [needs_sha1, is_unsupported, nsec3_iterations, lacks_algorithm, needs_grace, opt_out] =
      value;
  v("needs_sha1", needs_sha1)("is_unsupported", is_unsupported);
  v("nsec3_iterations", nsec3_iterations)("lacks_algorithm", lacks_algorithm);
  v("needs_grace", needs_grace)("rests_on_opt_out", opt_out);
}

template <class V, Is<dns::ResolverFault> T>
void fields(V& v, T& value) {
  auto& [resolver, what] = value;
  v("resolver", resolver)("what", what);
}

template <class V, Is<dns::KeyId> T>
void fields(V& v, T& value) {
  auto& [algorithm, tag] = value;
  v("algorithm", algorithm)("tag", tag);
}

template <class V, Is<dns::KeySet> T>
void fields(V& v, T& value) {
  auto& [keys, ttl] = value;
  v("keys", keys)("ttl", ttl);
}

template <class V, Is<dns::KeySets> T>
void fields(V& v, T& value) {
  auto& [zone, ds, dnskey, ds_given_at, dnskey_given_at] = value;
  v("zone", zone)("ds", ds)("dnskey", dnskey);
  v("ds_given_at", ds_given_at)("dnskey_given_at", dnskey_given_at);
}

template <class V, Is<dns::Denial> T>
void fields(V& v, T& value) {
  auto& [owner, types] = value;
  v("owner", owner)("types", types);
}

template <class V, Is<dns::ExtendedError> T>
void fields(V& v, T& value) {
  auto& [code, words] = value;
  v("code", code)("text", words);
}

template <class V, Is<dns::Answer> T>
void fields(V& v, T& value) {
  auto& [name, type, outcome, status, cause, detail, rcode, aliases, final_name, ttl, signatures,
         signer, broken_at, key_sets, signing, chain_expires_at, data, extended_errors,
         resolver_says_secure, is_from_wildcard, source, denial, server, resolver_fault,
         is_unconfirmed, is_ours, replies] = value;
  static_cast<void>(replies);  // with the observation as a whole
  v("name", name)("type", type)("outcome", outcome)("dnssec", status)("cause", cause);
  v("detail", detail)("rcode", rcode)("aliases", aliases)("final_name", final_name)("ttl", ttl);
  v("signatures", signatures)("signer", signer)("broken_at", broken_at)("key_sets", key_sets);
  v("signing", signing)("chain_expires_at", chain_expires_at)("data", data);
  v("extended_errors", extended_errors)("resolver_says_secure", resolver_says_secure);
  v("is_from_wildcard", is_from_wildcard)("source", source)("denial", denial)("server", server);
  v("resolver_fault", resolver_fault)("is_unconfirmed", is_unconfirmed)("is_ours", is_ours);
}

template <class V, Is<dns::Server> T>
void fields(V& v, T& value) {
  auto& [name, address] = value;
  v("name", name)("address", address);
}

template <class V, Is<dns::Question> T>
void fields(V& v, T& value) {
  auto& [name, type] = value;
  v("name", name)("type", type);
}

template <class V, Is<dns::ServerAnswer> T>
void fields(V& v, T& value) {
  auto& [server, question, outcome, cause, rcode, is_authoritative, data, is_alias, ttl,
         signatures] = value;
  v("server", server)("question", question)("outcome", outcome)("cause", cause)("rcode", rcode);
  v("is_authoritative", is_authoritative)("data", data)("is_alias", is_alias)("ttl", ttl);
  v("signatures", signatures);
}

template <class V, Is<dns::Survey> T>
void fields(V& v, T& value) {
  auto& [answers, silent_on_tcp, cut] = value;
  v("answers", answers)("silent_on_tcp", silent_on_tcp)("cut", cut);
}

template <class V, Is<MxHost> T>
void fields(V& v, T& value) {
  auto& [name, preference] = value;
  v("name", name)("preference", preference);
}

template <class V, Is<sts::StsRecord> T>
void fields(V& v, T& value) {
  auto& [state, id, detail] = value;
  v("state", state)("id", id)("detail", detail);
}

template <class V, Is<sts::TlsrptRecord> T>
void fields(V& v, T& value) {
  auto& [state, rua, detail] = value;
  v("state", state)("rua", rua)("detail", detail);
}

template <class V, Is<sts::Policy> T>
void fields(V& v, T& value) {
  auto& [mode, mx, max_age] = value;
  v("mode", mode)("mx", mx)("max_age", max_age);
}

template <class V, Is<sts::Fetched> T>
void fields(V& v, T& value) {
  auto& [outcome, detail, address, is_own_limit, tls_stop, certificate, status, policy] = value;
  v("outcome", outcome)("detail", detail)("address", address)("is_own_limit", is_own_limit);
  v("tls_stop", tls_stop)("certificate", certificate)("status", status)("policy", policy);
}

template <class V, Is<StsObservation> T>
void fields(V& v, T& value) {
  auto& [sts_txt, sts, tlsrpt_txt, tlsrpt, fetched] = value;
  v("sts_txt", sts_txt)("sts", sts)("tlsrpt_txt", tlsrpt_txt)("tlsrpt", tlsrpt);
  v("fetched", fetched);
}

template <class V, Is<DomainObservation> T>
void fields(V& v, T& value) {
  auto& [domain, observed_at, mx, source, hosts, invalid_exchanges, misplaced, sts, survey, mx_took,
         has_null_mx, cut] = value;
  v("domain", domain)("observed_at", observed_at)("mx", mx)("source", source)("hosts", hosts);
  v("invalid_exchanges", invalid_exchanges)("misplaced", misplaced)("sts", sts)("survey", survey);
  v("mx_took", mx_took)("has_null_mx", has_null_mx)("cut", cut);
}

template <class V, Is<dane::TlsaRecord> T>
void fields(V& v, T& value) {
  auto& [usage, selector, matching_type, data] = value;
  v("usage", usage)("selector", selector)("matching_type", matching_type)("data", data);
}

template <class V, Is<smtp::Habits> T>
void fields(V& v, T& value) {
  auto& [offers_only, hides_offer, has_blotted_banner, has_stray_lines, has_endless_line] = value;
  v("offers_only_to_postfix", offers_only)("hides_offer_from_postfix", hides_offer);
  v("has_blotted_banner", has_blotted_banner)("has_stray_lines", has_stray_lines);
  v("has_endless_line", has_endless_line);
}

template <class V, Is<smtp::LaxTls> T>
void fields(V& v, T& value) {
  auto& [works, version, cipher, detail] = value;
  v("works", works)("version", version)("cipher", cipher)("detail", detail);
}

template <class V, Is<smtp::Reply> T>
void fields(V& v, T& value) {
  auto& [code, lines, cut, words, has_stray_lines, has_endless_line, is_blotted] = value;
  v("code", code)("lines", lines)("cut", cut)("words", words);
  v("has_stray_lines", has_stray_lines)("has_endless_line", has_endless_line);
  v("is_blotted", is_blotted);
}

template <class V, Is<tls::Handshake> T>
void fields(V& v, T& value) {
  auto& [stop, detail, version, cipher, chain, pkix] = value;
  v("stop", stop)("detail", detail)("version", version)("cipher", cipher)("chain", chain);
  v("pkix", pkix);
}

template <class V, Is<smtp::SessionRecord> T>
void fields(V& v, T& value) {
  auto& [address, port, key_type, stage, stop, detail, banner, last_reply, offers_starttls,
         has_masked_starttls, refused_ehlo, took_helo, helo_code, habits, plaintext, tls, lax,
         transcript, took, duration] = value;
  v("address", address)("port", port)("key_type", key_type)("stage", stage)("stop", stop);
  v("detail", detail)("banner", banner)("last_reply", last_reply);
  v("offers_starttls", offers_starttls)("has_masked_starttls", has_masked_starttls);
  v("refused_ehlo", refused_ehlo)("took_helo", took_helo)("helo_code", helo_code);
  v("habits", habits)("plaintext_after_starttls", plaintext)("tls", tls)("lax", lax);
  v("transcript", transcript)("took", took)("duration", duration);
}

template <class V, Is<HostObservation> T>
void fields(V& v, T& value) {
  auto& [host, observed_at, a, aaaa, cname, is_dane_candidate, base_domain, tlsa, misplaced,
         records, survey, addresses_took, tlsa_took, addresses, sessions, starttls, cut] = value;
  v("host", host)("observed_at", observed_at)("a", a)("aaaa", aaaa)("cname", cname);
  v("is_dane_candidate", is_dane_candidate)("base_domain", base_domain)("tlsa", tlsa);
  v("misplaced", misplaced)("records", records)("survey", survey);
  v("addresses_took", addresses_took)("tlsa_took", tlsa_took)("addresses", addresses);
  v("sessions", sessions)("starttls", starttls)("cut", cut);
}

// Takes everything and does nothing: what has fields can be told by it.
struct Nothing {
  template <class T>
  const Nothing& operator()(const char*, T&) const {
    return *this;
  }
};
template <class T>
concept HasFields = requires(const Nothing& nothing, T& value) { fields(nothing, value); };

}  // namespace probes::codec

#include "agent/lists/read_list.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>

#include <fmt/format.h>

#include "config/name.h"
#include "config/secret.h"
#include "probes/dns/catalog_zone.h"
#include "probes/dns/zone_transfer.h"
#include "probes/net/https_get.h"
#include "probes/tls/crypto.h"

namespace agent {
namespace {

using config::DomainList;
using config::Failure;
using probes::dns::TsigKey;

constexpr config::Seconds kPatience{30};

// As the value of a header: what is in it must not begin another.
config::Result<std::string, std::string> token_of(const DomainList& list) {
  auto token = config::read_secret(list.token_file);
  if (!token) return token;
  for (const char c : *token) {
    if (c < '!' || c > '~')
      return Failure<std::string>(
          fmt::format("{}: not one word in ASCII", list.token_file.string()));
  }
  return token;
}

ReadList read_url(const DomainList& list, const std::stop_token& stop) {
  probes::net::HttpsQuestion question{.url = list.url,
                                      .ca_file = list.ca_file,
                                      .most = config::kLargestList,
                                      .patience = kPatience,
                                      .headers = {"Accept: application/json, text/plain"},
                                      .may_be_http = true};  // list_address() says to whom
  if (!list.token_file.empty()) {
    const auto token = token_of(list);
    if (!token) return Failure<std::string>(token.error());
    question.headers.push_back("Authorization: Bearer " + *token);
  }
  const auto reply = probes::net::https_get(question, stop);
  if (!reply) return Failure<std::string>(reply.error());
  if (reply->status != 200)
    return Failure<std::string>(fmt::format("the server answers with status {}", reply->status));
  return config::parse_listed_domains(reply->body);
}

// One line as `kdig -k` and `dig -y` take it: [ALGORITHM:]NAME:SECRET in base64.
config::Result<TsigKey, std::string> key_of(const DomainList& list) {
  const auto fails = [&](const char* why) {
    return Failure<std::string>(fmt::format("{}: {}", list.tsig_key_file.string(), why));
  };
  const auto text = config::read_secret(list.tsig_key_file);
  if (!text) return Failure<std::string>(text.error());
  std::vector<std::string> parts(1);
  for (const char c : *text) {
    if (c == ':') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  if (parts.size() == 2) parts.insert(parts.begin(), "hmac-sha256");
  if (parts.size() != 3) return fails("not one line ALGORITHM:NAME:SECRET");
  using Algorithm = TsigKey::Algorithm;
  constexpr auto kAlgorithms = std::to_array<std::pair<std::string_view, Algorithm>>(
      {{"hmac-sha256", Algorithm::hmac_sha256},
       {"hmac-sha384", Algorithm::hmac_sha384},
       {"hmac-sha512", Algorithm::hmac_sha512}});
  const auto algorithm =
      std::ranges::find(kAlgorithms, parts[0], [](const auto& one) { return one.first; });
  if (algorithm == kAlgorithms.end())
    return fails("the algorithm is none of hmac-sha256, hmac-sha384 and hmac-sha512");
  auto name = probes::dns::Name::parse(parts[1]);
  if (!name || name->is_root()) return fails("the key has no name");
  const auto secret = probes::tls::from_base64(parts[2]);
  if (!secret || secret->empty()) return fails("the secret is not base64");
  return TsigKey{.name = *std::move(name),
                 .algorithm = algorithm->second,
                 .secret = {secret->begin(), secret->end()}};
}

// Zones are no mail domains: those of addresses, those of one label, and those with names that no
// mail address has, are passed over.
std::vector<config::ListedDomain> domains_of(
    const std::vector<probes::dns::CatalogMember>& members) {
  const auto arpa = probes::dns::Name::parse("arpa").value_or(probes::dns::Name{});
  std::vector<config::ListedDomain> out;
  for (const auto& member : members) {
    auto name = config::normal_domain(member.zone.text());
    if (!name || member.zone.is_within(arpa)) continue;
    config::ListedDomain domain{.name = *std::move(name), .role = {}, .group = {}};
    if (member.group) {
      if (auto group = config::group_name(*member.group)) domain.group = *std::move(group);
    }
    out.push_back(std::move(domain));
  }
  return config::without_repeats(std::move(out));
}

ReadList read_catalog(const DomainList& list, const std::stop_token& stop) {
  const auto zone = probes::dns::Name::parse(list.catalog_zone);
  if (!zone) return Failure<std::string>("not the name of a zone");
  probes::dns::TransferRequest request{.zone = *zone,
                                       .address = list.primary.address,
                                       .port = list.primary.port,
                                       .key = std::nullopt,
                                       .types = {probes::dns::type::ptr, probes::dns::type::txt}};
  if (!list.tsig_key_file.empty()) {
    auto key = key_of(list);
    if (!key) return Failure<std::string>(key.error());
    request.key = *std::move(key);
  }
  const auto now = [] {
    return std::chrono::floor<config::Seconds>(std::chrono::system_clock::now());
  };
  const auto records =
      probes::dns::transfer_zone(request, now, std::chrono::steady_clock::now() + kPatience, stop);
  if (!records) return Failure<std::string>(records.error());
  const auto members = probes::dns::read_catalog_zone(*zone, *records);
  if (!members) return Failure<std::string>(members.error());
  return domains_of(*members);
}

}  // namespace

ReadList read_list(const DomainList& list, const std::stop_token& stop) {
  return list.url.empty() ? read_catalog(list, stop) : read_url(list, stop);
}

std::string source_of(const DomainList& list) {
  if (list.url.empty())
    return fmt::format("{} from {}@{}", list.catalog_zone, list.primary.address, list.primary.port);
  return list.url.substr(0, list.url.find('?'));
}

std::vector<std::string> obstacles_of(const DomainList& list) {
  std::vector<std::string> out;
  if (!list.token_file.empty()) {
    if (const auto token = token_of(list); !token) out.push_back(token.error());
  }
  if (!list.tsig_key_file.empty()) {
    if (const auto key = key_of(list); !key) out.push_back(key.error());
  }
  if (!list.ca_file.empty() && !std::ifstream(list.ca_file))
    out.push_back(fmt::format("{}: cannot be read", list.ca_file.string()));
  return out;
}

}  // namespace agent

#include "storage/host_history.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/dane/tlsa.h"
#include "storage/bounds.h"
#include "storage/times.h"

namespace storage {
namespace {

using Json = nlohmann::json;
using config::Seconds;
using config::Time;

agent::Published published_of(const Json& json) {
  agent::Published out{.is_gone = json.value("gone", false)};
  if (out.is_gone) return out;
  out.ttl = Seconds{json.at("ttl").get<std::int64_t>()};
  out.is_secure = json.at("secure").get<bool>();
  if (json.contains("alias")) {
    out.alias = json.at("alias").at(0).get<std::string>();
    out.alias_ttl = Seconds{json.at("alias").at(1).get<std::int64_t>()};
  }
  out.delegation_ttl = Seconds{json.value("ds_ttl", std::int64_t{0})};
  for (const auto& text : json.at("records")) {
    if (auto record = probes::dane::tlsa_from_text(text.get<std::string>()))
      out.records.push_back(std::move(*record));
  }
  return out;
}

probes::dns::KeySet key_set_of(const Json& json) {
  probes::dns::KeySet out{.keys = {}, .ttl = Seconds{json.at("ttl").get<std::int64_t>()}};
  for (const auto& key : json.at("keys"))
    out.keys.insert(
        {.algorithm = key.at(0).get<std::uint8_t>(), .tag = key.at(1).get<std::uint16_t>()});
  return out;
}

// A number is the end of one that was recorded before its begin was.
std::optional<agent::Signature> signature_of(const Json& json) {
  if (json.is_null()) return std::nullopt;
  if (json.is_number()) return agent::Signature{.expiration = time_of(json.get<std::int64_t>())};
  agent::Signature out{.inception = time_of(json.at(0).get<std::int64_t>()),
                       .expiration = time_of(json.at(1).get<std::int64_t>())};
  if (json.size() > 2) out.slides_from = time_of(json.at(2).get<std::int64_t>());
  return out;
}

class PastReader {
 public:
  PastReader(Database& db, std::string subject, Time since)
      : db_(db), subject_(std::move(subject)), since_(since) {}

  agent::ZonePast read_zone() {
    agent::ZonePast out;
    for (auto [kind, versions] : {std::pair{"ds", &out.ds}, std::pair{"dnskey", &out.dnskey}}) {
      each(kind, subject_, subject_ + " ",
           [&](const std::string&, const Json& json) { add(*versions, key_set_of(json)); });
    }
    return out;
  }

  agent::Signatures read_mx_signatures() {
    agent::Signatures out;
    each("mx-signature", subject_, subject_ + " ", [&](const std::string&, const Json& json) {
      if (const auto signature = signature_of(json)) add(out, *signature);
    });
    return out;
  }

  agent::HostHistory read() {
    agent::HostHistory out;
    each("published", subject_ + "|", subject_ + "}",
         [&](const std::string& name, const Json& json) {
           add(out.servers[name], published_of(json));
         });
    read_forgotten(out);
    each("chain", subject_ + "|", subject_ + "}", [&](const std::string& name, const Json& json) {
      if (auto chain = chain_of(json)) add(out.endpoints[name], std::move(*chain));
    });
    each("signature", subject_, subject_ + " ", [&](const std::string&, const Json& json) {
      add(out.signatures[agent::kAllServers], signature_of(json));
    });
    each("signature", subject_ + "|", subject_ + "}",
         [&](const std::string& name, const Json& json) {
           add(out.signatures[name], signature_of(json));
         });
    std::erase_if(out.signatures, [](const auto& entry) { return entry.second.empty(); });
    std::erase_if(out.servers, [](const auto& entry) { return entry.second.empty(); });
    std::erase_if(out.endpoints, [](const auto& entry) { return entry.second.empty(); });
    return out;
  }

 private:
  // The newest versions of the subjects from `from` on and before `to`, in the order in which they
  // were recorded: the clock may have been set in between. Bounded, as in memory
  // (agent/version.h), whatever the file holds.
  template <class Take>
  void each(const char* kind, const std::string& from, const std::string& to, Take take) {
    static const auto kSubjects = fmt::format(
        "SELECT s.id, s.name FROM subject s WHERE s.kind = ? AND s.name >= ? AND s.name < ? "
        "ORDER BY {} LIMIT ?",
        kNewestFirst);
    const auto subjects = db_.keep(kSubjects);
    subjects->bind(kind, from, to, static_cast<std::int64_t>(agent::kMostNames));
    std::vector<std::pair<std::int64_t, std::string>> found;
    while (subjects->step()) found.emplace_back(subjects->integer(0), subjects->text(1));
    const auto most = agent::versions_for(found.size());
    read_of_each_ = static_cast<std::int64_t>(most);
    for (const auto& [id, name] : found) each_version(id, name, most, take);
  }

  template <class Take>
  void each_version(std::int64_t subject, const std::string& name, std::size_t most, Take take) {
    const auto rows = db_.keep(
        "SELECT c.body, n.first_seen, n.last_seen FROM (SELECT v.* FROM version v "
        "WHERE v.subject = ? AND (v.is_open OR v.last_seen >= ?) "
        "ORDER BY v.id DESC LIMIT ?) n "
        "JOIN content c ON c.id = n.content ORDER BY n.id");
    rows->bind(subject, since_.time_since_epoch().count(), static_cast<std::int64_t>(most));
    const auto cut = name.find('|');
    while (rows->step()) {
      first_seen_ = time_of(rows->integer(1));
      last_seen_ = time_of(rows->integer(2));
      try {
        take(cut == std::string::npos ? name : name.substr(cut + 1), Json::parse(rows->text(0)));
      } catch (const Json::exception&) {
        // Written by another version of this program: the others tell the story without it.
      }
    }
  }

  // What the versions that are not read, and those summed up (bounds.h), may have left in caches;
  // of the latter the longest TTL of all that are still in the file is taken.
  void read_forgotten(agent::HostHistory& out) {
    std::optional<Seconds> longest;
    for (const auto& [name, versions] : out.servers) {
      for (const auto& one : versions) take_longest(longest, one.what);
    }
    std::optional<Time> summed_until;
    auto subjects = db_.prepare(
        "SELECT id, name, summed_until FROM subject WHERE kind = 'published' AND "
        "(name = ?1 OR (name >= ?1 || '|' AND name < ?1 || '}'))");
    subjects.bind(subject_);
    while (subjects.step()) {
      if (subjects.integer(2) > 0)
        summed_until = std::max(summed_until.value_or(agent::kEver), time_of(subjects.integer(2)));
      const auto name = subjects.text(1);
      const auto known =
          name == subject_ ? out.servers.end() : out.servers.find(name.substr(subject_.size() + 1));
      std::optional<Time> first;
      if (known != out.servers.end() && !known->second.empty())
        first = known->second.front().first_seen;
      read_forgotten(out, subjects.integer(0), first, longest);
    }
    if (summed_until && longest)
      out.forgotten_until = std::max(out.forgotten_until, *summed_until + *longest);
  }

  // The versions of one server before `first`, which are not read; nothing: none is.
  void read_forgotten(agent::HostHistory& out, std::int64_t subject, std::optional<Time> first,
                      std::optional<Seconds>& longest) {
    auto rows = db_.prepare(
        "SELECT c.body, v.first_seen, v.last_seen FROM version v JOIN content c ON c.id = "
        "v.content "
        "WHERE v.subject = ? AND (v.is_open OR v.last_seen >= ?) ORDER BY v.id DESC LIMIT ? "
        "OFFSET ?");
    rows.bind(subject, since_.time_since_epoch().count(), Bounds::kMostVersions,
              first ? read_of_each_ : 0);
    auto until = first;
    while (rows.step()) {
      try {
        const auto given = published_of(Json::parse(rows.text(0)));
        take_longest(longest, given);
        out.forgotten_until = std::max(out.forgotten_until,
                                       held_until(given, until.value_or(time_of(rows.integer(2)))));
      } catch (const Json::exception&) {
        // As in each_version.
      }
      until = time_of(rows.integer(1));
    }
  }

  static void take_longest(std::optional<Seconds>& longest, const agent::Published& given) {
    const auto held = held_until(given, Time{});
    if (held != agent::kEver)
      longest = std::max(longest.value_or(Seconds{0}), held.time_since_epoch());
  }

  template <class What>
  void add(std::vector<agent::Version<What>>& versions, What what) {
    // The same again, behind a gap in what was recorded.
    if (!versions.empty() && versions.back().what == what) {
      versions.back().last_seen = std::max(versions.back().last_seen, last_seen_);
      return;
    }
    versions.push_back({first_seen_, last_seen_, std::move(what)});
  }

  // Nothing when one of the certificates is missing.
  std::optional<agent::Chain> chain_of(const Json& json) {
    agent::Chain out;
    for (const auto& sha256 : json) {
      const auto certificate = certificate_of(sha256.get<std::string>());
      if (certificate == nullptr) return std::nullopt;
      out.push_back(certificate);
    }
    return out;
  }

  // Each is read once: the endpoints of a host present the same ones.
  const probes::tls::CertificatePtr& certificate_of(const std::string& sha256) {
    const auto [known, is_new] = certificates_.try_emplace(sha256);
    if (is_new) {
      const auto found = db_.keep("SELECT der FROM certificate WHERE sha256 = ?");
      found->bind(probes::dane::from_hex(sha256).value_or(probes::dane::Bytes{}));
      if (found->step()) known->second = probes::tls::parse_certificate(found->bytes(0));
    }
    return known->second;
  }

  Database& db_;
  std::string subject_;
  Time since_;
  Time first_seen_, last_seen_;
  std::int64_t read_of_each_ = 0;  // versions, by the last each()
  std::map<std::string, probes::tls::CertificatePtr> certificates_;
};

}  // namespace

Json published_json(const agent::Published& published) {
  if (published.is_gone) return {{"gone", true}};
  Json records = Json::array();
  for (const auto& record : published.records) records.push_back(probes::dane::to_text(record));
  Json out{{"ttl", published.ttl.count()}, {"secure", published.is_secure}, {"records", records}};
  if (published.alias) out["alias"] = {*published.alias, published.alias_ttl.count()};
  if (published.delegation_ttl.count() > 0) out["ds_ttl"] = published.delegation_ttl.count();
  return out;
}

Json signature_json(const std::optional<agent::Signature>& signature) {
  if (!signature) return nullptr;
  const auto number = [](Time time) { return time.time_since_epoch().count(); };
  if (!signature->inception) return number(signature->expiration);
  Json out = Json::array({number(*signature->inception), number(signature->expiration)});
  if (signature->slides_from) out.push_back(number(*signature->slides_from));
  return out;
}

Json chain_json(const agent::Chain& chain) {
  Json out = Json::array();
  for (const auto& certificate : chain) out.push_back(probes::dane::to_hex(certificate->sha256));
  return out;
}

Json key_set_json(const probes::dns::KeySet& set) {
  Json keys = Json::array();
  for (const auto& key : set.keys) keys.push_back({key.algorithm, key.tag});
  return {{"ttl", set.ttl.count()}, {"keys", keys}};
}

agent::Signatures read_mx_signatures(Database& db, const std::string& domain, Time since) {
  return PastReader(db, domain, since).read_mx_signatures();
}

agent::ZonePast read_zone_past(Database& db, const std::string& zone, Time since) {
  return PastReader(db, zone, since).read_zone();
}

agent::HostHistory read_chronicle(Database& db, const std::string& host, Time since) {
  return PastReader(db, host, since).read();
}

}  // namespace storage

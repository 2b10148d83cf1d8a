#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/alerts/narrowed.h"
#include "agent/watch/snapshot.h"

// PURE
namespace web {

using Groups = std::set<std::string>;

// What belongs to the domains of some groups: those domains, the hosts that they use, and what is
// told of either. It is made of one snapshot, in one walk through its domains, and holds as long as
// that.
class Theirs {
 public:
  // Whether a domain is watched, for anybody.
  using IsWatched = std::function<bool(std::string_view domain)>;
  Theirs(std::shared_ptr<const agent::Snapshot> all, Groups groups, IsWatched is_watched);

  [[nodiscard]] bool has_group(const std::string& group) const { return groups_.contains(group); }
  [[nodiscard]] bool has_domain(std::string_view name) const { return domains_.contains(name); }
  // A host that one of their domains uses, whoever else does; in A-label form.
  [[nodiscard]] bool has_host(const std::string& name) const { return hosts_.contains(name); }
  // A host, or one of their domains.
  [[nodiscard]] bool has(const probes::Subject& subject) const;
  // A host of theirs that nobody else's domain uses. Walks through all domains.
  [[nodiscard]] bool is_theirs_alone(const std::string& host) const;
  [[nodiscard]] const agent::Snapshot& everything() const { return *all_; }

  // The snapshot as if nothing else were watched: other domains and hosts are not in it, and alerts
  // name none. What is wrong with the agent itself everybody sees. Silences are all in it: those of
  // others cover nothing that is.
  [[nodiscard]] agent::Snapshot snapshot() const;
  // What of everything is theirs; they outlive it.
  [[nodiscard]] agent::Owned owned() const;
  // The alert as far as it is theirs; nothing when it hits no domain of theirs.
  [[nodiscard]] std::optional<agent::Alert> narrowed(const agent::Alert& alert) const;
  // Whether it hits nobody else. What is wrong with the agent itself is not theirs.
  [[nodiscard]] bool is_all_theirs(const agent::Alert& alert) const;

  // Whether the silence may cover an alert at a domain of theirs.
  [[nodiscard]] bool is_touched_by(const agent::Silence& silence) const;
  // Whether it can cover nothing but what is at their domains.
  [[nodiscard]] bool is_bound(const agent::Silence& silence) const;
  // The silence with a matcher more where it needs one to be bound.
  [[nodiscard]] agent::Silence bound(agent::Silence silence) const;
  // As they may read it: what it says of others is left out.
  [[nodiscard]] agent::Silence narrowed(agent::Silence silence) const;

  // Whether the certificate names one of their domains or hosts.
  [[nodiscard]] bool is_named_in(const probes::tls::Certificate& leaf) const;
  // Whether it names nothing else: what is not below their domains, nor a host of theirs alone.
  [[nodiscard]] bool is_all_named_in(const probes::tls::Certificate& leaf) const;
  // A name as certificates have them, with a wildcard or without.
  [[nodiscard]] bool fits(const std::string& certificate_name) const;

  // Whether the name is one of a domain or host that is watched for somebody else, and that says
  // nothing of theirs: zones above their own names are known to everybody who knows those.
  [[nodiscard]] bool is_others(std::string_view name) const;
  // Text with such names taken out of it: ours, about the agent or what it learned elsewhere. In
  // text that mail servers or people chose, the gaps would tell who is watched.
  [[nodiscard]] std::string without_others(std::string_view text) const;

 private:
  [[nodiscard]] std::shared_ptr<const agent::Snapshot::Shown> shown() const;

  std::shared_ptr<const agent::Snapshot> all_;
  Groups groups_;
  IsWatched is_watched_;
  std::unordered_map<std::string_view, const agent::DomainState*> domains_;
  std::vector<std::size_t> places_;  // of those in the snapshot
  std::set<std::string> hosts_;
  std::set<std::string> above_;  // names that theirs stand below, and theirs
};

}  // namespace web

#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/alerts/round.h"
#include "agent/foresight/announcements.h"
#include "agent/foresight/issuers.h"
#include "agent/foresight/renewal_advice.h"
#include "agent/watch/inventory.h"

// PURE
namespace agent {

// What is known of certificates that no host presents yet: those that were shown to us, from which
// keys CAs issue, and when they want certificates renewed; held against the hosts that are watched.
// Every change is written into the round at hand.
class Foresight {
 public:
  using Hosts = std::vector<probes::dns::Name>;

  // `inventory` outlives it.
  Foresight(const Inventory& inventory, Announcements announcements, RenewalBook renewals);

  // --- issuers

  void set_announced_issuers(std::vector<config::AnnouncedIssuer> announced) {
    issuers_.set_announced(std::move(announced));
  }
  // Which chains lead to CAs that the Web believes: only those teach from which keys CAs issue.
  void set_vouch(IssuerBook::Vouch vouch) { issuers_.set_vouch(std::move(vouch)); }
  // What the host, whose history is known, presents now teaches who issues, or all that it ever
  // presented.
  enum class Of { now, ever };
  void learn(const Inventory::Host& host, Of which);
  // Every domain has been looked at since the start, and every host that is known by them.
  [[nodiscard]] bool is_taught();

  // --- hosts

  // Adds what is to be said of the next certificate of the host, whose rollovers are known. What
  // was shown to us for hosts that were not known yet is taken up when it is for this one.
  void add_findings(Round& round, const Inventory::Host& host, probes::HistoryFindings& to);
  // A certificate that was shown to us is for the host, and by this past of it (the host's own, or
  // with what is published now) senders will not take it.
  [[nodiscard]] bool is_unpublished(const Inventory::Host& host, const HostHistory& past,
                                    config::Time at) const;

  // --- certificates that are shown

  struct Shown {
    Foreseen foreseen;
    Hosts hosts;  // that it is for
    Announcements::News news = Announcements::News::none;
  };
  // What it means for each host that it is for. One that is for nobody is forgotten, unless some
  // hosts are not known yet.
  Shown take_shown(Round& round, AnnouncedCertificate announced);
  // Null, or why not.
  [[nodiscard]] std::optional<std::string> set_not_for_mail(Round& round, const NotForMail& said);
  [[nodiscard]] std::optional<std::string> set_for_mail(Round& round, const std::string& key);
  // Those that have a certificate of the key among what was shown.
  [[nodiscard]] Hosts hosts_of_key(const std::string& key) const;
  [[nodiscard]] const Announcements& announcements() const { return announcements_; }

  // --- renewals

  struct Renewing {
    Hosts concerned;  // of which it says anything new
    Hosts pressed;    // that are to renew at once
  };
  Renewing take_renewals(Round& round, const std::vector<RenewalAdvice>& told);
  [[nodiscard]] const RenewalBook& renewals() const { return renewals_; }
  // The chains that hosts present, each leaf once; of partners' hosts only if asked for.
  [[nodiscard]] std::vector<Chain> chains_in_use(bool partners) const;

  void restate(const ClockStep& step);

 private:
  [[nodiscard]] static ForeseenHost known_of(const Inventory::Host& host);
  [[nodiscard]] std::vector<probes::tls::CertificatePtr> known_issuers() const;

  const Inventory& inventory_;
  Announcements announcements_;
  // Certificates that are for no host that we watch, and may be for one that we shall. Not stored.
  Announcements strangers_;
  IssuerBook issuers_;
  bool is_taught_ = false;
  RenewalBook renewals_;
};

}  // namespace agent

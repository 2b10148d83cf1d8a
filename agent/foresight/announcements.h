#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/foresight/next_key.h"

// PURE
namespace agent {

// The certificates that were shown to us, found by the names they hold, and what operators said of
// their keys.
class Announcements {
 public:
  // More are not remembered: of the key that has the most the one shown first is forgotten.
  static constexpr std::size_t kMost = 2000;
  static constexpr std::size_t kMostNotForMail = 10'000;

  Announcements() = default;
  Announcements(std::vector<AnnouncedCertificate> announced, std::vector<NotForMail> not_for_mail);

  enum class News {
    none,    // the same issuance was shown, and as much of it
    better,  // the certificate after its precertificate, or more of its chain
    fresh,
  };
  // What was shown first says when and by whom.
  News take(AnnouncedCertificate announced);
  // With what was shown of the same issuance before.
  [[nodiscard]] AnnouncedCertificate with_known(AnnouncedCertificate announced) const;
  [[nodiscard]] const AnnouncedCertificate* find(const std::string& id) const;

  // False when there are too many already.
  bool set_not_for_mail(const NotForMail& said);
  bool set_for_mail(const std::string& key);  // false when nothing was said of it
  [[nodiscard]] const NotForMail* not_for_mail(const std::string& key) const;

  // Those that are for the host, unless they are for no mail. Good until the next change.
  [[nodiscard]] std::vector<const AnnouncedCertificate*> of_host(const ForeseenHost& host) const;
  // The same, which are forgotten here.
  [[nodiscard]] std::vector<AnnouncedCertificate> take_of_host(const ForeseenHost& host);
  [[nodiscard]] std::vector<AnnouncedCertificate> all() const;
  [[nodiscard]] std::vector<NotForMail> all_not_for_mail() const;

  void forget_expired(config::Time at);
  // Moves all times by which something was shown.
  template <class Restate>
  void restate(Restate restated) {
    for (auto& [id, one] : by_id_) one.shown_at = restated(one.shown_at);
  }

 private:
  void index(const AnnouncedCertificate& announced, bool is_there);
  void drop(const std::string& id);
  [[nodiscard]] std::string least_wanted() const;

  std::map<std::string, AnnouncedCertificate> by_id_;
  std::map<std::string, std::set<std::string>> by_name_;  // in lower case: ids
  std::map<std::string, NotForMail> not_for_mail_;        // by key
};

}  // namespace agent

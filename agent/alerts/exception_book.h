#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/alerts/partners.h"
#include "agent/alerts/round.h"

// PURE
namespace agent {

// The exceptions that were made for partners and are not over. What danelaw itself tells Postfix
// (docs/postfix.md) it takes back itself; of what stands in a file it asks for the removal. Every
// change is written into the round at hand.
class ExceptionBook {
 public:
  explicit ExceptionBook(const std::vector<Exception>& made);

  // Whether danelaw tells Postfix of exceptions. It says "encrypt", never "may".
  void set_serving(bool is_serving) { is_serving_ = is_serving; }

  // Nothing when DANE is not what keeps mail from the domain. `domain`: as it is configured.
  [[nodiscard]] std::optional<Exception> make(Round& round, const std::string& domain,
                                              const probes::DomainJudgement& judged);
  // False: there was none.
  bool end(Round& round, const std::string& domain);
  // What a person approved for a partner who is watched is over when that is so no more, whoever
  // puts the partner back later.
  template <class IsWatched>
  void end_unless(Round& round, const IsWatched& is_watched) {
    std::vector<std::string> strangers;
    for (const auto& [domain, made] : made_) {
      if (!is_watched(domain)) strangers.push_back(domain);
    }
    for (const auto& domain : strangers) end(round, domain);
  }

  // The domain was judged. Ends what danelaw serves when its time is over, or when two looks, one
  // after the other, saw that mail is delivered again. Of what stands in a file: what is to be said
  // when its time is over or the domain is authenticated again.
  [[nodiscard]] std::optional<probes::Finding> follow(Round& round, const std::string& domain,
                                                      const probes::DomainJudgement& judged);

  [[nodiscard]] std::vector<Exception> all() const;

 private:
  // Looks at a domain with an exception that saw mail delivered, one after the other.
  struct WellLooks {
    int count = 0;
    config::Time last;  // what the last one saw
  };

  [[nodiscard]] bool is_served(const Exception& made) const;
  [[nodiscard]] bool is_well_for_long(const std::string& domain, const Exception& made,
                                      const probes::DomainJudgement& judged);

  bool is_serving_ = false;
  std::map<std::string, Exception> made_;  // by domain
  std::map<std::string, WellLooks> well_looks_;
};

}  // namespace agent

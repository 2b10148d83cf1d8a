#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/foresight/renewal_advice.h"
#include "agent/history/host_history.h"
#include "probes/net/https_get.h"

// PURE
namespace agent {

// Which CA is to be asked next of which certificate, at the pace that the CAs ask for. One that
// does not answer is left alone for a while, whatever the number of its certificates.
class RenewalAgenda {
 public:
  // `known`: what was told before.
  explicit RenewalAgenda(RenewalBook known) : book_(std::move(known)) {}

  // Of these CAs (config::Acme). One whose directory is another now is asked anew.
  void set_directories(std::map<std::string, std::string> directories);
  // The leaves of these chains are in use, no others. Passed over are those of other CAs, those
  // that only say that they are of one (is_issued_as_said), and more than kMostRenewals.
  void set_chains(const std::vector<Chain>& chains);

  struct Question {
    std::string url;
    std::string directory;    // of the CA
    std::string certificate;  // as in RenewalAdvice; empty: the directory itself is asked for
  };
  // Null: nothing is due.
  [[nodiscard]] std::optional<Question> next(config::Time at) const;
  // What came of it. Null: nothing was learned of a certificate.
  std::optional<RenewalAdvice> take(const Question& question,
                                    const probes::net::HttpsAnswer& answer, config::Time at);
  // Why nothing is learned from the CA with that directory; empty while it answers.
  [[nodiscard]] std::string fault_of(const std::string& directory) const;

 private:
  struct Directory {
    std::string renewal_info;              // URL; empty: not known
    std::optional<config::Time> known_at;  // since when
    std::optional<config::Time> next_at;   // not asked before
    int failures = 0;
    std::string fault;
    void fail(std::string why, const probes::net::HttpsAnswer& answer, config::Time at);
  };
  struct Asked {
    std::string directory, id;
    config::Time not_after;
  };
  void take_directory(Directory& directory, const probes::net::HttpsAnswer& answer,
                      config::Time at);

  std::map<std::string, std::string> urls_;  // by CA
  std::map<std::string, Directory> by_url_;
  std::map<std::string, Asked> certificates_;  // by certificate
  std::set<std::string> refused_;              // of those in use: not issued as they say
  RenewalBook book_;
};

// Anybody may put the name of a CA into a certificate: false where the leaf has signed itself, or
// the chain has a certificate of the name that it gives as its issuer's, and none of those signed
// it. Where the chain leaves the issuer out nobody can say.
[[nodiscard]] bool is_issued_as_said(const Chain& chain);

}  // namespace agent

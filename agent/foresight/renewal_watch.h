#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "agent/foresight/renewal_agenda.h"
#include "config/config.h"
#include "config/mutex.h"

namespace agent {

// Asks CAs when the certificates in use are to be renewed, on a thread of its own, one question at
// a time. That a CA does not answer is no trouble of ours or of any target: it is told once.
class RenewalWatch {
 public:
  // Called by the thread.
  struct Calls {
    std::function<config::Time()> now;
    // The chains that hosts present, those of partners' hosts only if asked for.
    std::function<std::vector<Chain>(bool partners)> in_use;
    std::function<probes::net::HttpsAnswer(const probes::net::HttpsQuestion&,
                                           const std::stop_token&)>
        ask = probes::net::https_get;
    std::function<void(const std::vector<RenewalAdvice>&)> on_advice;
    // An empty fault: it answers again.
    std::function<void(const std::string& directory, const std::string& fault)> on_fault;
  };
  // `known`: what was told before. Without memory for a thread nobody is asked, which is told.
  RenewalWatch(RenewalBook known, const config::Config& settings, Calls calls);
  ~RenewalWatch();  // ends the thread
  RenewalWatch(const RenewalWatch&) = delete;
  RenewalWatch& operator=(const RenewalWatch&) = delete;

  void configure(const config::Config& settings);

 private:
  struct Settings {
    config::Acme acme;
    std::filesystem::path ca_file;
  };
  void work(const std::stop_token& stop);
  void ask_what_is_due(const Settings& settings, const std::stop_token& stop);

  const Calls calls_;
  config::Mutex mutex_;
  Settings settings_ GUARDED_BY(mutex_);
  bool is_new_ GUARDED_BY(mutex_) = true;  // they are not taken up yet
  std::condition_variable_any wake_;
  // Of the thread alone:
  RenewalAgenda agenda_;
  std::map<std::string, std::string> faults_;  // told, by directory
  std::jthread thread_;                        // last: it uses the others
};

}  // namespace agent

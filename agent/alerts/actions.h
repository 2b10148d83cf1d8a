#pragma once

#include <optional>
#include <string>

#include "agent/alerts/alert.h"
#include "agent/alerts/partners.h"
#include "agent/alerts/silence.h"
#include "agent/foresight/next_key.h"
#include "config/result.h"

namespace agent {

// The error of what is done, and could not be recorded within a few seconds.
inline constexpr const char* kUnrecorded =
    "it holds here, but could not be recorded yet: see the log; a restart before that would undo "
    "it, and so would another agent that leads by now";

// What people may ask for. Recorded before a call returns; the error is a sentence for them. Any
// thread may call.
class Actions {
 public:
  Actions() = default;
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  virtual ~Actions() = default;

  using Done = config::Result<void, std::string>;
  // Null takes the acknowledgement back.
  [[nodiscard]] virtual Done acknowledge(const std::string& alert,
                                         std::optional<Acknowledgement> how) = 0;
  // The silence returned has its id.
  [[nodiscard]] virtual config::Result<Silence, std::string> silence(Silence wanted) = 0;
  [[nodiscard]] virtual Done end_silence(const std::string& id) = 0;
  // The exception that the operator now makes in their Postfix, so that danelaw asks for its end.
  [[nodiscard]] virtual config::Result<Exception, std::string> make_exception(
      const std::string& domain) = 0;
  [[nodiscard]] virtual Done end_exception(const std::string& domain) = 0;
  // A certificate that was issued; `chain` is leaf first. What it means for the watched hosts that
  // it is for; those are looked at anew at once. `by` is who shows it.
  [[nodiscard]] virtual config::Result<Foreseen, std::string> announce(Chain chain,
                                                                       std::string by) = 0;
  // Certificates of that key are for no mail server, or after all.
  [[nodiscard]] virtual Done set_not_for_mail(NotForMail said) = 0;
  [[nodiscard]] virtual Done set_for_mail(const std::string& key) = 0;
};

}  // namespace agent

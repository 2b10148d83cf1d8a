#include "web/routes/act_words.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "probes/explain.h"

namespace web {
namespace {

struct ActWords {
  std::string_view name;
  std::string_view words;  // "…" stands for the subject
};

constexpr std::array kActs{
    ActWords{"acknowledge", "acknowledged the alert"},
    ActWords{"take-back", "took back the acknowledgement"},
    ActWords{"silence", "made a silence"},
    ActWords{"plan", "planned a change of key"},
    ActWords{"end-silence", "ended a silence"},
    ActWords{"check", "asked for a check of …"},
    ActWords{"exception", "recorded an exception for …"},
    ActWords{"end-exception", "ended the exception for …"},
    ActWords{"reload", "reloaded the configuration"},
    ActWords{"test-notification", "sent a test notification"},
    ActWords{"check-once", "checked … once"},
    ActWords{"watch", "began to watch …"},
    ActWords{"accept-list", "accepted what the list … lost"},
    ActWords{"show-certificate", "showed a certificate to come"},
    ActWords{"not-for-mail", "said that a key is for no mail server"},
    ActWords{"for-mail", "took back that a key is for no mail server"},
};

}  // namespace

bool is_act(std::string_view name) {
  return std::ranges::find(kActs, name, &ActWords::name) != kActs.end();
}

std::string in_words(const storage::Act& act) {
  constexpr std::string_view kSubject = "…";
  const auto found = std::ranges::find(kActs, act.what, &ActWords::name);
  std::string words(found == kActs.end() ? probes::printable(act.what) : found->words);
  if (const auto at = words.find(kSubject); at != std::string::npos)
    words.replace(at, kSubject.size(), probes::printable(act.subject));
  return fmt::format("{} {}{}", act.by.empty() ? "Somebody" : probes::printable(act.by), words,
                     act.fault ? ", but it failed." : ".");
}

}  // namespace web

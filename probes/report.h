#pragma once

#include <nlohmann/json.hpp>

#include "probes/judge.h"

// PURE
// A judged look in the two forms that leave the house: the check object of the JSON interface, and
// text for a person.
namespace probes {

// {"schema":"danelaw.check/1", …}. Texts from outside are printable; absent facts are null, never
// made up.
[[nodiscard]] nlohmann::ordered_json to_json(const DomainJudgement& judged);
[[nodiscard]] nlohmann::ordered_json to_json(const Finding& finding);
// Records as lines, and the texts to paste; none of these for a zone that is a partner's.
[[nodiscard]] nlohmann::ordered_json to_json(const Remedy& remedy, bool is_theirs);

// What an operator reads at night: the verdict in words, what is wrong and what to do, then the
// chain from the domain to the certificate. Lines of at most 100 columns where the facts allow it.
[[nodiscard]] std::string to_text(const DomainJudgement& judged);

// One sentence: what a verdict means for mail. And why an endpoint has it.
[[nodiscard]] std::string_view in_words(Verdict verdict);
[[nodiscard]] std::string_view in_words(Reason reason);

}  // namespace probes

#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "probes/codec/bundle.h"
#include "probes/evidence.h"

// What a bundle of evidence proves: each observation verified anew (evidence.h), and whether they
// show what was said. The command line, the API and letters tell it in these words.
namespace probes {

struct Proof {
  std::vector<Argument> arguments;  // parallel to the bundle's observations
  // What was judged of them, and is what the alert says: that code, at that subject.
  std::optional<Finding> shown;
  bool is_proven = false;  // all holds, and shows what was said
  std::string conclusion;  // one sentence
};

// `anchors`: as verify() takes them. What is of a moment behind `now` is refuted.
[[nodiscard]] Proof prove(const Bundle& bundle, const std::vector<dns::Record>& anchors,
                          config::Time now);

// "danelaw.explain/1".
[[nodiscard]] nlohmann::ordered_json to_json(const Bundle& bundle, const Proof& proof);
// Lines for people, a step a line. The words of the alert itself are not repeated: what is shown is
// told in words of our own.
[[nodiscard]] std::string to_text(const Bundle& bundle, const Proof& proof);

}  // namespace probes

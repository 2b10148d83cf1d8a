#pragma once

#include <span>
#include <string_view>

// PURE
namespace probes {

// How much of the world's mail a class of senders (judge.h) may stand for: an estimate from what
// software does by default and from what its authors and the RFCs say. Nobody counts senders: of
// receiving hosts that name their software, 56 % were Exim and 38 % Postfix (Security Space,
// December 2023).
enum class Weight {
  common,  // by default in software that many run: what it does is worth a finding
  rare,    // a reading of the standards, or software, that few senders still have
};
[[nodiscard]] std::string_view wire_name(Weight weight);

struct SenderClass {
  std::string_view name;  // as in the `splits` of the JSON
  Weight weight = Weight::rare;
  std::string_view source;  // what the estimate goes by
  int year = 0;             // of that
};

// Of every class that judge.h knows beside the references: senders in its order, then mail
// programs.
[[nodiscard]] std::span<const SenderClass> sender_classes();
[[nodiscard]] Weight weight_of(std::string_view sender);

}  // namespace probes

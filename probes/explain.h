#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/verdict.h"

// PURE
namespace probes {

// A finding in words for the person who must act: complete sentences, no jargon that is not
// explained.
struct Explanation {
  std::string title;                    // one line: what is wrong, with the subject's name
  std::string explanation;              // why that is so, in two or three sentences
  std::string senders_now;              // what senders do with mail at this moment
  std::vector<std::string> fix;         // steps in order, each one thing to do
  std::vector<std::string> references;  // "RFC 7672 §2.2"
  std::optional<std::string> tlsrpt;    // the result type senders would report (RFC 8460 §4.3)
};

// Evidence values that the text quotes are escaped for display (printable()).
[[nodiscard]] Explanation explain(const Finding& finding);

// Text from outside made harmless for terminals, logs and pages: control characters, marks that
// turn the direction of text, DEL and bytes that are not UTF-8 become \xNN, a backslash \\; longer
// than `most` octets is cut and says so.
[[nodiscard]] std::string printable(std::string_view text, std::size_t most = 512);

}  // namespace probes

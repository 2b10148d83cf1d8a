#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/queries.h"
#include "web/days.h"
#include "web/http/http.h"

// PURE
// How chosen domains fare, for everybody to see, now and in the last ninety days.
namespace web {

struct PublicView {
  std::string title, text;  // the operator's own words; empty: ours
  std::vector<storage::DomainRow> domains;
  std::map<std::string, config::Time> since;  // it is as it is, where that is known
  DeliverySpans past;
  config::Time past_until;  // as of when the past is known
  config::Time now;
  std::size_t page = 1;  // of the cards
};

// A page that keeps itself up to date in place; where scripts are not wanted it loads itself anew
// every minute. Of many domains it shows some, those first that somebody must do something about,
// and leads to the others.
[[nodiscard]] Reply public_page(const PublicView& view);
[[nodiscard]] std::string_view public_script();
// What only it wears.
[[nodiscard]] std::string_view public_style();
// The same as {"items":[…],"next":null}.
[[nodiscard]] Reply public_json(const PublicView& view);

}  // namespace web

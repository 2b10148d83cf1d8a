#pragma once

#include <vector>

#include "storage/queries.h"
#include "web/http/http.h"

// PURE
// How chosen domains fare, for everybody to see: no more than their badges say.
namespace web {

// A page without a script.
[[nodiscard]] Reply public_page(const std::vector<storage::DomainRow>& domains);
// The same as {"items":[…],"next":null}.
[[nodiscard]] Reply public_json(const std::vector<storage::DomainRow>& domains);

}  // namespace web

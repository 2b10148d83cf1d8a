#include "web/routes/view.h"

#include <utility>

#include "web/routes/own_words.h"

namespace web {

View::View(const Backend& everything, Groups groups)
    : everything_(everything), groups_(std::move(groups)) {}

const Theirs& View::theirs() const {
  if (!theirs_) {
    theirs_ = std::make_shared<const Theirs>(
        everything_.snapshot(), groups_,
        [domain = everything_.domain](std::string_view name) { return domain(name).has_value(); });
  }
  return *theirs_;
}

std::shared_ptr<const agent::Snapshot> View::snapshot() const {
  if (!snapshot_) snapshot_ = std::make_shared<const agent::Snapshot>(theirs().snapshot());
  return snapshot_;
}

std::optional<agent::DomainState> View::domain(std::string_view name) const {
  auto out = everything_.domain(name);
  if (!out || !groups_.contains(out->configured->group)) return std::nullopt;
  return has_words_of_others(*out) ? without_words_of_others(*std::move(out), theirs()) : out;
}

Backend narrowed(const std::shared_ptr<const View>& view) {
  auto out = view->everything();
  out.snapshot = [view] { return view->snapshot(); };
  out.domain = [view](std::string_view name) { return view->domain(name); };
  out.check_now = [view](std::string_view name) {
    return view->domain(name) && view->everything().check_now(name);
  };
  return out;
}

}  // namespace web

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "web/backend.h"
#include "web/routes/theirs.h"

namespace web {

// What one request of somebody who has groups may see of the agent, as of when it first asked. One
// thread at a time.
class View {
 public:
  View(const Backend& everything, Groups groups);

  [[nodiscard]] const Theirs& theirs() const;
  [[nodiscard]] std::shared_ptr<const agent::Snapshot> snapshot() const;  // Theirs::snapshot()
  // Nothing when it is not watched, or not theirs; costs no walk through all domains.
  [[nodiscard]] std::optional<agent::DomainState> domain(std::string_view name) const;
  // What others see, for what is counted for all together or has to be held against the view.
  [[nodiscard]] const Backend& everything() const { return everything_; }

 private:
  Backend everything_;
  Groups groups_;
  mutable std::shared_ptr<const Theirs> theirs_;
  mutable std::shared_ptr<const agent::Snapshot> snapshot_;
};

// The backend as somebody with that view sees it. What is asked of storage and of our Postfix is
// not narrowed by it: whoever asks them holds the answer against the view.
[[nodiscard]] Backend narrowed(const std::shared_ptr<const View>& view);

}  // namespace web

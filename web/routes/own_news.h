#pragma once

#include <set>
#include <string>

#include "web/backend.h"
#include "web/feed.h"
#include "web/http/auth.h"
#include "web/routes/view.h"

namespace web {

// Which events somebody with groups is told of, on one stream. Most are of domains and hosts, and
// those cost no walk through all domains. One thread.
class OwnNews {
 public:
  OwnNews(const Backend& everything, Auth::LoginAnswer client);
  [[nodiscard]] bool has(const Feed::Event& event);

 private:
  [[nodiscard]] bool has_domain(const std::string& name);
  [[nodiscard]] bool has_alert(const std::string& id) const;
  [[nodiscard]] bool has_silence(const std::string& id);

  [[nodiscard]] View as_of_now() const { return {names_.everything(), *client_.groups}; }

  Auth::LoginAnswer client_;
  View names_;                      // asked for domains only, which are as of now
  std::set<std::string> hosts_;     // that their domains use, or did since the stream began
  std::set<std::string> silences_;  // that touched them since then
};

}  // namespace web

#pragma once

#include <map>
#include <string>

#include "storage/queries.h"
#include "web/http/auth.h"
#include "web/routes/view.h"

namespace web {

// Which acts somebody may see: their own, and all about what is theirs. One thread at a time.
class OwnActs {
 public:
  // All outlive it. `view`: null: all acts.
  OwnActs(const View* view, storage::Queries& queries, const Auth::LoginAnswer& client)
      : view_(view), queries_(queries), client_(client) {}
  [[nodiscard]] bool has(const storage::Act& act);
  // One of those as they may read it: others' words only about what is theirs alone.
  [[nodiscard]] storage::Act as_told(storage::Act act) const;

 private:
  [[nodiscard]] bool is_own(const storage::Act& act) const;
  [[nodiscard]] bool is_about_theirs(const storage::Act& act);
  [[nodiscard]] bool has_alert(const std::string& id);

  const View* view_;
  storage::Queries& queries_;
  const Auth::LoginAnswer& client_;
  std::map<std::string, bool> alerts_;  // asked for already
};

}  // namespace web

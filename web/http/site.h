#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "web/http/auth.h"
#include "web/http/http.h"
#include "web/http/request_stats.h"

// What the server serves, without its knowing what that is.
namespace web {

// Who may ask what. The name they used protects from pages that rebind a name of theirs to our
// address.
struct Guard {
  std::vector<std::string> hosts;         // accepted in the Host header, without port, lower case
  bool takes_any_address = false;         // also addresses, which nobody can rebind
  std::shared_ptr<const Auth> auth;       // null: everybody may do everything
  std::string page;                       // where users reach it (web.external_url); empty: unknown
  std::set<std::string> badges;           // domains whose badges everybody may see
  std::string public_title, public_text;  // of the page that shows them
  std::map<std::string, std::string> headers;  // the operator's own, of every reply
};

// Answers each request. Any thread may call.
using Site = std::function<Reply(const Request& request)>;
// Made anew whenever it changes who may come in. `traffic`: what the server counts; it outlives the
// site.
using MakeSite = std::function<Site(Guard guard, const RequestStats& traffic)>;

}  // namespace web

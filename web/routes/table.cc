#include "web/routes/api.h"

namespace web {

// The one place that says what can be asked, by whom, and with which parameters.
const std::vector<Api::Route>& Api::routes() {
  using enum Who;
  static const std::vector<Route> table{
      {"GET", "/-/healthy", everybody, &Api::healthy},
      {"GET", "/-/ready", everybody, &Api::ready},
      {.method = "POST",
       .pattern = "/-/reload",
       .who = operators,
       .answer = &Api::reload,
       .takes_no_body = true},
      {"GET", "/metrics", readers, &Api::metrics},

      {"GET", "/api/v1/status", readers, &Api::status},
      {"GET", "/api/v1/events", readers, &Api::events},
      {"GET", "/api/v1/openapi.json", readers, &Api::document},

      {"GET",
       "/api/v1/domains",
       readers,
       &Api::domains,
       {"q", "status", "delivery", "role", "group", "sort", "limit", "cursor"}},
      {"GET", "/api/v1/domains/{name}", readers, &Api::domain},
      {"GET",
       "/api/v1/domains/{name}/history",
       readers,
       &Api::history,
       {"from", "to", "limit", "cursor"}},
      {"POST", "/api/v1/domains/{name}/check", operators, &Api::check_now},
      {"POST", "/api/v1/domains/{name}/exception", operators, &Api::make_exception},
      {"DELETE", "/api/v1/domains/{name}/exception", operators, &Api::end_exception},
      {"GET", "/api/v1/domains/{name}/badge.svg", everybody, &Api::badge_picture},
      {"GET", "/api/v1/domains/{name}/badge.json", everybody, &Api::badge_object},
      {"GET",
       "/api/v1/findings",
       readers,
       &Api::findings,
       {"code", "severity", "domain", "limit", "cursor"}},
      {"GET", "/api/v1/deadlines", readers, &Api::deadlines, {"limit"}},

      {"GET", "/api/v1/mx/{host}", readers, &Api::host},
      {"GET", "/api/v1/mx/{host}/timeline", readers, &Api::timeline, {"from", "to"}},
      {"POST", "/api/v1/mx/{host}/gate", operators, &Api::gate},
      {"POST", "/api/v1/tlsa", operators, &Api::tlsa},

      {"GET", "/api/v1/alerts", readers, &Api::alerts, {"state"}},
      {"GET", "/api/v1/alerts/{id}", readers, &Api::alert},
      {"POST", "/api/v1/alerts/{id}/ack", operators, &Api::acknowledge},
      {"DELETE", "/api/v1/alerts/{id}/ack", operators, &Api::take_back},
      {"GET", "/api/v1/silences", readers, &Api::silences},
      {"POST", "/api/v1/silences", operators, &Api::silence},
      {"POST", "/api/v1/silences/preview", operators, &Api::preview},
      {"DELETE", "/api/v1/silences/{id}", operators, &Api::end_silence},

      {"GET", "/public", everybody_with_badges, &Api::public_html},
      {"GET", "/public.json", everybody_with_badges, &Api::public_list},
      {"GET", "/assets/app.js", readers, &Api::script, {}, "/assets"},
      // The public page wears it.
      {"GET", "/assets/app.css", everybody_with_badges, &Api::style, {}, "/assets"},
      {"GET", "/findings/{code}", readers, &Api::finding},
      {"GET", "/", readers, &Api::page, {}, "page"},
      {"GET", "/domains", readers, &Api::page, {}, "page"},
      {"GET", "/domains/{name}", readers, &Api::page, {}, "page"},
      {"GET", "/mx/{host}", readers, &Api::page, {}, "page"},
      {"GET", "/alerts", readers, &Api::page, {}, "page"},
      {"GET", "/silences", readers, &Api::page, {}, "page"},
      {"GET", "/plan", readers, &Api::page, {}, "page"},
      {"GET", "/findings", readers, &Api::page, {}, "page"},
      {"GET", "/history", readers, &Api::page, {}, "page"},
      {"GET", "/diff", readers, &Api::page, {}, "page"},
      {"GET", "/status", readers, &Api::page, {}, "page"},
  };
  return table;
}

}  // namespace web

#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "agent/alerts/partners.h"
#include "agent/alerts/silence.h"
#include "config/result.h"

// PURE
// Alerts, silences and notifications in the form that leaves the house: the API's, the webhook's,
// the database's outbox.
namespace agent {

// As of `at`: when mail would flow again if somebody acted now.
[[nodiscard]] nlohmann::ordered_json to_json(const Alert& alert, config::Time at);
[[nodiscard]] nlohmann::ordered_json to_json(const Silence& silence, config::Time at);
[[nodiscard]] nlohmann::ordered_json to_json(const Exception& exception);

// In one line what it is about: the first of the hosts that it hits, and how many more.
[[nodiscard]] std::string title_of(const Alert& alert);
// The same before what is published was put right, for what happened then.
[[nodiscard]] std::string title_then(const Alert& alert);

// {"schema":"danelaw.notification/1","id":…,"event":"opened",…}: what a notifier delivers, but for
// the link to the page.
[[nodiscard]] nlohmann::ordered_json to_json(const Notification& notification);
// Where the page shows the alert; `page` is the page's own address.
[[nodiscard]] std::string link_to(const std::string& page, const std::string& alert_id);

// What an operator asks for: {"matchers":[{"name":…,"value":…,"is_regex":false,"is_equal":true}],
// "starts_at":…,"ends_at":…,"created_by":…,"comment":…,"expected_key":…}. Only matchers and ends_at
// must be there. Unknown members are errors; the id is left empty.
[[nodiscard]] config::Result<Silence, std::string> silence_from_json(std::string_view text,
                                                                     config::Time at);
// {"by":…,"comment":…,"until":…}, all optional; an empty text is {}.
[[nodiscard]] config::Result<Acknowledgement, std::string> acknowledgement_from_json(
    std::string_view text, config::Time at);

}  // namespace agent

#include "probes/reports/ari.h"

#include <algorithm>
#include <ctime>

#include <nlohmann/json.hpp>

#include "config/bounded_json.h"
#include "config/moment.h"
#include "config/name.h"
#include "probes/tls/crypto.h"
#include "probes/tls/issuance.h"

namespace probes::reports {
namespace {

using config::Failure;
using config::Result;
using config::Seconds;
using config::Time;
using Json = nlohmann::json;
using std::chrono::hours;
using std::chrono::minutes;

constexpr std::size_t kLongestUrl = 1000;
constexpr Seconds kShortestPause = minutes{1};
constexpr Seconds kLongestPause = hours{24};
constexpr Seconds kUsualPause = hours{6};
constexpr Seconds kFirstPause = minutes{10};
constexpr Seconds kDay = hours{24};
constexpr int kMostDepth = 8;  // of JSON; what is asked for lies two deep

// RFC 4648 §5, without padding.
std::string base64url(const tls::Bytes& octets) {
  auto text = tls::base64({reinterpret_cast<const char*>(octets.data()), octets.size()});
  text.erase(std::min(text.find('='), text.size()));
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

bool is_https_url(const std::string& text) {
  return text.starts_with("https://") && text.size() > 8 && text.size() <= kLongestUrl &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

Result<Json, std::string> object_in(std::string_view text) {
  if (text.size() > kMostAriReply) return Failure<std::string>("a reply over 64 KiB");
  auto json = config::parse_json(text, {.depth = kMostDepth, .values = 1000});
  if (!json || !json->is_object()) return Failure<std::string>("no JSON object");
  return json;
}

std::optional<Time> time_in(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return std::nullopt;
  return config::parse_moment(found->get<std::string>());
}

// "Sun, 06 Nov 1994 08:49:37 GMT": the one form that may be sent (RFC 9110 §5.6.7).
std::optional<Time> http_date(std::string_view text) {
  std::tm parts{};
  const std::string whole{text};
  const char* const end = strptime(whole.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return Time{Seconds{timegm(&parts)}};
}

}  // namespace

std::optional<std::string> ari_id(const tls::Certificate& certificate) {
  const auto issuance = tls::issuance_of(certificate);
  if (!issuance || !issuance->authority_key || issuance->authority_key->empty())
    return std::nullopt;
  return base64url(*issuance->authority_key) + "." + base64url(issuance->serial);
}

Result<std::string, std::string> renewal_info_url(std::string_view directory) {
  const auto json = object_in(directory);
  if (!json) return Failure<std::string>("the directory: " + json.error());
  const auto found = json->find("renewalInfo");
  if (found == json->end()) return Failure<std::string>("the CA offers no renewalInfo");
  if (!found->is_string() || !is_https_url(found->get<std::string>()) ||
      !config::list_address(found->get<std::string>()))
    return Failure<std::string>(
        "the directory: renewalInfo is no https URL without user and fragment");
  return found->get<std::string>();
}

Result<RenewalWindow, std::string> parse_renewal_info(std::string_view reply) {
  const auto json = object_in(reply);
  if (!json) return Failure<std::string>(json.error());
  const auto window = json->find("suggestedWindow");
  if (window == json->end() || !window->is_object())
    return Failure<std::string>("no suggestedWindow");
  const auto start = time_in(*window, "start");
  const auto end = time_in(*window, "end");
  if (!start || !end) return Failure<std::string>("a suggestedWindow without start and end");
  if (*end <= *start) return Failure<std::string>("a suggestedWindow that ends before it starts");
  RenewalWindow out{.start = *start, .end = *end};
  const auto page = json->find("explanationURL");
  if (page != json->end() && page->is_string() && is_https_url(page->get<std::string>()))
    out.explanation = page->get<std::string>();
  return out;
}

Seconds ari_pause(std::optional<std::string_view> retry_after, Time at) {
  if (!retry_after) return kUsualPause;
  const auto text = retry_after->substr(0, 40);
  Seconds asked{-1};
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) {
    asked = text.size() > 9 ? kLongestPause : Seconds{std::stol(std::string{text})};
  } else if (const auto until = http_date(text)) {
    asked = std::max(*until - at, Seconds{0});
  }
  if (asked < Seconds{0}) return kUsualPause;
  return std::clamp(asked, kShortestPause, kLongestPause);
}

Seconds ari_pause_after(int failures) {
  auto pause = kFirstPause;
  for (int i = 1; i < failures && pause < kLongestPause; ++i) pause *= 2;
  return std::min(pause, kLongestPause);
}

bool has_jumped(const RenewalWindow& before, const RenewalWindow& now, Time at) {
  return now.start <= before.start - kDay && now.start <= at + 7 * kDay;
}

}  // namespace probes::reports

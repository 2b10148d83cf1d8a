#include "web/forward.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "probes/explain.h"
#include "probes/net/curl_handle.h"
#include "probes/net/url.h"

namespace web {
namespace {

constexpr std::size_t kMostReply = std::size_t{64} << 20U;
constexpr std::chrono::milliseconds kConnect{5000};

constexpr std::array kSentOn{"authorization", "accept", "content-type", "if-none-match"};
constexpr std::array kHandedBack{"Allow",
                                 "Cache-Control",
                                 "Content-Disposition",
                                 "Content-Security-Policy",
                                 "Cross-Origin-Resource-Policy",
                                 "ETag",
                                 "Location",
                                 "Retry-After",
                                 "WWW-Authenticate"};

std::string target_of(const Request& request) {
  auto out = probes::net::percent_encoded(request.path, "/");
  char before = '?';
  for (const auto& [name, value] : request.query) {
    out += fmt::format("{}{}={}", before, probes::net::percent_encoded(name),
                       probes::net::percent_encoded(value));
    before = '&';
  }
  return out;
}

}  // namespace

Forwarded forward(const std::string& url, const Request& request, const std::string& self,
                  std::chrono::steady_clock::time_point deadline, const std::stop_token& stop) {
  probes::net::CurlHandle curl;
  Reply out;
  // To curl nothing is for ever.
  const auto left = std::max(
      std::chrono::milliseconds{1},
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()));
  const auto whole = url + target_of(request);
  curl.set(CURLOPT_URL, whole.c_str());
  curl.set(CURLOPT_PROTOCOLS_STR, "http,https");
  curl.set(CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
  curl.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(kConnect.count()));
  if (request.method == "HEAD") {
    curl.set(CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET") {
    curl.set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl.set(CURLOPT_POSTFIELDS, request.body.data());
    curl.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    if (request.header("content-type").empty()) curl.add(CURLOPT_HTTPHEADER, "Content-Type:");
  }
  for (const auto* name : kSentOn) {
    if (const auto value = request.header(name); !value.empty())
      curl.add(CURLOPT_HTTPHEADER, fmt::format("{}: {}", name, value));
  }
  curl.add(CURLOPT_HTTPHEADER, fmt::format("{}: {}", kAskedBy, self));
  curl.add(CURLOPT_HTTPHEADER, "Expect:");
  curl.take_reply(out.body, kMostReply);
  if (const auto done = curl.perform(stop); !done) {
    using enum Forwarded::End;
    auto reply = problem(503, "the agent that leads is not reached",
                         fmt::format("{}: {}", url, probes::printable(done.error().detail)));
    reply.headers.emplace("Retry-After", "5");
    const auto end = done.error().code == CURLE_ABORTED_BY_CALLBACK ? given_up
                     : done.error().was_sent                        ? whole
                                                                    : unread;
    return {.end = end, .reply = std::move(reply)};
  }
  out.status = curl.status();
  const auto* type = curl.field("Content-Type");
  out.content_type = type == nullptr ? "" : type;
  for (const auto* name : kHandedBack) {
    if (const auto* value = curl.field(name)) out.headers[name] = value;
  }
  out.handler = "leader";
  return {.reply = std::move(out)};
}

}  // namespace web

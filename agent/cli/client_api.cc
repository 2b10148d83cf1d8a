#include "agent/cli/client_api.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "config/bounded_json.h"
#include "config/name.h"
#include "config/secret.h"
#include "probes/explain.h"
#include "probes/net/curl_handle.h"
#include "probes/net/url.h"

namespace agent {
namespace {

using config::Failure;
using config::Result;
using probes::net::percent_encoded;

constexpr std::size_t kMostReply = std::size_t{32} << 20U;  // 500 domains with all that is found
constexpr std::size_t kMostItems = 1'000'000, kMostPages = 10'000;
constexpr int kMostDepth = 64;  // ours are ten deep; dump() calls itself for each
constexpr std::size_t kMostValues = 2'000'000;
constexpr long kPatience = 30;  // seconds

std::string target_of(const std::string& path, const AgentApi::Query& query) {
  std::string out = path;
  for (const auto& [name, value] : query)
    out +=
        fmt::format("{}{}={}", out.size() == path.size() ? '?' : '&', name, percent_encoded(value));
  return out;
}

// Discarded when it is not JSON, or deeper than anything of ours.
Json parsed(const std::string& body) {
  auto out = config::parse_json<Json>(body, {.depth = kMostDepth, .values = kMostValues});
  return out ? *std::move(out) : Json(Json::value_t::discarded);
}

std::string word_in(const Json& from, const char* name) {
  const auto found = from.is_object() ? from.find(name) : from.end();
  return found != from.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// RFC 3986 §3.2.1.
bool has_user_information(std::string_view url) {
  const auto scheme = url.find("://");
  const auto begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  return url.substr(0, url.find_first_of("/?#", begin)).find('@') != std::string_view::npos;
}

// What a reply that is no success says (RFC 9457), and what to do about it.
ApiFault fault_of(int status, const std::string& body) {
  const auto said = parsed(body);
  const auto title = word_in(said, "title"), detail = word_in(said, "detail");
  auto words = fmt::format("{}{}{}", title, title.empty() || detail.empty() ? "" : ": ", detail);
  if (words.empty())
    words = fmt::format("it answers with status {}, and not as danelaw does", status);
  ApiFault out{.is_refusal = status >= 400 && status < 500, .detail = probes::printable(words)};
  if (status == 401) out.detail += "; give --token-file or $DANELAW_TOKEN_FILE";
  // Who may not ask learns nothing: that is no answer to what was asked.
  if (status == 401) out.is_refusal = false;
  return out;
}

}  // namespace

AgentAddress address_of_environment() {
  AgentAddress out;
  const auto if_set = [](const char* name, auto& to) {
    const char* const value = std::getenv(name);
    if (value != nullptr && *value != '\0') to = value;
  };
  if_set("DANELAW_URL", out.url);
  if_set("DANELAW_TOKEN_FILE", out.token_file);
  if_set("DANELAW_CA_FILE", out.ca_file);
  return out;
}

void add_address(CLI::App& command, AgentAddress& address) {
  // CLI11 would take the variables for any subcommand that was not named, after the flags.
  command.add_option("--url", address.url,
                     "the agent; default: $DANELAW_URL, or http://127.0.0.1:9672");
  command.add_option("--token-file", address.token_file,
                     "file with the token of a login; default: $DANELAW_TOKEN_FILE");
  command.add_option(
      "--ca-file", address.ca_file,
      "CA certificates for https, in PEM; default: $DANELAW_CA_FILE, or the machine's");
}

std::string path_of(std::string_view pattern, std::string_view name) {
  const auto place = pattern.find("{}");
  return fmt::format("{}{}{}", pattern.substr(0, place), percent_encoded(name),
                     pattern.substr(place + 2));
}

Result<AgentApi, std::string> AgentApi::make(const AgentAddress& address) {
  AgentApi out;
  if (has_user_information(address.url)) {
    return Failure<std::string>(
        "--url: it may contain no user or password, for it is printed; use --token-file");
  }
  auto url = config::web_address(address.url);
  if (!url) {
    return Failure<std::string>(
        fmt::format("--url {}: {}", probes::printable(address.url), url.error()));
  }
  out.url_ = *std::move(url);
  out.ca_file_ = address.ca_file;
  if (address.token_file.empty()) return out;
  auto token = config::read_secret(address.token_file);
  if (!token) return Failure<std::string>(fmt::format("--token-file {}", token.error()));
  const auto is_plain = [](char c) { return c > ' ' && c < 0x7f; };
  if (!std::ranges::all_of(*token, is_plain)) {
    return Failure<std::string>(
        fmt::format("--token-file {}: not one word in ASCII", address.token_file.string()));
  }
  out.token_ = *std::move(token);
  return out;
}

AgentApi::OrFault<AgentApi::Reply> AgentApi::exchange(const std::string& method,
                                                      const std::string& target,
                                                      const std::optional<Json>& body) const {
  probes::net::CurlHandle curl;
  Reply reply;
  const auto whole = url_ + target;
  const auto sent = body ? body->dump(-1, ' ', true, Json::error_handler_t::replace) : "";
  curl.set(CURLOPT_URL, whole.c_str());
  curl.set(CURLOPT_PROTOCOLS_STR, "http,https");
  curl.set(CURLOPT_TIMEOUT, kPatience);
  curl.set(CURLOPT_CONNECTTIMEOUT, 10L);
  if (method == "GET") {
    curl.set(CURLOPT_HTTPGET, 1L);
  } else {
    curl.set(CURLOPT_CUSTOMREQUEST, method.c_str());
    curl.set(CURLOPT_POSTFIELDS, sent.c_str());
    curl.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(sent.size()));
    curl.add(CURLOPT_HTTPHEADER, "Content-Type: application/json");
  }
  if (!ca_file_.empty()) curl.set(CURLOPT_CAINFO, ca_file_.c_str());
  curl.add(CURLOPT_HTTPHEADER, "Expect:");
  if (!token_.empty()) curl.add(CURLOPT_HTTPHEADER, "Authorization: Bearer " + token_);
  curl.take_reply(reply.body, kMostReply);
  if (const auto done = curl.perform(); !done) {
    const bool is_long = done.error().code == CURLE_WRITE_ERROR;
    return Failure<ApiFault>(
        {.detail =
             fmt::format("{}: {}", url_,
                         is_long ? "the reply is longer than an agent's"
                                 : probes::printable(done.error().detail) +
                                       "; is the agent running there? (--url, $DANELAW_URL)")});
  }
  reply.status = curl.status();
  return reply;
}

AgentApi::OrFault<Json> AgentApi::send(const std::string& method, const std::string& path,
                                       const Query& query, const std::optional<Json>& body) const {
  const auto reply = exchange(method, target_of(path, query), body);
  if (!reply) return Failure<ApiFault>(reply.error());
  if (reply->status < 200 || reply->status > 299) {
    auto fault = fault_of(reply->status, reply->body);
    fault.detail = fmt::format("{}: {}", url_, fault.detail);
    return Failure<ApiFault>(std::move(fault));
  }
  if (reply->body.empty()) return Json(nullptr);
  auto out = parsed(reply->body);
  if (!out.is_object()) {
    return Failure<ApiFault>(
        {.detail = fmt::format("{}: it does not answer as danelaw does; is another server there?",
                               url_)});
  }
  return out;
}

AgentApi::OrFault<Json> AgentApi::get(const std::string& path, const Query& query) const {
  return send("GET", path, query, std::nullopt);
}

AgentApi::OrFault<std::vector<Json>> AgentApi::list(const std::string& path, Query query) const {
  std::vector<Json> out;
  std::set<std::string> seen;  // a cursor that comes again would never end
  while (true) {
    auto page = get(path, query);
    if (!page) return Failure<ApiFault>(page.error());
    const auto items = page->find("items");
    if (items == page->end() || !items->is_array()) {
      return Failure<ApiFault>(
          {.detail = fmt::format("{}: the reply holds no list; is another server there?", url_)});
    }
    for (auto& item : *items) out.push_back(std::move(item));
    const auto next = word_in(*page, "next");
    if (next.empty()) return out;
    if (out.size() > kMostItems || seen.size() > kMostPages || !seen.insert(next).second) {
      return Failure<ApiFault>(
          {.detail = fmt::format("{}: the list at {} does not end", url_, path)});
    }
    query["cursor"] = next;
  }
}

}  // namespace agent

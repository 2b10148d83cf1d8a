#include "probes/net/https_get.h"

#include <chrono>

#include "probes/net/curl_handle.h"

namespace probes::net {
namespace {

constexpr std::size_t kMostHead = 16 * 1024;

// What comes, no more of it than we take; libcurl's callbacks, which run in C.
struct Taken {
  const std::size_t most;
  std::string body;
  std::size_t head = 0;
  bool is_too_large = false;

  static std::size_t take_head(char* /*data*/, std::size_t size, std::size_t count, void* into) {
    auto& taken = *static_cast<Taken*>(into);
    taken.head += size * count;
    taken.is_too_large = taken.head > kMostHead;
    return taken.is_too_large ? 0 : size * count;
  }
  static std::size_t take_body(char* data, std::size_t size, std::size_t count, void* into) {
    auto& taken = *static_cast<Taken*>(into);
    taken.is_too_large = size * count > taken.most - taken.body.size();
    if (taken.is_too_large) return 0;
    taken.body.append(data, size * count);
    return size * count;
  }
};

}  // namespace

HttpsAnswer https_get(const HttpsQuestion& question, const std::stop_token& stop) {
  CurlHandle curl;
  Taken taken{.most = question.most, .body = {}};
  curl.set(CURLOPT_URL, question.url.c_str());
  curl.set(CURLOPT_PROTOCOLS_STR, question.may_be_http ? "http,https" : "https");
  curl.set(CURLOPT_HTTPGET, 1L);
  curl.set(CURLOPT_TIMEOUT_MS,
           static_cast<long>(std::chrono::milliseconds(question.patience).count()));
  if (!question.ca_file.empty()) {
    curl.set(CURLOPT_CAINFO, question.ca_file.c_str());
    curl.set(CURLOPT_CAPATH, nullptr);
  }
  for (const auto& line : question.headers) curl.add(CURLOPT_HTTPHEADER, line);
  curl.set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl.set(CURLOPT_HEADERFUNCTION, Taken::take_head);
  curl.set(CURLOPT_HEADERDATA, &taken);
  curl.set(CURLOPT_WRITEFUNCTION, Taken::take_body);
  curl.set(CURLOPT_WRITEDATA, &taken);
  const auto done = curl.perform(stop);
  if (!done) {
    return config::Failure<std::string>(taken.is_too_large ? "a reply that is too large"
                                                           : done.error().detail);
  }
  HttpsReply reply{.status = curl.status(), .body = std::move(taken.body)};
  if (const char* const field = curl.field("Retry-After")) reply.retry_after = field;
  return reply;
}

}  // namespace probes::net

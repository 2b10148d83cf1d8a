#include "agent/notify/notifiers/wire.h"

#include "probes/explain.h"
#include "probes/net/curl_handle.h"

namespace agent::wire {
namespace {

using config::Failure;
using config::Result;
using probes::net::CurlHandle;

// What is common to both.
void bound(CurlHandle& curl) {
  curl.set(CURLOPT_TIMEOUT, static_cast<long>(kPatience.count()));
  curl.set(CURLOPT_CONNECTTIMEOUT, 10L);
}

}  // namespace

Result<HttpReply, std::string> exchange(const HttpRequest& request, const std::stop_token& stop) {
  CurlHandle curl;
  bound(curl);
  HttpReply reply;
  curl.set(CURLOPT_URL, request.url.c_str());
  curl.set(CURLOPT_PROTOCOLS_STR, "http,https");
  curl.set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method == "GET") {
    curl.set(CURLOPT_HTTPGET, 1L);
  } else {
    curl.set(CURLOPT_POSTFIELDS, request.body.c_str());
    curl.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  curl.add(CURLOPT_HTTPHEADER, "Expect:");
  for (const auto& line : request.headers) curl.add(CURLOPT_HTTPHEADER, line);
  curl.take_reply(reply.body, kMostReply);
  if (const auto done = curl.perform(stop); !done)
    return Failure<std::string>(probes::printable(done.error().detail));
  reply.status = curl.status();
  return reply;
}

Result<void, std::string> submit(const Envelope& head, const Message& message,
                                 const std::stop_token& stop) {
  CurlHandle curl;
  bound(curl);
  std::string replies;
  curl.set(CURLOPT_URL, head.server.c_str());
  curl.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl.set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  if (!head.ca_file.empty()) curl.set(CURLOPT_CAINFO, head.ca_file.c_str());
  if (!head.user.empty()) {
    curl.set(CURLOPT_USERNAME, head.user.c_str());
    curl.set(CURLOPT_PASSWORD, head.password.c_str());
  }
  const auto from = "<" + head.from + ">";
  curl.set(CURLOPT_MAIL_FROM, from.c_str());
  for (const auto& to : head.to) curl.add(CURLOPT_MAIL_RCPT, "<" + to + ">");
  for (const auto& line : message.headers) curl.add(CURLOPT_HTTPHEADER, line);
  curl.set_text(message.text);
  curl.take_reply(replies, kMostReply);
  if (const auto done = curl.perform(stop); !done)
    return Failure<std::string>(probes::printable(done.error().detail));
  return {};
}

}  // namespace agent::wire

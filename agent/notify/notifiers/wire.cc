#include "agent/notify/notifiers/wire.h"

#include <array>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include <curl/curl.h>
#include <fmt/format.h>

#include "probes/explain.h"

namespace agent::wire {
namespace {

using config::Failure;
using config::Result;

class Handle {
 public:
  Handle() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    curl_.reset(curl_easy_init());
    set(CURLOPT_NOSIGNAL, 1L);  // threads
    set(CURLOPT_TIMEOUT, static_cast<long>(kPatience.count()));
    set(CURLOPT_CONNECTTIMEOUT, 10L);
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_ERRORBUFFER, fault_.data());
    set(CURLOPT_NOPROXY, "*");    // the environment is not our configuration
    set(CURLOPT_QUICK_EXIT, 1L);  // a name server that does not answer holds nobody
    multi_.reset(curl_multi_init());
    curl_multi_add_handle(multi_.get(), curl_.get());
  }
  ~Handle() {
    curl_multi_remove_handle(multi_.get(), curl_.get());
    for (auto& [option, list] : lists_) curl_slist_free_all(list);
    curl_mime_free(mime_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  template <class Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(curl_.get(), option, value);
  }
  // Appends to the list that `option` takes.
  void add(CURLoption option, const std::string& line) {
    auto& list = lists_[option];
    list = curl_slist_append(list, line.c_str());
    set(option, list);
  }
  // The body of a mail: one part, in base64.
  void set_text(const std::string& text) {
    mime_ = curl_mime_init(curl_.get());
    auto* const part = curl_mime_addpart(mime_);
    curl_mime_data(part, text.data(), text.size());
    curl_mime_type(part, "text/plain; charset=utf-8");
    curl_mime_encoder(part, "base64");
    set(CURLOPT_MIMEPOST, mime_);
  }
  Result<void, std::string> perform(const std::stop_token& stop) {
    const std::stop_callback wake(stop, [&] { curl_multi_wakeup(multi_.get()); });
    const auto code = run(stop);
    if (!code) return Failure<std::string>("given up: told to stop");
    if (*code == CURLE_OK) return {};
    const std::string why = fault_.front() == '\0' ? curl_easy_strerror(*code) : fault_.data();
    return Failure<std::string>(probes::printable(why));
  }
  int status() {
    long code = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &code);
    return static_cast<int>(code);
  }

 private:
  struct Free {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  };
  struct FreeMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  // To the end of the exchange; nothing when told to stop before.
  std::optional<CURLcode> run(const std::stop_token& stop) {
    constexpr int kPoll = 1000;  // milliseconds
    int running = 1;
    while (true) {
      if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) return CURLE_FAILED_INIT;
      if (running == 0) break;
      if (stop.stop_requested()) return std::nullopt;
      curl_multi_poll(multi_.get(), nullptr, 0, kPoll, nullptr);
    }
    int left = 0;
    const auto* message = curl_multi_info_read(multi_.get(), &left);
    return message == nullptr ? CURLE_FAILED_INIT : message->data.result;
  }

  std::unique_ptr<CURLM, FreeMulti> multi_;
  std::unique_ptr<CURL, Free> curl_;
  std::map<CURLoption, curl_slist*> lists_;
  curl_mime* mime_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> fault_{};
};

// Keeps the begin of a reply; more than a little is no reply to a notice.
std::size_t keep(char* data, std::size_t size, std::size_t count, void* into) {
  auto& out = *static_cast<std::string*>(into);
  if (out.size() + size * count > kMostReply) return 0;
  out.append(data, size * count);
  return size * count;
}

}  // namespace

Result<HttpReply, std::string> exchange(const HttpRequest& request, const std::stop_token& stop) {
  Handle curl;
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
  curl.set(CURLOPT_USERAGENT, "danelaw");
  curl.set(CURLOPT_WRITEFUNCTION, keep);
  curl.set(CURLOPT_WRITEDATA, &reply.body);
  if (const auto done = curl.perform(stop); !done) return Failure<std::string>(done.error());
  reply.status = curl.status();
  return reply;
}

Result<void, std::string> submit(const Letterhead& head, const Message& message,
                                 const std::stop_token& stop) {
  Handle curl;
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
  curl.set(CURLOPT_WRITEFUNCTION, keep);
  curl.set(CURLOPT_WRITEDATA, &replies);
  return curl.perform(stop);
}

Result<std::string, std::string> read_secret(const std::filesystem::path& file) {
  constexpr std::size_t kMost = 64 * 1024;
  std::ifstream in(file, std::ios::binary);
  std::string out(kMost + 1, '\0');
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  if (in.bad() || !in.eof())
    return Failure<std::string>(fmt::format("{}: cannot be read, or is too long", file.string()));
  out.resize(static_cast<std::size_t>(in.gcount()));
  while (out.ends_with('\n') || out.ends_with('\r')) out.pop_back();
  if (out.empty()) return Failure<std::string>(fmt::format("{}: it is empty", file.string()));
  return out;
}

}  // namespace agent::wire

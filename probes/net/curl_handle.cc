#include "probes/net/curl_handle.h"

#include <mutex>

namespace probes::net {

using config::Failure;
using config::Result;

CurlHandle::CurlHandle() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  curl_.reset(curl_easy_init());
  set(CURLOPT_NOSIGNAL, 1L);  // threads
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_ERRORBUFFER, fault_.data());
  set(CURLOPT_NOPROXY, "*");    // the environment is not our configuration
  set(CURLOPT_QUICK_EXIT, 1L);  // a name server that does not answer holds nobody
  set(CURLOPT_USERAGENT, "danelaw");
  multi_.reset(curl_multi_init());
  curl_multi_add_handle(multi_.get(), curl_.get());
}

CurlHandle::~CurlHandle() {
  curl_multi_remove_handle(multi_.get(), curl_.get());
  for (auto& [option, list] : lists_) curl_slist_free_all(list);
  curl_mime_free(mime_);
}

void CurlHandle::add(CURLoption option, const std::string& line) {
  auto& list = lists_[option];
  list = curl_slist_append(list, line.c_str());
  set(option, list);
}

void CurlHandle::set_text(const std::string& text) {
  mime_ = curl_mime_init(curl_.get());
  auto* const part = curl_mime_addpart(mime_);
  curl_mime_data(part, text.data(), text.size());
  curl_mime_type(part, "text/plain; charset=utf-8");
  curl_mime_encoder(part, "base64");
  set(CURLOPT_MIMEPOST, mime_);
}

void CurlHandle::take_reply(std::string& into, std::size_t most) {
  reply_ = &into;
  most_of_reply_ = most;
  set(CURLOPT_WRITEFUNCTION, keep);
  set(CURLOPT_WRITEDATA, this);
}

std::size_t CurlHandle::keep(char* data, std::size_t size, std::size_t count, void* handle) {
  auto& self = *static_cast<CurlHandle*>(handle);
  if (self.reply_->size() + size * count > self.most_of_reply_) return 0;
  self.reply_->append(data, size * count);
  return size * count;
}

Result<void, CurlFault> CurlHandle::perform(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [&] { curl_multi_wakeup(multi_.get()); });
  const auto code = run(stop);
  if (code == CURLE_OK) return {};
  long sent = 0;  // octets
  curl_easy_getinfo(curl_.get(), CURLINFO_REQUEST_SIZE, &sent);
  CurlFault fault{.code = code, .was_sent = sent > 0};
  if (code == CURLE_ABORTED_BY_CALLBACK) {
    fault.detail = "given up: told to stop";
  } else {
    fault.detail = fault_.front() == '\0' ? curl_easy_strerror(code) : fault_.data();
  }
  return Failure<CurlFault>(std::move(fault));
}

CURLcode CurlHandle::run(const std::stop_token& stop) {
  constexpr int kPoll = 1000;  // milliseconds; sooner when octets or a timeout of curl's are due
  int running = 1;
  while (true) {
    if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) return CURLE_FAILED_INIT;
    if (running == 0) break;
    if (stop.stop_requested()) return CURLE_ABORTED_BY_CALLBACK;
    curl_multi_poll(multi_.get(), nullptr, 0, kPoll, nullptr);
  }
  int left = 0;
  const auto* message = curl_multi_info_read(multi_.get(), &left);
  return message == nullptr ? CURLE_FAILED_INIT : message->data.result;
}

int CurlHandle::status() const {
  long code = 0;
  curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &code);
  return static_cast<int>(code);
}

const char* CurlHandle::field(const char* name) const {
  curl_header* first = nullptr;
  if (curl_easy_header(curl_.get(), name, 0, CURLH_HEADER, -1, &first) != CURLHE_OK) return nullptr;
  curl_header* last = nullptr;
  const auto found =
      curl_easy_header(curl_.get(), name, first->amount - 1, CURLH_HEADER, -1, &last);
  return found == CURLHE_OK ? last->value : nullptr;
}

}  // namespace probes::net

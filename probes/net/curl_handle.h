#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

#include <curl/curl.h>

#include "config/result.h"

namespace probes::net {

// Why an exchange did not come to its end.
struct CurlFault {
  CURLcode code = CURLE_OK;  // CURLE_ABORTED_BY_CALLBACK when told to stop
  std::string detail;        // in words; may quote the outside world, escape where shown
  bool was_sent = false;     // part of the request, at least
};

// One exchange by libcurl, whose only mention this is: no signals, no redirects, no proxy from the
// environment. What is asked, how long it may take and how much may come is set by the owner. For
// one thread and one exchange.
class CurlHandle {
 public:
  CurlHandle();
  ~CurlHandle();
  CurlHandle(const CurlHandle&) = delete;
  CurlHandle& operator=(const CurlHandle&) = delete;

  template <class Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(curl_.get(), option, value);
  }
  // Appends to the list that `option` takes.
  void add(CURLoption option, const std::string& line);
  // The body of a mail: one part, in base64.
  void set_text(const std::string& text);
  // Puts the body of the reply there, which lives as long as the handle; a longer one than `most`
  // octets ends the exchange with CURLE_WRITE_ERROR.
  void take_reply(std::string& into, std::size_t most);
  // To the end of the exchange; when told to stop, it ends at once.
  [[nodiscard]] config::Result<void, CurlFault> perform(const std::stop_token& stop = {});

  // Of the reply, so far as it came: also within callbacks.
  [[nodiscard]] int status() const;
  // The last field of that name in the final reply; null when there is none. Of outside, escape
  // where shown. Valid until the handle is gone.
  [[nodiscard]] const char* field(const char* name) const;

 private:
  struct Free {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  };
  struct FreeMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };
  CURLcode run(const std::stop_token& stop);
  static std::size_t keep(char* data, std::size_t size, std::size_t count, void* handle);

  std::unique_ptr<CURLM, FreeMulti> multi_;
  std::unique_ptr<CURL, Free> curl_;
  std::map<CURLoption, curl_slist*> lists_;
  curl_mime* mime_ = nullptr;
  std::string* reply_ = nullptr;
  std::size_t most_of_reply_ = 0;
  std::array<char, CURL_ERROR_SIZE> fault_{};
};

}  // namespace probes::net

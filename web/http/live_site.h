#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "config/config.h"
#include "config/mutex.h"
#include "config/result.h"
#include "web/http/site.h"
#include "web/http/tls.h"

namespace web {

// The way in as it is now: TLS, who may come, under which names. What stands in files (the web
// configuration file, certificates, tokens) is read again when one of them changes, so that a
// renewed certificate or a withdrawn password holds without a reload. Files that cannot be read
// leave all as it was, and a line in the log. Any thread.
class LiveSite {
 public:
  struct Way {
    config::Web settings;
    std::shared_ptr<const TlsServer> tls;  // null: plain HTTP
    std::shared_ptr<const Auth> auth;
    Site site;
  };

  using Make = std::function<Site(Guard guard)>;
  explicit LiveSite(Make make_site) : make_site_(std::move(make_site)) {}

  // At start and at every reload; the address that is listened on stays that of the first time. On
  // failure the old way stays.
  [[nodiscard]] config::Result<void, std::string> configure(config::Web settings);
  // The same, and from now on it leads to another site.
  [[nodiscard]] config::Result<void, std::string> lead_to(Make make_site, config::Web settings);
  // Looks whether files have changed, at most once in kEvery. Not before configure().
  [[nodiscard]] std::shared_ptr<const Way> now();

  static constexpr std::chrono::milliseconds kEvery{500};

 private:
  [[nodiscard]] config::Result<void, std::string> adopt(const Make& make_site, config::Web settings)
      REQUIRES(mutex_);
  [[nodiscard]] config::Result<std::shared_ptr<const Way>, std::string> make(
      const Make& make_site, config::Web settings) const REQUIRES(mutex_);
  void look_again() REQUIRES(mutex_);

  config::Mutex mutex_;
  Make make_site_ GUARDED_BY(mutex_);
  std::shared_ptr<const Way> way_ GUARDED_BY(mutex_);
  std::string stamp_ GUARDED_BY(mutex_);  // of the files as they were last read
  std::chrono::steady_clock::time_point looked_at_ GUARDED_BY(mutex_);
};

}  // namespace web

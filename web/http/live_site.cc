#include "web/http/live_site.h"

#include <algorithm>

#include <fmt/format.h>
#include <sys/stat.h>

#include "agent/log.h"
#include "config/web_file.h"

namespace web {
namespace {

using config::Failure;
using config::Result;

std::string in_host_form(const std::string& address) {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

// The names by which this server may be called.
Guard guard_of(const config::Web& settings) {
  Guard guard{
      .hosts = {"localhost", "127.0.0.1", "[::1]", in_host_form(settings.listen_address)},
      .takes_any_address = settings.listen_address == "0.0.0.0" || settings.listen_address == "::",
      .page = settings.external_url,
      .badges = {settings.public_badges.begin(), settings.public_badges.end()},
      .public_title = settings.public_title,
      .public_text = settings.public_text,
      .headers = settings.file.headers};
  std::ranges::copy(settings.hosts, std::back_inserter(guard.hosts));
  const auto scheme = settings.external_url.find("://");
  if (scheme != std::string::npos) {
    auto host = lower_case(settings.external_url.substr(scheme + 3));
    host = host.substr(0, host.find('/'));
    guard.hosts.push_back(host.starts_with('[') ? host.substr(0, host.find(']') + 1)
                                                : host.substr(0, host.find(':')));
  }
  return guard;
}

// What changes when one of the files does.
std::string stamp_of(const config::Web& settings) {
  std::string out;
  const auto add = [&](const std::filesystem::path& file) {
    struct stat found {};
    if (file.empty() || stat(file.c_str(), &found) != 0) {
      out += "- ";
      return;
    }
    out += fmt::format("{}.{}.{}.{} ", found.st_ino, found.st_size, found.st_mtim.tv_sec,
                       found.st_mtim.tv_nsec);
  };
  add(settings.config_file);
  if (const auto& tls = settings.file.tls) {
    add(tls->cert_file);
    add(tls->key_file);
    add(tls->client_ca_file);
  }
  for (const auto& token : settings.tokens) add(token.file);
  return out;
}

}  // namespace

Result<void, std::string> LiveSite::configure(config::Web settings) {
  const config::Lock lock(mutex_);
  return adopt(make_site_, std::move(settings));
}

Result<void, std::string> LiveSite::lead_to(Make make_site, config::Web settings) {
  const config::Lock lock(mutex_);
  auto done = adopt(make_site, std::move(settings));
  if (done) make_site_ = std::move(make_site);
  return done;
}

Result<void, std::string> LiveSite::adopt(const Make& make_site, config::Web settings) {
  if (way_) settings.listen_address = way_->settings.listen_address;
  auto stamp = stamp_of(settings);
  auto made = make(make_site, std::move(settings));
  if (!made) return Failure<std::string>(made.error());
  way_ = *std::move(made);
  stamp_ = std::move(stamp);
  looked_at_ = std::chrono::steady_clock::now();
  return {};
}

Result<std::shared_ptr<const LiveSite::Way>, std::string> LiveSite::make(
    const Make& make_site, config::Web settings) const {
  if (config::is_open_to_all(settings)) {
    return Failure<std::string>(
        fmt::format("web.listen_address: {} is reached from other machines, and nobody would have "
                    "to log in",
                    settings.listen_address));
  }
  auto auth = Auth::make(settings, way_ ? way_->auth.get() : nullptr);
  if (!auth) return Failure<std::string>(auth.error());
  std::shared_ptr<const TlsServer> tls;
  if (settings.file.tls) {
    auto made = TlsServer::make(*settings.file.tls);
    if (!made) return Failure<std::string>(made.error());
    tls = *std::move(made);
  }
  auto guard = guard_of(settings);
  guard.auth = *auth;
  return std::make_shared<const Way>(Way{.settings = std::move(settings),
                                         .tls = std::move(tls),
                                         .auth = *auth,
                                         .site = make_site(std::move(guard))});
}

std::shared_ptr<const LiveSite::Way> LiveSite::now() {
  const config::Lock lock(mutex_);
  const auto time = std::chrono::steady_clock::now();
  if (time - looked_at_ >= kEvery) {
    looked_at_ = time;
    look_again();
  }
  return way_;
}

void LiveSite::look_again() {
  auto stamp = stamp_of(way_->settings);
  if (stamp == stamp_) return;
  stamp_ = std::move(stamp);  // what is wrong is said once
  auto settings = way_->settings;
  if (!settings.config_file.empty()) {
    auto file = config::load_web_file(settings.config_file);
    if (!file) {
      for (const auto& error : file.error())
        agent::log::error("web-config-failed", {{"error", config::to_string(error)}});
      return;
    }
    settings.file = *std::move(file);
  }
  auto made = make(make_site_, std::move(settings));
  if (!made) return agent::log::error("web-config-failed", {{"error", made.error()}});
  way_ = *std::move(made);
  stamp_ = stamp_of(way_->settings);
  agent::log::info("web-config-read", {});
}

}  // namespace web

#include <cctype>
#include <map>

#include <fmt/format.h>

#include "agent/alerts/alert_json.h"
#include "agent/notify/notifiers/digest.h"
#include "agent/notify/notifiers/heartbeat.h"
#include "agent/notify/notifiers/notifier.h"
#include "agent/notify/notifiers/render.h"
#include "agent/notify/notifiers/template.h"
#include "agent/notify/notifiers/test_notification.h"
#include "agent/notify/notifiers/wire.h"
#include "config/secret.h"
#include "config/system.h"
#include "probes/explain.h"
#include "probes/tls/crypto.h"

namespace agent {
namespace {

using config::Failure;
using config::Result;
using config::Seconds;
using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The reply's words when it says no.
Delivered accepted(const Result<wire::HttpReply, std::string>& reply) {
  if (!reply) return Failure<std::string>(reply.error());
  if (reply->status >= 200 && reply->status < 300) return {};
  return Failure<std::string>(
      fmt::format("answered {}: {}", reply->status, probes::printable(reply->body, 200)));
}

// Secrets as they stand in their files now; a file that is not named is no secret.
Result<std::string, std::string> secret_in(const std::filesystem::path& file) {
  return file.empty() ? std::string() : config::read_secret(file);
}

std::vector<std::string> json_headers(const std::string& token,
                                      const std::string& scheme = "Bearer") {
  std::vector<std::string> out{"Content-Type: application/json"};
  if (!token.empty()) out.push_back(fmt::format("Authorization: {} {}", scheme, token));
  return out;
}

// The address with {id} and {alert_id} filled in, percent-encoded.
std::string filled_address(std::string address, const QueuedNotification& post,
                           const Json& notification) {
  const auto encoded = [](std::string_view text) {
    std::string out;
    for (const char c : text) {
      const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' ||
                            c == '.' || c == '_' || c == '~';
      out += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
  };
  const std::map<std::string, std::string> values{
      {"{id}", post.id}, {"{alert_id}", notification.at("alert").at("id").get<std::string>()}};
  for (const auto& [field, value] : values) {
    for (auto at = address.find(field); at != address.npos; at = address.find(field))
      address.replace(at, field.size(), encoded(value));
  }
  return address;
}

class WebhookMessenger final : public EventNotifier {
 public:
  struct Secrets {
    std::string key, token, text;
  };
  WebhookMessenger(config::Webhook settings, Secrets secrets, std::string page)
      : settings_(std::move(settings)), secrets_(std::move(secrets)), page_(std::move(page)) {}

  std::string name() const override { return settings_.name; }

  Delivered deliver(const QueuedNotification& post, const std::stop_token& stop) override {
    auto notification = Json::parse(post.body);
    std::string body;
    if (secrets_.text.empty()) {
      notification["url"] = link_to(page_, notification.at("alert").at("id").get<std::string>());
      body = dump(notification);
    } else {
      auto filled = fill(secrets_.text, template_values(notification, page_, settings_.values));
      if (!filled) return Failure<std::string>("template: " + filled.error());
      body = std::move(*filled);
    }
    auto headers = json_headers(secrets_.token, settings_.token_scheme);
    headers.push_back("X-Danelaw-Delivery: " + post.id);
    if (!secrets_.key.empty())
      headers.push_back("X-Danelaw-Signature: sha256=" +
                        probes::tls::hmac_sha256(secrets_.key, body));
    const bool is_over =
        !settings_.resolved_url.empty() && notification.value("event", "") == "resolved";
    const auto& address = is_over ? settings_.resolved_url : settings_.url;
    return accepted(
        wire::exchange({.method = settings_.method == config::HookMethod::put ? "PUT" : "POST",
                        .url = filled_address(address, post, notification),
                        .headers = headers,
                        .body = body},
                       stop));
  }

 private:
  config::Webhook settings_;
  Secrets secrets_;
  std::string page_;
};

wire::Envelope envelope_of(const config::Mail& settings, std::string password) {
  return {.server = settings.server,
          .from = settings.from,
          .to = settings.to,
          .user = settings.user,
          .password = std::move(password),
          .ca_file = settings.ca_file};
}

class MailMessenger final : public EventNotifier {
 public:
  MailMessenger(const config::Mail& settings, std::string password, std::string page)
      : name_(settings.name),
        head_(envelope_of(settings, std::move(password))),
        page_(std::move(page)) {}

  std::string name() const override { return name_; }

  Delivered deliver(const QueuedNotification& post, const std::stop_token& stop) override {
    return wire::submit(
        head_, mail_of({.from = head_.from, .to = head_.to}, Json::parse(post.body), page_), stop);
  }

 private:
  std::string name_;
  wire::Envelope head_;
  std::string page_;
};

class AlertmanagerHerald final : public StateNotifier {
 public:
  AlertmanagerHerald(std::string name, config::Alertmanager settings, std::string token,
                     std::map<std::string, std::string> labels, std::string page)
      : name_(std::move(name)),
        settings_(std::move(settings)),
        token_(std::move(token)),
        labels_(std::move(labels)),
        page_(std::move(page)) {}

  std::string name() const override { return name_; }
  // As Prometheus does; an alert that is not told again ends there after four times that.
  Seconds every() const override { return Seconds{60}; }

  Delivered tell(const Snapshot& snapshot, const std::stop_token& stop) override {
    const auto alerts =
        alertmanager_json(snapshot.alerts, snapshot.ended, labels_, page_, every(), snapshot.now);
    return post(alerts, stop);
  }

  // It ends by itself, as all that is not told again does.
  Delivered tell_test(const Alert& test, config::Time at, const std::stop_token& stop) override {
    auto alerts = alertmanager_json({test}, {}, labels_, page_, every(), at);
    for (auto& alert : alerts) {
      alert["labels"]["alertname"] = "DanelawTest";
      alert["annotations"]["summary"] = kTestTitle;
      alert["annotations"]["description"] = kTestText;
    }
    return post(alerts, stop);
  }

 private:
  Delivered post(const Json& alerts, const std::stop_token& stop) const {
    return accepted(wire::exchange({.url = settings_.url + "/api/v2/alerts",
                                    .headers = json_headers(token_),
                                    .body = dump(alerts)},
                                   stop));
  }

  std::string name_;
  config::Alertmanager settings_;
  std::string token_;
  std::map<std::string, std::string> labels_;
  std::string page_;
};

// One region a rollover: made when it is seen, given its end when it is over.
class GrafanaHerald final : public StateNotifier {
 public:
  GrafanaHerald(config::Grafana settings, std::string token, Outbox& outbox)
      : settings_(std::move(settings)), token_(std::move(token)), outbox_(outbox) {}

  std::string name() const override { return settings_.name; }
  Seconds every() const override { return Seconds{60}; }
  bool is_urgent() const override { return false; }
  bool tells_people() const override { return false; }

  Delivered tell(const Snapshot& snapshot, const std::stop_token& stop) override {
    for (const auto& followed : snapshot.rollovers) {
      const auto host = followed.host->host.text();
      const auto key = fmt::format("grafana/{}/{}", settings_.name, host);
      const auto known = outbox_.notifier_state(key);
      if (!known) return Failure<std::string>(known.error().detail);
      Delivered done;
      if (followed.rolling_since && !*known) done = begin(key, host, *followed.rolling_since, stop);
      if (!followed.rolling_since && *known) done = end(key, **known, snapshot.now, stop);
      if (!done) return done;
    }
    return {};
  }

 private:
  static std::int64_t milliseconds(config::Time time) {
    return time.time_since_epoch().count() * 1000;
  }

  Delivered begin(const std::string& key, const std::string& host, config::Time since,
                  const std::stop_token& stop) {
    const Json body{{"time", milliseconds(since)},
                    {"tags", {"danelaw", "rollover", host}},
                    {"text", "TLSA rollover of " + probes::printable(host)}};
    const auto reply = wire::exchange({.url = settings_.url + "/api/annotations",
                                       .headers = json_headers(token_),
                                       .body = dump(body)},
                                      stop);
    if (auto done = accepted(reply); !done) return done;
    const auto answer = Json::parse(reply->body, nullptr, false);
    if (!answer.is_object() || !answer.contains("id") || !answer["id"].is_number_integer())
      return Failure<std::string>("its reply names no annotation");
    return kept(key, std::to_string(answer["id"].get<std::int64_t>()));
  }

  Delivered end(const std::string& key, const std::string& id, config::Time at,
                const std::stop_token& stop) {
    const auto reply = wire::exchange({.method = "PATCH",
                                       .url = settings_.url + "/api/annotations/" + id,
                                       .headers = json_headers(token_),
                                       .body = dump({{"timeEnd", milliseconds(at)}})},
                                      stop);
    const bool is_gone = reply && reply->status == 404;  // somebody deleted it
    if (auto done = accepted(reply); !done && !is_gone) return done;
    return kept(key, std::nullopt);
  }

  Delivered kept(const std::string& key, const std::optional<std::string>& id) {
    const auto done = outbox_.keep_notifier_state(key, id);
    return done ? Delivered{} : Failure<std::string>(done.error().detail);
  }

  config::Grafana settings_;
  std::string token_;
  Outbox& outbox_;
};

// Says that we live, but only while we look and remember.
class HeartbeatHerald final : public StateNotifier {
 public:
  explicit HeartbeatHerald(config::Heartbeat settings) : settings_(std::move(settings)) {}

  std::string name() const override { return "heartbeat"; }
  Seconds every() const override { return settings_.every; }
  bool is_urgent() const override { return false; }
  bool tells_people() const override { return false; }

  Delivered tell(const Snapshot& snapshot, const std::stop_token& stop) override {
    // Errors of before the first sign are no news: this may be a reload days later.
    const auto known_errors = record_errors_.value_or(snapshot.record_errors);
    record_errors_ = snapshot.record_errors;
    if (const auto why = why_withheld(snapshot, settings_.every, known_errors))
      return Failure<std::string>(*why);
    return accepted(wire::exchange({.method = "GET", .url = settings_.url}, stop));
  }

 private:
  config::Heartbeat settings_;
  std::optional<std::uint64_t> record_errors_;
};

// Makes them one after the other, and stops at the first file that is missing.
class Maker {
 public:
  Maker(const config::Config& config, Outbox& outbox, const DigestSources& sources)
      : notify_(config.notify),
        page_(config::page_address(config.web)),
        outbox_(outbox),
        sources_(sources) {}

  Result<Notifiers, std::string> make() {
    for (const auto& one : notify_.alertmanagers) add(one);
    for (const auto& one : notify_.webhooks) add(one);
    for (const auto& one : notify_.mail) add(one);
    for (const auto& one : notify_.grafana) add(one);
    if (notify_.heartbeat)
      out_.state_notifiers.push_back(std::make_unique<HeartbeatHerald>(*notify_.heartbeat));
    if (fault_) return Failure<std::string>(*fault_);
    return std::move(out_);
  }

 private:
  std::string secret(const std::filesystem::path& file) {
    auto out = secret_in(file);
    if (out) return std::move(*out);
    if (!fault_) fault_ = out.error();
    return {};
  }

  void add(const config::Alertmanager& one) {
    const auto name = fmt::format("alertmanager-{}", ++alertmanagers_);
    out_.state_notifiers.push_back(std::make_unique<AlertmanagerHerald>(
        name, one, secret(one.token_file), notify_.labels, page_));
  }
  // That each can be read was seen to when the file was; what a pattern means only we know.
  void check(const std::string& name, const std::vector<std::string>& matchers) {
    for (const auto& matcher : matchers_of(matchers)) {
      const auto fault = fault_of(matcher);
      if (fault && !fault_) fault_ = fmt::format("notify: matchers of {}: {}", name, *fault);
    }
  }

  void add(const config::Webhook& one) {
    check(one.name, one.matchers);
    WebhookMessenger::Secrets secrets{.key = secret(one.secret_file),
                                      .token = secret(one.token_file),
                                      .text = secret(one.template_file)};
    const auto values = template_values(Json::object(), page_, one.values);
    if (const auto filled = fill(secrets.text, values); !filled && !fault_)
      fault_ = fmt::format("{}: {}", one.template_file.string(), filled.error());
    for (const auto& [field, words] : one.values) {
      if (!values.texts.contains(field) && !fault_)
        fault_ = fmt::format("notify.webhooks: {}: values of no field \"{}\"", one.name, field);
    }
    out_.event_notifiers.push_back(
        std::make_unique<WebhookMessenger>(one, std::move(secrets), page_));
  }
  void add(const config::Mail& one) {
    check(one.name, one.matchers);
    const auto password = secret(one.password_file);
    // Also where it tells of no alerts: what was decided before still waits under its name.
    out_.event_notifiers.push_back(std::make_unique<MailMessenger>(one, password, page_));
    if (one.digest != config::DigestEvery::never) {
      out_.state_notifiers.push_back(make_digest(
          one, envelope_of(one, password), matchers_of(one.matchers), page_, outbox_, sources_));
    }
  }
  void add(const config::Grafana& one) {
    out_.state_notifiers.push_back(
        std::make_unique<GrafanaHerald>(one, secret(one.token_file), outbox_));
  }

  const config::Notify& notify_;
  std::string page_;
  Outbox& outbox_;
  const DigestSources& sources_;
  Notifiers out_;
  std::optional<std::string> fault_;
  int alertmanagers_ = 0;
};

}  // namespace

Result<Notifiers, std::string> make_notifiers(const config::Config& config, Outbox& outbox,
                                              const DigestSources& sources) {
  return Maker(config, outbox, sources).make();
}

}  // namespace agent

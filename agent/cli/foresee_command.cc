#include "agent/cli/foresee_command.h"

#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "agent/cli/certificate_input.h"
#include "agent/cli/client_api.h"
#include "agent/history/host_history.h"
#include "probes/dane/tlsa.h"
#include "probes/explain.h"
#include "probes/tls/crypto.h"

namespace agent {
namespace {

using probes::printable;

constexpr int kCovered = 0;
constexpr int kRefused = 1;
constexpr int kNotCovered = 2;
constexpr int kUnknown = 3;

struct ForeseeFlags {
  AgentAddress address = address_of_environment();
  std::string format = "text";
  std::string by, comment;
  bool is_not_for_mail = false, is_for_mail = false;
  std::filesystem::path file;
};

// Certificates only: whatever else the file holds, a private key above all, stays here.
std::string pem_of(const Chain& chain) {
  constexpr std::size_t kLine = 64;
  std::string out;
  for (const auto& one : chain) {
    const auto text =
        probes::tls::base64({reinterpret_cast<const char*>(one->der.data()), one->der.size()});
    out += "-----BEGIN CERTIFICATE-----\n";
    for (std::size_t at = 0; at < text.size(); at += kLine) out += text.substr(at, kLine) + '\n';
    out += "-----END CERTIFICATE-----\n";
  }
  return out;
}

std::string text_in(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? printable(found->get<std::string>())
                                                   : std::string();
}

std::vector<std::string> texts_in(const Json& json, const char* name) {
  std::vector<std::string> out;
  const auto found = json.find(name);
  if (found == json.end() || !found->is_array()) return out;
  for (const auto& one : *found) {
    if (one.is_string()) out.push_back(printable(one.get<std::string>()));
  }
  return out;
}

void print_host(const Json& host, std::ostream& out) {
  const auto covered = host.find("is_covered");
  const auto name = text_in(host, "host");
  const auto safe_from = text_in(host, "safe_from");
  if (covered == host.end() || !covered->is_boolean()) {
    out << fmt::format("{}: unknown: could not be determined\n", name);
  } else if (covered->get<bool>()) {
    out << fmt::format("{}: covered{}\n", name,
                       safe_from.empty() ? "" : "; not before " + safe_from);
  } else {
    out << fmt::format("{}: not covered\n", name);
    for (const auto& record : texts_in(host, "records"))
      out << fmt::format("  publish beside the present records: {}\n", record);
    if (!safe_from.empty())
      out << fmt::format("  if that is done now, it may go live from {} on\n", safe_from);
  }
  for (const auto& why : texts_in(host, "why")) out << fmt::format("  {}\n", why);
}

// Until all domains were probed once after a start. An older agent does not say it.
std::size_t domains_unseen(const Json& reply) {
  const auto found = reply.find("domains_unseen");
  return found != reply.end() && found->is_number_unsigned() ? found->get<std::size_t>() : 0;
}

// A certificate holds more names than the agent reads: hosts may be missing.
bool has_more_names(const Json& reply) {
  const auto found = reply.find("has_more_names");
  return found != reply.end() && found->is_boolean() && found->get<bool>();
}

// By the worst of the hosts; nothing when an agent would not say that.
std::optional<int> status_of(const Json& reply) {
  if (!reply.is_object() || !reply.contains("hosts") || !reply["hosts"].is_array())
    return std::nullopt;
  bool any_unknown = domains_unseen(reply) > 0 || has_more_names(reply);
  for (const auto& host : reply["hosts"]) {
    const auto covered = host.is_object() ? host.value("is_covered", Json()) : Json();
    if (covered.is_boolean() && !covered.get<bool>()) return kNotCovered;
    any_unknown = any_unknown || !covered.is_boolean();
  }
  return any_unknown ? kUnknown : kCovered;
}

using Done = AgentApi::OrFault<int>;

// That the key is for no mail server, or that it may be after all.
Done say(const ForeseeFlags& flags, const AgentApi& api, const Chain& chain) {
  const auto key = probes::dane::to_hex(chain.front()->spki_sha256);
  const auto path = path_of("/api/v1/certificates/{}/not-for-mail", key);
  const auto done =
      flags.is_not_for_mail
          ? api.send("POST", path, {}, Json{{"by", flags.by}, {"comment", flags.comment}})
          : api.send("DELETE", path, {{"by", flags.by}}, std::nullopt);
  if (!done) return config::Failure<ApiFault>(done.error());
  std::cout << fmt::format("{}: {}\n", key,
                           flags.is_not_for_mail ? "not for mail" : "may be for mail");
  return kCovered;
}

Done show(const ForeseeFlags& flags, const AgentApi& api, const Chain& chain) {
  const auto reply =
      api.send("POST", "/api/v1/certificates", {{"by", flags.by}}, Json{{"pem", pem_of(chain)}});
  if (!reply) return config::Failure<ApiFault>(reply.error());
  const auto status = status_of(*reply);
  if (!status) {
    return config::Failure<ApiFault>(
        ApiFault{.detail = api.url() + ": it does not answer as danelaw does"});
  }
  if (flags.format == "json") {
    std::cout << reply->dump(-1, ' ', true, Json::error_handler_t::replace) << '\n';
    return *status;
  }
  for (const auto& host : (*reply)["hosts"]) print_host(host, std::cout);
  if (const auto unseen = domains_unseen(*reply); unseen > 0) {
    std::cout << fmt::format(
        "unknown: {} watched domain{} not been checked since the agent started, and may have a "
        "host "
        "that it names; it is kept, and checked against their hosts, too\n",
        unseen, unseen == 1 ? " has" : "s have");
  } else if (has_more_names(*reply)) {
    std::cout << fmt::format(
        "unknown: it holds more than {} names, and the watched hosts that the others name were not "
        "looked for\n",
        probes::tls::kMaxNames);
  } else if ((*reply)["hosts"].empty()) {
    std::cout << "no watched MX host is one that it names\n";
  }
  return *status;
}

int foresee(const ForeseeFlags& flags) {
  const auto fail = [](const std::string& why) {
    std::cerr << why << '\n';
    return kUnknown;
  };
  const auto read = read_certificates(flags.file, std::cerr);
  if (!read) return fail(printable(read.error(), 500));
  if (read->chain.empty())
    return fail(fmt::format("{}: a key and no certificate", printable(flags.file.string())));
  const auto api = AgentApi::make(flags.address);
  if (!api) return fail(api.error());
  const bool says = flags.is_not_for_mail || flags.is_for_mail;
  const auto done = says ? say(flags, *api, read->chain) : show(flags, *api, read->chain);
  if (done) return *done;
  const auto unknown = fail(done.error().detail);
  return done.error().is_refusal ? kRefused : unknown;
}

}  // namespace

Command add_foresee(CLI::App& app) {
  const auto flags = std::make_shared<ForeseeFlags>();
  auto* command = app.add_subcommand(
      "foresee",
      "show a running agent a certificate that may go live: which watched hosts it is for, and "
      "whether their records cover it");
  add_address(*command, flags->address);
  command->add_option("--format", flags->format, "how it is printed")
      ->check(CLI::IsMember({"text", "json"}));
  command->add_option("--by", flags->by, "who shows it, where no login is required");
  command->add_flag("--not-for-mail", flags->is_not_for_mail,
                    "certificates of its key are for no mail server");
  command->add_flag("--for-mail", flags->is_for_mail, "take that back")->excludes("--not-for-mail");
  command->add_option("--comment", flags->comment, "why it is not for mail");
  command
      ->add_option("CERT", flags->file,
                   "the certificate, with its issuers if they are at hand: PEM, DER or PKCS#7; - "
                   "for standard input")
      ->required();
  return {command, [flags] { return foresee(*flags); }};
}

}  // namespace agent

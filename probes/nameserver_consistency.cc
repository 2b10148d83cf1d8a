#include "probes/nameserver_consistency.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/dane/tlsa.h"

namespace probes {
namespace {

using config::Time;
using dns::Cause;
using dns::Outcome;
using dns::ServerAnswer;

// One record as a zone file shows it, shortened.
std::string text_of(std::uint16_t type, const dns::Bytes& data, bool is_alias) {
  if (is_alias) {
    const auto target = dns::Name::from_wire(data);
    return "CNAME " + (target ? target->text() : std::string("?"));
  }
  if (type == dns::type::tlsa) {
    const auto record = dane::tlsa_from_wire(data);
    return record ? dane::to_text(*record).substr(0, 80) : "(malformed)";
  }
  if (type == dns::type::mx && data.size() > 2) {
    const auto host = dns::Name::from_wire(std::span{data}.subspan(2));
    return fmt::format("{} {}", data[0] << 8U | data[1], host ? host->text() : std::string("?"));
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = type == dns::type::a ? AF_INET : AF_INET6;
  if (data.size() == (type == dns::type::a ? 4U : 16U) &&
      inet_ntop(family, data.data(), text.data(), text.size()) != nullptr)
    return text.data();
  return fmt::format("{} octets", data.size());
}

std::string text_of(const ServerAnswer& answer) {
  if (answer.outcome == Outcome::absent) return "no record";
  if (answer.outcome == Outcome::failed) {
    return answer.cause == Cause::timeout ? std::string("no answer")
                                          : dns::rcode_name(answer.rcode);
  }
  std::vector<std::string> records;
  for (const auto& data : answer.data)
    records.push_back(text_of(answer.question.type, data, answer.is_alias));
  return fmt::format("{}", fmt::join(records, " / "));
}

std::string question_text(const dns::Question& question) {
  return fmt::format("{} {}", question.name.text(), dns::type_name(question.type));
}

class Agreement {
 public:
  Agreement(const Subject& subject, const dns::Survey& survey, bool is_signed, Time at)
      : subject_(subject), survey_(survey), is_signed_(is_signed), at_(at) {
    for (const auto& answer : survey.answers) by_question_[answer.question].push_back(&answer);
  }

  std::vector<Finding> find() {
    for (const auto& [question, answers] : by_question_) {
      const bool any_heard =
          std::ranges::any_of(answers, [](const auto* a) { return is_learned(a->outcome); });
      if (!any_heard) continue;  // nobody answers us: that may be our own network
      compare(question, answers);
      for (const auto* answer : answers) look_at(*answer);
    }
    look_at_tcp();
    std::vector<Finding> out;
    for (auto& [code, finding] : found_) out.push_back(std::move(finding));
    return out;
  }

 private:
  void say(Code code, Severity severity, std::string_view what, std::string value) {
    auto& finding =
        found_
            .try_emplace(code, Finding{.code = code,
                                       .severity = severity,
                                       .subject = subject_,
                                       .is_whole_cause = code != Code::nameserver_split})
            .first->second;
    finding.severity = std::max(finding.severity, severity);
    const Evidence item{std::string(what), std::move(value)};
    if (std::ranges::find(finding.evidence, item) == finding.evidence.end())
      finding.evidence.push_back(item);
  }

  // Addresses may differ on purpose (load is spread that way); MX and TLSA records never do.
  void compare(const dns::Question& question, const std::vector<const ServerAnswer*>& answers) {
    using Said = std::tuple<Outcome, bool, std::vector<dns::Bytes>>;
    std::map<Said, std::vector<const ServerAnswer*>> groups;
    for (const auto* answer : answers) {
      if (is_learned(answer->outcome))
        groups[{answer->outcome, answer->is_alias, answer->data}].push_back(answer);
    }
    if (groups.size() < 2) return;
    const bool is_address = question.type == dns::type::a || question.type == dns::type::aaaa;
    for (const auto& [said, who] : groups) {
      for (const auto* answer : who) {
        say(Code::nameserver_split, is_address ? Severity::medium : Severity::high,
            question_text(question),
            fmt::format("{}: {}", server_text(answer->server), text_of(*answer)));
      }
    }
  }

  void look_at(const ServerAnswer& answer) {
    const auto where = server_text(answer.server);
    if (answer.outcome == Outcome::failed) {
      // Silent, or refusing, to this question only: the server drops the type, and what a sender
      // learns depends on luck.
      const bool is_selective =
          std::ranges::any_of(survey_.answers, [&](const ServerAnswer& other) {
            return other.server == answer.server && is_learned(other.outcome);
          });
      say(is_selective ? Code::nameserver_split : Code::nameserver_failing,
          is_selective ? Severity::high : Severity::medium, question_text(answer.question),
          fmt::format("{}: {}", where, text_of(answer)));
      return;
    }
    if (!is_signed_ || !is_learned(answer.outcome)) return;
    if (!answer.signatures) {
      say(Code::nameserver_split, Severity::high, question_text(answer.question),
          where + ": no signatures");
    } else if (answer.signatures->expiration < at_) {
      say(Code::nameserver_split, Severity::high, question_text(answer.question),
          fmt::format("{}: signatures expired {}", where,
                      config::rfc3339(answer.signatures->expiration)));
    }
  }

  void look_at_tcp() {
    const auto& silent = survey_.silent_on_tcp;
    for (const auto& server : silent) {
      const bool any_other = std::ranges::any_of(survey_.answers, [&](const ServerAnswer& answer) {
        return is_learned(answer.outcome) &&
               std::ranges::find(silent, answer.server) == silent.end();
      });
      // Where no server answers over TCP, it may be a firewall on our side.
      say(Code::nameserver_udp_only, any_other ? Severity::medium : Severity::low, "server",
          server_text(server));
    }
  }

  const Subject& subject_;
  const dns::Survey& survey_;
  const bool is_signed_;
  const Time at_;
  std::map<dns::Question, std::vector<const ServerAnswer*>> by_question_;
  std::map<Code, Finding> found_;
};

}  // namespace

std::string server_text(const dns::Server& server) {
  return fmt::format("{} ({})", server.name.text(), server.address);
}

std::vector<Finding> find_in_survey(const Subject& subject, const dns::Survey& survey,
                                    bool is_signed, Time at) {
  return Agreement{subject, survey, is_signed, at}.find();
}

std::vector<dns::Server> deniers_of(const dns::Name& name, const dns::Survey& survey) {
  std::vector<dns::Server> out;
  for (const auto& answer : survey.answers) {
    const bool is_denied = answer.outcome == Outcome::absent && answer.question.name == name &&
                           answer.rcode == dns::rcode::nxdomain;
    if (is_denied) out.push_back(answer.server);
  }
  return out;
}

}  // namespace probes

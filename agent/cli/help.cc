#include "agent/cli/help.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace agent {
namespace {

struct Help {
  std::string_view command, exit_status;
  std::string_view example;  // lines
};

constexpr auto kHelp = std::to_array<Help>({
    {"run",
     "0 when it was told to stop, 1 when the configuration is refused, 2 when it may be able to "
     "start another time.",
     "danelaw run --config /etc/danelaw/danelaw.yaml"},
    {"check",
     "of the worst of the domains, 0 ok, 1 warning, 2 critical, 3 unknown (a fault of our own, or "
     "bad usage).",
     "danelaw check example.org\n"
     "danelaw check --format nagios --timeout 30s example.org"},
    {"check-config", "0 when the file is right, 1 when it is not.",
     "danelaw check-config /etc/danelaw/danelaw.yaml"},
    {"gate", "0 yes, 1 not yet, 2 no, 3 unknown.",
     "danelaw gate --config /etc/danelaw/danelaw.yaml --host mx.example.org cert.pem"},
    {"foresee",
     "0 every watched host that it is for takes it, 1 the agent refuses to take it, 2 a host does "
     "not take it, 3 unknown, or the agent cannot be reached.",
     "danelaw foresee --url https://danelaw.example.org --token-file /etc/danelaw/report.token "
     "fullchain.pem\n"
     "danelaw foresee --not-for-mail --comment \"the web's\" cert.pem"},
    {"tlsa", "0 when records were printed, otherwise not 0.",
     "danelaw tlsa --host mx.example.org --ttl 1h cert.pem"},
    {"backup",
     "0 when the copy was made, 1 when it could not be, 2 when there is nothing to copy: no "
     "database yet, or a history in PostgreSQL; 3 when the configuration cannot be read.",
     "danelaw backup --config /etc/danelaw/danelaw.yaml /var/backups/danelaw.db"},
    {"restore", "0 when the backup is in place, otherwise not 0.",
     "systemctl stop danelaw\n"
     "danelaw restore --config /etc/danelaw/danelaw.yaml /var/backups/danelaw.db"},
    {"migrate-storage",
     "0 when the whole history is in PostgreSQL, otherwise not 0 and nothing of it is.",
     "systemctl stop danelaw\n"
     "danelaw migrate-storage --config /etc/danelaw/danelaw.yaml --to "
     "postgresql://danelaw@db.example.org/danelaw"},
    {"report",
     "0 when it was printed, 2 when no domain is of that group, 3 when the arguments or the "
     "database cannot be read.",
     "danelaw report --month 2027-01\n"
     "danelaw report --group shop --format html > report.html"},
    {"tlsrpt",
     "0 when every report was taken, now or before; 1 when one is none; 75 when the configuration "
     "or the database cannot be used, and the mail system that pipes mail here shall try again.",
     "danelaw tlsrpt --config /etc/danelaw/danelaw.yaml report.json.gz\n"
     "danelaw tlsrpt --config /etc/danelaw/danelaw.yaml - <mail"},
    {"replay", "0 when the file could be read, otherwise not 0.", "danelaw replay plan.json"},
    {"explain",
     "0 when what was said follows from the evidence, 2 when it does not, 3 when it cannot be "
     "read.",
     "danelaw explain --config /etc/danelaw/danelaw.yaml 'tlsa-mismatch.mx.example.org.1'\n"
     "danelaw explain --trust-anchor /usr/share/dns/root.key evidence.json"},
    {"status",
     "of the worst of what was asked for, as of check: 0 ok, 1 warning, 2 critical, 3 unknown; 3 "
     "also when the agent cannot be reached or is blind.",
     "danelaw status\n"
     "danelaw status --format nagios example.org\n"
     "danelaw status --url https://danelaw.example.org --token-file ~/.danelaw.token "
     "mx.example.org"},
    {"alerts", "0 when they were listed, 3 when the agent cannot be reached.",
     "danelaw alerts --all --format json"},
    {"silences", "0 when they were listed, 3 when the agent cannot be reached.",
     "danelaw silences"},
    {"fleet", "0 when they were listed, 3 when the agent cannot be reached.", "danelaw fleet"},
    {"ack", "0 when it is acknowledged, 1 when the agent refuses, 3 when it cannot be reached.",
     "danelaw ack tlsa-mismatch.mx.example.org.1 --comment \"new record is on its way\" --until "
     "2h"},
    {"unack", "0 when it is taken back, 1 when the agent refuses, 3 when it cannot be reached.",
     "danelaw unack tlsa-mismatch.mx.example.org.1"},
    {"silence",
     "0 when the silence is made, 1 when the agent refuses, 3 when it cannot be reached.",
     "danelaw silence mx=mx.example.org 'code=~tlsa-.*' --for 2h --comment \"new certificate\""},
    {"unsilence", "0 when it is ended, 1 when the agent refuses, 3 when it cannot be reached.",
     "danelaw unsilence 4f2a"},
    {"recheck", "0 when the check is due, 1 when the agent refuses, 3 when it cannot be reached.",
     "danelaw recheck example.org"},
    {"lists", "0 when they were listed, 3 when the agent cannot be reached.", "danelaw lists"},
    {"accept-list",
     "0 when the list is accepted, 1 when nothing of it is refused, 3 when the agent cannot be "
     "reached.",
     "danelaw accept-list inventory"},
    {"notify-test",
     "0 when all of them delivered it, 1 when one did not or the agent refuses, 3 when it cannot "
     "be reached.",
     "danelaw notify-test postmaster"},
    {"partners", "0 when every file could be read, otherwise not 0.",
     "danelaw partners --least 10 --since 90d /var/log/mail.log /var/log/mail.log.*.gz > "
     "partners.txt"},
    {"policy", "0 when Postfix has no more to ask, 1 when what it says is no socketmap.",
     "danelaw policy --socket /run/danelaw/policy"},
    {"maillog", "0 when every file could be read, otherwise not 0.",
     "danelaw maillog --config /etc/danelaw/danelaw.yaml --since 1d /var/log/mail.log"},
});

std::string footer_of(const Help& help) {
  auto out = fmt::format("Exit status: {}\nExample:\n  ", help.exit_status);
  for (const char c : help.example) {
    out += c;
    if (c == '\n') out += "  ";
  }
  return out;
}

}  // namespace

void add_help(CLI::App& app) {
  app.footer(
      "Exit status: that of the subcommand, told by its own --help; 3 for bad usage, and when what "
      "it says cannot be written to standard output.");
  for (auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    const auto* const help = std::ranges::find(kHelp, command->get_name(), &Help::command);
    command->footer(help != kHelp.end() ? footer_of(*help) : std::string());
  }
}

}  // namespace agent

// Writes what is made from the tables that the program itself uses; script/docs runs it, and CI
// sees that nothing is older than the tables.
//   findings_doc           docs/findings.md, the catalogue of findings
//   findings_doc page      web/ui/src/catalogue.ts, the page's words

#include <cctype>
#include <iostream>
#include <string>
#include <string_view>

#include "agent/rollover/rollover_state.h"
#include "probes/catalogue.h"
#include "probes/explain.h"
#include "probes/judge.h"
#include "probes/report.h"
#include "probes/sender_classes.h"
#include "probes/status.h"

namespace {

constexpr int kVerdicts = static_cast<int>(probes::Verdict::no_mail) + 1;
constexpr int kRolloverStates = static_cast<int>(agent::RolloverState::unknown) + 1;

std::string_view root_in_words(probes::Root root) {
  switch (root) {
    case probes::Root::subject:
      return "host or domain";
    case probes::Root::records:
      return "TLSA RRset";
    case probes::Root::zone:
      return "zone";
  }
  return "";
}

void write_findings() {
  std::cout
      << "# Findings\n\n"
         "Every finding of danelaw, by the code that the JSON, the metrics and the alerts use. "
         "`NAME` stands for the\n"
         "domain or the MX host it is about. Written by `script/docs`; do not edit.\n";
  for (const auto& row : probes::catalogue()) {
    const auto words = probes::explain(
        {.code = row.code, .subject = {.kind = probes::Subject::Kind::host, .name = "NAME"}});
    std::cout << "\n## " << row.name << "\n\n**" << words.title << ".** " << words.explanation
              << "\n\nWhat senders do: " << words.senders_now << "\n\n";
    int number = 0;
    for (const auto& step : words.fix) std::cout << ++number << ". " << step << "\n";
    std::cout << "\nAn alert from `" << wire_name(row.alerts.alerts_from) << "` on, after "
              << (row.alerts.is_transient ? "three probes or half an hour" : "two probes")
              << "; one for each " << root_in_words(row.alerts.root) << ". References: ";
    for (std::size_t i = 0; i < words.references.size(); ++i)
      std::cout << (i == 0 ? "" : ", ") << words.references[i];
    std::cout << ".";
    if (words.tlsrpt) std::cout << " Senders' TLSRPT reports call it `" << *words.tlsrpt << "`.";
    if (row.alerts.explains.size() > 0) {
      std::cout << " It explains";
      for (const auto effect : row.alerts.explains)
        std::cout << (effect == *row.alerts.explains.begin() ? " `" : ", `") << wire_name(effect)
                  << "`";
      std::cout << ", which then open no alert.";
    }
    std::cout << "\n";
  }
}

// How each of the first `count` values of an enumeration looks.
template <class T>
void write_looks(std::string_view name, std::string_view type, int count) {
  std::cout << "\nexport const " << name << ": Record<" << type << ", Status> = {\n";
  for (int i = 0; i < count; ++i)
    std::cout << "  \"" << wire_name(static_cast<T>(i)) << "\": \""
              << wire_name(look_of(static_cast<T>(i))) << "\",\n";
  std::cout << "};\n";
}

void write_verdicts() {
  std::cout << "\nexport const verdictSentence: Record<Verdict, string> = {\n";
  for (int i = 0; i < kVerdicts; ++i) {
    const auto verdict = static_cast<probes::Verdict>(i);
    std::string words{probes::in_words(verdict)};
    words.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(words.front())));
    std::cout << "  \"" << wire_name(verdict) << "\": \"" << words << ".\",\n";
  }
  std::cout << "};\n\n// A sender that gets one of them delivers.\n"
               "export const deliverable: Verdict[] = [\n";
  for (int i = 0; i < kVerdicts; ++i) {
    const auto verdict = static_cast<probes::Verdict>(i);
    if (is_deliverable(verdict)) std::cout << "  \"" << wire_name(verdict) << "\",\n";
  }
  std::cout << "];\n";
}

void write_page() {
  std::cout
      << "// The words for what the program knows: written by script/docs from its own tables; "
         "do not edit.\n"
         "import type { Delivery, RolloverState, Status, Verdict } from \"./api\";\n\n"
         "export const senderWords: Record<string, string> = {\n";
  for (const auto& one : probes::sender_classes())
    std::cout << "  \"" << one.name << "\": \"" << probes::words_of(one.name) << "\",\n";
  std::cout
      << "};\n\n"
         "// How many senders a class stands for, and why it is counted so.\n"
         "export const senderWeights: Record<string, { weight: \"common\" | \"rare\"; source: "
         "string; year: number }> = {\n";
  for (const auto& one : probes::sender_classes())
    std::cout << "  \"" << one.name << "\": { weight: \"" << wire_name(one.weight)
              << "\", source: \"" << one.source << "\", year: " << one.year << " },\n";
  std::cout << "};\n";
  write_verdicts();
  std::cout << "\n// How it is shown, beside the words.";
  write_looks<probes::Verdict>("verdictLook", "Verdict", kVerdicts);
  write_looks<probes::Delivery>("deliveryLook", "Delivery", probes::kDeliveryCount);
  write_looks<agent::RolloverState>("rolloverLook", "RolloverState", kRolloverStates);
}

}  // namespace

int main(int count, char** words) {
  if (count > 1 && std::string_view(words[1]) == "page") {
    write_page();
  } else {
    write_findings();
  }
}

// Writes what is made from the tables that the program itself uses; script/docs runs it, and CI
// sees that nothing is older than the tables.
//   findings_doc           docs/findings.md, the catalogue of findings
//   findings_doc page      web/ui/src/catalogue.ts, the page's words

#include <iostream>
#include <string_view>

#include "probes/catalogue.h"
#include "probes/explain.h"
#include "probes/judge.h"

namespace {

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
              << (row.alerts.is_transient ? "three looks or half an hour" : "two looks")
              << "; one for each " << root_in_words(row.alerts.root) << ". References: ";
    for (std::size_t i = 0; i < words.references.size(); ++i)
      std::cout << (i == 0 ? "" : ", ") << words.references[i];
    std::cout << ".";
    if (words.tlsrpt) std::cout << " Senders' TLSRPT reports call it `" << *words.tlsrpt << "`.";
    std::cout << "\n";
  }
}

void write_page() {
  std::cout
      << "// The words for what the program knows: written by script/docs from its own tables; "
         "do not edit.\n\n"
         "export const senderWords: Record<string, string> = {\n";
  for (const auto& sender : probes::other_senders())
    std::cout << "  \"" << sender.name << "\": \"" << sender.words << "\",\n";
  std::cout << "};\n";
}

}  // namespace

int main(int count, char** words) {
  if (count > 1 && std::string_view(words[1]) == "page") {
    write_page();
  } else {
    write_findings();
  }
}

// Writes docs/findings.md: the catalogue of findings, from the table that the program itself uses.
// script/docs runs it; a test sees that the file is not older than the table.

#include <iostream>

#include "probes/explain.h"

int main() {
  std::cout
      << "# Findings\n\n"
         "Every finding of danelaw, by the code that the JSON, the metrics and the alerts use. "
         "`NAME` stands for the\n"
         "domain or the MX host it is about. Written by `script/docs`; do not edit.\n";
  for (const auto code : probes::all_codes()) {
    const auto words = probes::explain(
        {.code = code, .subject = {.kind = probes::Subject::Kind::host, .name = "NAME"}});
    std::cout << "\n## " << wire_name(code) << "\n\n**" << words.title << ".** "
              << words.explanation << "\n\nWhat senders do: " << words.senders_now << "\n\n";
    int number = 0;
    for (const auto& step : words.fix) std::cout << ++number << ". " << step << "\n";
    std::cout << "\nReferences: ";
    for (std::size_t i = 0; i < words.references.size(); ++i)
      std::cout << (i == 0 ? "" : ", ") << words.references[i];
    std::cout << ".";
    if (words.tlsrpt) std::cout << " Senders' TLSRPT reports call it `" << *words.tlsrpt << "`.";
    std::cout << "\n";
  }
}

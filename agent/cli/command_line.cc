#include "agent/cli/command_line.h"

#include <algorithm>
#include <numeric>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "probes/explain.h"

namespace agent {
namespace {

// How many letters must be put in, taken out or replaced.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

std::string complaint(std::string_view kind, const std::string& word,
                      const std::vector<std::string>& known, std::string_view help) {
  const auto shown = probes::printable(word, 60);
  const std::string* nearest = nullptr;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto& one : known) {
    const auto far = distance(std::string_view{word}.substr(0, 60), one);
    if (far < least) {
      least = far;
      nearest = &one;
    }
  }
  return fmt::format(
      "{} {}{}; {} lists them all", kind, shown,
      nearest != nullptr ? fmt::format(" (did you mean {}?)", *nearest) : std::string(), help);
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> out;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_snames()) out.push_back("-" + name);
    for (const auto& name : option->get_lnames()) out.push_back("--" + name);
  }
  return out;
}

// Whether the word after this option is its value.
bool takes_value(const CLI::App& app, const std::string& name) {
  const auto* option = app.get_option_no_throw(name);
  return option != nullptr && option->get_items_expected_max() > 0;
}

std::optional<std::string> unknown_option(const CLI::App& app,
                                          const std::vector<std::string>& words, std::size_t begin,
                                          std::size_t end) {
  const auto known = options_of(app);
  for (std::size_t at = begin; at < end && words[at] != "--"; ++at) {
    const auto& word = words[at];
    if (word.size() < 2 || word[0] != '-') continue;
    const auto name = word.substr(0, word.find('='));
    if (std::ranges::find(known, name) == known.end()) {
      const auto& command = app.get_name();
      return complaint(
          fmt::format("danelaw{}{} has no option", command.empty() ? "" : " ", command), name,
          known, fmt::format("danelaw {}{}--help", command, command.empty() ? "" : " "));
    }
    if (name == word && takes_value(app, name)) ++at;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> unknown_word(const CLI::App& app,
                                        const std::vector<std::string>& words) {
  const auto first =
      std::ranges::find_if(words, [](const auto& word) { return word.empty() || word[0] != '-'; });
  const auto place = static_cast<std::size_t>(first - words.begin());
  if (auto wrong = unknown_option(app, words, 0, place)) return wrong;
  if (first == words.end()) return std::nullopt;
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == *first) {
      return unknown_option(*command, words, place + 1, words.size());
    }
    names.push_back(command->get_name());
  }
  return complaint("danelaw has no command", *first, names, "danelaw --help");
}

}  // namespace agent

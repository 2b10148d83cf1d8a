#include "agent/cli/table.h"

#include <algorithm>

namespace agent {
namespace {

// SGR of ECMA-48: colours that any terminal has, on whatever background.
std::string_view sgr(Tint tint) {
  switch (tint) {
    case Tint::none:
      return "";
    case Tint::good:
      return "\x1b[32m";
    case Tint::warning:
      return "\x1b[33m";
    case Tint::bad:
      return "\x1b[31m";
    case Tint::unknown:
      return "\x1b[35m";
  }
  return "";
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
}

// Characters, of UTF-8; all are taken to be as wide as one.
std::size_t width(const std::string& text) {
  return text.size() - static_cast<std::size_t>(std::ranges::count_if(text, is_continuation));
}

std::string cut(const std::string& text, std::size_t most) {
  if (width(text) <= most) return text;
  std::string out;
  std::size_t taken = 0;
  for (const char c : text) {
    if (!is_continuation(c) && ++taken > most - 1) break;
    out.push_back(c);
  }
  return out + "…";
}

std::string joined(const TableRow& row) {
  std::string out;
  for (const auto& cell : row) {
    if (!out.empty() || &cell != row.data()) out += '\t';
    out += cell.text;
  }
  return out + '\n';
}

std::string aligned(const TableRow& row, const std::vector<std::size_t>& widths,
                    const Screen& screen) {
  constexpr std::size_t kGap = 2;
  constexpr std::size_t kLeastOfLast = 10;  // less says nothing: the line may wrap then
  std::string out;
  std::size_t used = 0;
  for (std::size_t i = 0; i + 1 < row.size(); ++i) {
    out += tinted(row[i], screen) + std::string(widths[i] - width(row[i].text) + kGap, ' ');
    used += widths[i] + kGap;
  }
  if (!row.empty()) {
    const auto left = screen.columns > used ? screen.columns - used : 0;
    const auto& last = row.back();
    out += tinted({cut(last.text, std::max(left, kLeastOfLast)), last.tint}, screen);
  }
  while (out.ends_with(' ')) out.pop_back();
  return out + '\n';
}

}  // namespace

std::string tinted(const Cell& cell, const Screen& screen) {
  if (!screen.has_colour || cell.tint == Tint::none || cell.text.empty()) return cell.text;
  return std::string(sgr(cell.tint)) + cell.text + "\x1b[0m";
}

std::string table(const std::vector<std::string>& head, const std::vector<TableRow>& rows,
                  const Screen& screen) {
  TableRow first;
  for (const auto& word : head) first.push_back({word});
  std::vector<std::size_t> widths(head.size());
  const auto widen = [&](const TableRow& row) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width(row[i].text));
  };
  widen(first);
  std::ranges::for_each(rows, widen);
  std::string out;
  const auto print = [&](const TableRow& row) {
    out += screen.columns == 0 ? joined(row) : aligned(row, widths, screen);
  };
  print(first);
  std::ranges::for_each(rows, print);
  return out;
}

}  // namespace agent

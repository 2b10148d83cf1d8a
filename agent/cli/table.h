#pragma once

#include <cstddef>
#include <string>
#include <vector>

// PURE
// Lists for people and for scripts: aligned and coloured where somebody reads them, and fields
// between tabs where a program does.
namespace agent {

// Where is written to.
struct Screen {
  std::size_t columns = 0;  // 0: no terminal; nothing is aligned, cut or coloured
  bool has_colour = false;
};

enum class Tint { none, good, warning, bad, unknown };

struct Cell {
  std::string text;  // harmless already (printable), and ASCII where columns shall stand
  Tint tint = Tint::none;
};
using TableRow = std::vector<Cell>;

[[nodiscard]] std::string tinted(const Cell& cell, const Screen& screen);

// A line of `head` and one a row, each ended. On a terminal the last column is cut where it does
// not fit; the others are as wide as their widest cell. A row has as many cells as `head`.
[[nodiscard]] std::string table(const std::vector<std::string>& head,
                                const std::vector<TableRow>& rows, const Screen& screen);

}  // namespace agent

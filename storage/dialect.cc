#include "storage/dialect.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <vector>

#include "config/utf8.h"

namespace storage {
namespace {

bool is_word_octet(char octet) {
  return std::isalnum(static_cast<unsigned char>(octet)) != 0 || octet == '_';
}

struct Token {
  enum class Kind { word, space, parameter, other };  // other: a literal, a quoted name, a sign
  Kind kind;
  std::string text;
};
using Tokens = std::vector<Token>;

// The length of what begins there and ends with the same quote; two of them stand for one.
std::size_t quoted_length(std::string_view sql) {
  std::size_t end = 1;
  while (end < sql.size()) {
    if (sql[end] != sql[0]) {
      ++end;
    } else if (end + 1 < sql.size() && sql[end + 1] == sql[0]) {
      end += 2;
    } else {
      return end + 1;
    }
  }
  return sql.size();
}

template <class Is>
std::size_t run_length(std::string_view sql, Is is) {
  return static_cast<std::size_t>(std::ranges::find_if_not(sql, is) - sql.begin());
}

Tokens tokens_of(std::string_view sql) {
  const auto is_space = [](char octet) { return octet == ' ' || octet == '\n'; };
  const auto is_digit = [](char octet) { return octet >= '0' && octet <= '9'; };
  Tokens out;
  while (!sql.empty()) {
    auto kind = Token::Kind::other;
    std::size_t length = 1;
    if (is_space(sql[0])) {
      kind = Token::Kind::space;
      length = run_length(sql, is_space);
    } else if (is_word_octet(sql[0])) {
      kind = Token::Kind::word;
      length = run_length(sql, is_word_octet);
    } else if (sql[0] == '?') {
      kind = Token::Kind::parameter;
      length = 1 + run_length(sql.substr(1), is_digit);
    } else if (sql[0] == '\'' || sql[0] == '"') {
      length = quoted_length(sql);
    }
    out.push_back({kind, std::string(sql.substr(0, length))});
    sql.remove_prefix(length);
  }
  return out;
}

bool is(const Token& token, std::string_view word) {
  return std::ranges::equal(token.text, word, [](char a, char b) {
    return std::toupper(static_cast<unsigned char>(a)) == b;
  });
}

// The tokens but spaces from there on are these; where the next one is.
std::optional<std::size_t> match(const Tokens& tokens, std::size_t at,
                                 std::initializer_list<std::string_view> words) {
  for (const auto word : words) {
    while (at < tokens.size() && tokens[at].kind == Token::Kind::space) ++at;
    if (at == tokens.size() || !is(tokens[at], word)) return std::nullopt;
    ++at;
  }
  return at;
}

// A parameter without a number has the next behind the greatest before it, as in SQLite.
void number_parameters(Tokens& tokens) {
  int greatest = 0;
  for (auto& token : tokens) {
    if (token.kind != Token::Kind::parameter) continue;
    int number = greatest + 1;
    std::from_chars(token.text.data() + 1, token.text.data() + token.text.size(), number);
    greatest = std::max(greatest, number);
    token.text = "$" + std::to_string(number);
  }
}

// Whether there is a comma between the parenthesis at `open` and its other one.
bool has_several_arguments(const Tokens& tokens, std::size_t open) {
  int depth = 0;
  for (auto at = open; at < tokens.size(); ++at) {
    if (tokens[at].text == "(") ++depth;
    if (tokens[at].text == ")" && --depth == 0) return false;
    if (tokens[at].text == "," && depth == 1) return true;
  }
  return false;
}

void name_functions(Tokens& tokens) {
  for (std::size_t at = 0; at + 1 < tokens.size(); ++at) {
    const bool is_max = is(tokens[at], "MAX");
    if (!(is_max || is(tokens[at], "MIN")) || tokens[at + 1].text != "(") continue;
    if (has_several_arguments(tokens, at + 1)) tokens[at].text = is_max ? "greatest" : "least";
  }
}

// "(key) DO UPDATE SET a = excluded.a, …" of the columns in the parentheses behind `at`.
std::string replacement(const Tokens& tokens, std::size_t at) {
  while (at < tokens.size() && tokens[at].text != "(") ++at;
  std::string key, sets;
  for (; at < tokens.size() && tokens[at].text != ")"; ++at) {
    if (tokens[at].kind != Token::Kind::word) continue;
    const auto& column = tokens[at].text;
    if (key.empty()) {
      key = column;
    } else {
      sets += (sets.empty() ? "" : ", ") + column + " = excluded." + column;
    }
  }
  return "(" + key + ") DO UPDATE SET " + sets;
}

void resolve_conflicts(Tokens& tokens) {
  const auto begin = match(tokens, 0, {"INSERT", "OR"});
  if (!begin) return;
  const auto replace = match(tokens, *begin, {"REPLACE"});
  const auto ignore = match(tokens, *begin, {"IGNORE"});
  if (!replace && !ignore) return;
  const auto behind = replace ? *replace : *ignore;
  const std::string what =
      " ON CONFLICT " + (replace ? replacement(tokens, behind) : std::string("DO NOTHING")) + " ";
  auto returning =
      std::ranges::find_if(tokens, [](const Token& one) { return is(one, "RETURNING"); });
  tokens.insert(returning, {Token::Kind::other, what});
  tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(behind));
  tokens.insert(tokens.begin(), {Token::Kind::other, "INSERT"});
}

void name_types(Tokens& tokens) {
  if (!match(tokens, 0, {"CREATE", "TABLE"}) && !match(tokens, 0, {"CREATE", "TEMP", "TABLE"}) &&
      !match(tokens, 0, {"ALTER", "TABLE"}))
    return;
  Tokens out;
  for (std::size_t at = 0; at < tokens.size();) {
    const auto take = [&](std::initializer_list<std::string_view> words, const char* ours) {
      const auto next =
          tokens[at].kind == Token::Kind::word ? match(tokens, at, words) : std::nullopt;
      if (!next) return false;
      out.push_back({Token::Kind::other, ours});
      at = *next;
      return true;
    };
    constexpr const char* kId = "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY";
    if (take({"INTEGER", "PRIMARY", "KEY", "AUTOINCREMENT"}, kId)) continue;
    if (take({"INTEGER", "PRIMARY", "KEY"}, kId)) continue;
    if (take({"INTEGER"}, "BIGINT")) continue;
    if (take({"TEXT"}, "TEXT COLLATE \"C\"")) continue;
    if (take({"BLOB"}, "BYTEA")) continue;
    if (take({"WITHOUT", "ROWID"}, "")) continue;
    out.push_back(std::move(tokens[at++]));
  }
  tokens = std::move(out);
}

}  // namespace

std::string to_postgresql(std::string_view sql) {
  std::string out;
  Tokens statement;
  const auto end = [&] {
    while (!statement.empty() && statement.front().kind == Token::Kind::space)
      statement.erase(statement.begin());
    number_parameters(statement);
    name_functions(statement);
    resolve_conflicts(statement);
    name_types(statement);
    for (const auto& token : statement) out += token.text;
    statement.clear();
  };
  for (auto& token : tokens_of(sql)) {
    if (token.text == ";") {
      end();
      out += "; ";
    } else {
      statement.push_back(std::move(token));
    }
  }
  end();
  return out;
}

std::string postgresql_text(std::string_view text) {
  auto out = config::as_utf8(text);
  for (auto at = out.find('\0'); at != std::string::npos; at = out.find('\0', at))
    out.replace(at, 1, "\xef\xbf\xbd");
  return out;
}

}  // namespace storage

#include "config/load.h"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <istream>
#include <iterator>
#include <new>
#include <optional>
#include <set>
#include <span>
#include <streambuf>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "config/fields.h"
#include "config/issuer_file.h"
#include "config/listed_domains.h"
#include "config/name.h"
#include "config/read.h"
#include "config/read_file.h"
#include "config/read_web_file.h"
#include "config/tree.h"
#include "config/web_file.h"

namespace config {
namespace {

constexpr std::size_t largest_file = std::size_t{16} << 20;
constexpr std::size_t deepest_nesting = 8;  // the format itself needs four
constexpr std::size_t most_errors = 1000;   // a hostile file has millions, and nobody reads on

// ---- text to tree

Place place_of(const YAML::Mark& mark) {
  return {.line = std::max(mark.line, 0) + 1, .column = std::max(mark.column, 0) + 1};
}

// yaml-cpp's words, which may quote an octet of the text as it is (or, at its end, a 0x04 of its
// own).
std::string in_ascii(std::string_view message) {
  std::string out;
  for (const char c : message) {
    const auto octet = static_cast<unsigned char>(c);
    out += octet >= 0x20 && octet < 0x7f ? std::string(1, c) : fmt::format("\\x{:02x}", octet);
  }
  return out;
}

// Makes the tree from yaml-cpp's events. YAML::Node would lose duplicate keys and where keys stand,
// and expand aliases before we could count them.
class TreeBuilder final : public YAML::EventHandler {
 public:
  [[nodiscard]] TreeNode root() && { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (seen_document_) {
      throw YAML::ParserException(mark, "a second document; one is all there can be");
    }
    seen_document_ = true;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(leaf(mark, "", anchor, TreeNode::Kind::nothing));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    throw YAML::ParserException(mark, "aliases (*name) are not supported");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    TreeNode node =
        leaf(mark, tag, anchor, tag == "!" ? TreeNode::Kind::quoted : TreeNode::Kind::plain);
    node.text = value;
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(leaf(mark, tag, anchor, TreeNode::Kind::list), mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(leaf(mark, tag, anchor, TreeNode::Kind::map), mark);
  }
  void OnMapEnd() override { close(); }

 private:
  static TreeNode leaf(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       TreeNode::Kind kind) {
    if (anchor != YAML::NullAnchor) {
      throw YAML::ParserException(mark, "anchors (&name) are not supported");
    }
    // yaml-cpp says "?" for no tag, "!" for a quoted scalar.
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw YAML::ParserException(mark, "tags (!name) are not supported");
    }
    return {.kind = kind, .place = place_of(mark), .text = {}, .items = {}};
  }

  void open(TreeNode node, const YAML::Mark& mark) {
    if (open_.size() == deepest_nesting) throw YAML::ParserException(mark, "nested too deeply");
    open_.push_back(std::move(node));
  }

  void close() {
    TreeNode done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done));
  }

  void add(TreeNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    TreeNode& parent = open_.back();
    // yaml-cpp places an absent value at whatever comes next; the reader looks for it at its key.
    const bool is_value = parent.kind == TreeNode::Kind::map && parent.items.size() % 2 == 1;
    if (is_value && node.kind == TreeNode::Kind::nothing) node.place = parent.items.back().place;
    parent.items.push_back(std::move(node));
  }

  TreeNode root_;
  std::vector<TreeNode> open_;
  bool seen_document_ = false;
};

// An istream needs a buffer; this one reads the text where it is.
class TextBuffer final : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    char* const begin =
        const_cast<char*>(text.data());  // setg wants char*; a get area is only read
    setg(begin, begin, begin + text.size());
  }
};

// What must be seen before yaml-cpp sees the text. YAML §5.1 allows no control characters, and
// yaml-cpp takes 0x04 for the end of the file. And it reads ahead over unclosed brackets: 16 MiB of
// them cost 4 GB before the first event. (Brackets in comments count too; nobody has so many.)
std::optional<Complaint> complaint_about_characters(std::string_view text) {
  constexpr int most_unclosed = 1000;
  int unclosed = 0;
  Place place;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if ((octet < 0x20 && c != '\t' && c != '\n' && c != '\r') || octet == 0x7f) {
      return Complaint{place, "a control character; write plain UTF-8"};
    }
    if (c == '[' || c == '{') ++unclosed;
    if (c == ']' || c == '}') --unclosed;
    if (unclosed > most_unclosed) return Complaint{place, "nested too deeply"};
    place = c == '\n' ? Place{.line = place.line + 1} : Place{place.line, place.column + 1};
  }
  return std::nullopt;
}

Result<TreeNode, Complaint> to_tree(std::string_view text) {
  if (text.size() > largest_file) {
    return Failure<Complaint>{{.place = {}, .message = "larger than 16 MiB; no configuration is"}};
  }
  if (auto complaint = complaint_about_characters(text)) {
    return Failure<Complaint>{*std::move(complaint)};
  }
  try {
    TextBuffer buffer{text};
    std::istream in{&buffer};
    YAML::Parser parser{in};
    TreeBuilder builder;
    while (parser.HandleNextDocument(builder)) {
    }
    return std::move(builder).root();
  } catch (const YAML::Exception& error) {
    return Failure<Complaint>{{.place = place_of(error.mark), .message = in_ascii(error.msg)}};
  }
}

// ---- the file

std::vector<LoadError> to_errors(std::vector<Complaint> complaints, std::string_view file_name) {
  const std::size_t count = std::min(complaints.size(), most_errors);
  std::vector<LoadError> errors;
  for (auto& [place, message] : std::span{complaints}.first(count)) {
    errors.push_back({std::string{file_name}, place.line, place.column, std::move(message)});
  }
  if (count < complaints.size()) {
    errors.back().message += fmt::format(" (and {} more errors)", complaints.size() - count);
  }
  return errors;
}

// Editors on Windows write one before UTF-8.
std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view mark = "\xef\xbb\xbf";
  return text.starts_with(mark) ? text.substr(mark.size()) : text;
}

using Errors = std::vector<LoadError>;

Failure<Errors> whole_file_error(std::string_view file_name, std::string why) {
  return Failure<Errors>{{{.file = std::string{file_name}, .message = std::move(why)}}};
}

// `work`, with anything a library throws (out of memory, above all) turned into an error of the
// file.
template <class Work>
auto without_exceptions(std::string_view file_name, Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return whole_file_error(file_name, "there is too little memory to read it");
  } catch (const std::exception& error) {
    return whole_file_error(file_name, error.what());
  }
}

// The names of one file. A name that is there already keeps the role it has.
void add_list(Config& config, const DomainList& list, std::set<std::string>& known,
              std::vector<LoadError>& errors) {
  const std::string& name = list.file.native();
  const auto content = read_file(list.file, largest_file);
  if (!content || content->size() > kLargestList) {
    errors.push_back({.file = name, .message = content ? "larger than 16 MiB" : content.error()});
    return;
  }
  const auto lines = parse_domain_lines(*content);
  for (const auto& domain : lines.names) {
    if (known.insert(domain).second)
      config.domains.push_back({.name = domain, .role = list.role, .group = list.group});
  }
  for (const auto& fault : lines.faults) {
    if (errors.size() < most_errors)
      errors.push_back({name, fault.line, fault.column, fault.message});
  }
}

void add_lists(Config& config, Errors& errors) {
  std::set<std::string> known;
  for (const auto& domain : config.domains) known.insert(domain.name);
  for (const auto& list : config.domain_lists) {
    if (!list.is_elsewhere()) add_list(config, list, known, errors);
  }
}

void add_issuers(Config& config, Errors& errors) {
  if (config.issuers_file.empty()) return;
  const std::string& name = config.issuers_file.native();
  const auto content = read_file(config.issuers_file, largest_file);
  if (!content || content->size() > largest_file) {
    errors.push_back({.file = name, .message = content ? "larger than 16 MiB" : content.error()});
    return;
  }
  auto read = parse_issuers(without_byte_order_mark(*content));
  config.issuers = std::move(read.issuers);
  for (auto& [line, message] : read.faults) {
    if (errors.size() < most_errors) errors.push_back({name, line, 1, std::move(message)});
  }
}

using PlaceOf = std::function<std::string(const std::string& path)>;

// What begins with a slash is the name of a file, or nothing that a file has.
void move_files(TreeNode& node, const PlaceOf& place_of) {
  if (node.is_text() && node.text.starts_with('/')) node.text = place_of(node.text);
  for (auto& item : node.items) move_files(item, place_of);
}

// `named`: the file as the configuration names it: relative paths in it start at its folder.
Result<WebFile, Errors> load_web_file(const std::filesystem::path& file,
                                      const std::filesystem::path& named, const PlaceOf& place_of) {
  const std::string& name = file.native();
  return without_exceptions(name, [&]() -> Result<WebFile, Errors> {
    const auto content = read_file(file, largest_file);
    if (!content) return whole_file_error(name, content.error());
    auto out = parse_web_file(*content, named.native());
    if (!out || !place_of || !out->tls) return out;
    for (auto* path : {&out->tls->cert_file, &out->tls->key_file, &out->tls->client_ca_file})
      *path = place_of(path->native());
    return out;
  });
}

void add_web_file(Web& web, std::string_view file_name, const std::filesystem::path& named,
                  const PlaceOf& place_of, Errors& errors) {
  if (!web.config_file.empty()) {
    auto file = load_web_file(web.config_file, named, place_of);
    if (!file) {
      std::ranges::move(file.error(), std::back_inserter(errors));
      return;
    }
    web.file = *std::move(file);
  }
  const auto must_be_a_user = [&](std::string_view key, const std::string& user) {
    if (!web.file.users.contains(user))
      errors.push_back({.file = std::string{file_name},
                        .message = fmt::format("web.{}: no user of that name in "
                                               "web.config_file: {}",
                                               key, user)});
  };
  for (const auto& user : web.operators) must_be_a_user("operators", user);
  for (const auto& [user, groups] : web.user_groups) must_be_a_user("user_groups", user);
  if (!is_open_to_all(web)) return;
  errors.push_back(
      {.file = std::string{file_name},
       .message = fmt::format("web.listen_address: {} is reached from other machines, and nobody "
                              "has to log in: set web.config_file with users, or web.tokens; or "
                              "web.allow_unauthenticated, when something else checks who they are",
                              web.listen_address)});
}

// A group that is misspelled would show its users nothing, and nobody would know why.
void check_groups(const Config& config, std::string_view file_name, Errors& errors) {
  std::set<std::string_view> known;
  for (const auto& domain : config.domains) known.insert(domain.group.text());
  for (const auto& list : config.domain_lists) known.insert(list.group);
  const auto check = [&](const std::string& whose, const std::vector<std::string>& groups) {
    for (const auto& group : groups) {
      if (!known.contains(group))
        errors.push_back({.file = std::string{file_name},
                          .message = fmt::format("{}: no domain or list is of the group {}", whose,
                                                 in_quotes(group))});
    }
  };
  for (const auto& [user, groups] : config.web.user_groups)
    check("web.user_groups: " + user, groups);
  for (const auto& token : config.web.tokens) check("web.tokens: " + token.name, token.groups);
}

Result<Config, Errors> parse(std::string_view text, std::string_view file_name,
                             const PlaceOf& place_of) {
  text = without_byte_order_mark(text);
  return without_exceptions(file_name, [&]() -> Result<Config, Errors> {
    auto root = to_tree(text);
    if (!root) return Failure<Errors>{to_errors({root.error()}, file_name)};
    if (place_of) move_files(*root, place_of);
    Reading reading = read(*root, std::filesystem::path{file_name}.parent_path());
    if (reading.complaints.empty()) return std::move(reading.config);
    return Failure<Errors>{to_errors(std::move(reading.complaints), file_name)};
  });
}

}  // namespace

std::string to_string(const LoadError& error) {
  if (error.line == 0) return fmt::format("{}: {}", error.file, error.message);
  return fmt::format("{}:{}:{}: {}", error.file, error.line, error.column, error.message);
}

Result<Config, Errors> parse(std::string_view text, std::string_view file_name) {
  return parse(text, file_name, nullptr);
}

Result<Config, Errors> load(const std::filesystem::path& file, const LoadScope& scope) {
  const std::string& name = file.native();
  return without_exceptions(name, [&]() -> Result<Config, Errors> {
    const auto content = read_file(file, largest_file);
    if (!content) return whole_file_error(name, content.error());
    auto config = parse(*content, name);
    if (!config) return config;
    const auto web_file = config->web.config_file;
    if (scope.place_of) config = parse(*content, name, scope.place_of);
    if (!config) return config;
    Errors errors;
    if (scope.domains) add_lists(*config, errors);
    if (scope.service) {
      add_issuers(*config, errors);
      add_web_file(config->web, name, web_file, scope.place_of, errors);
      check_groups(*config, name, errors);
    }
    if (!errors.empty()) return Failure<Errors>{std::move(errors)};
    return config;
  });
}

Result<WebFile, Errors> parse_web_file(std::string_view text, std::string_view file_name) {
  text = without_byte_order_mark(text);
  return without_exceptions(file_name, [&]() -> Result<WebFile, Errors> {
    const auto root = to_tree(text);
    if (!root) return Failure<Errors>{to_errors({root.error()}, file_name)};
    auto reading = read_web_file(*root, std::filesystem::path{file_name}.parent_path());
    if (reading.complaints.empty()) return std::move(reading.file);
    return Failure<Errors>{to_errors(std::move(reading.complaints), file_name)};
  });
}

Result<WebFile, Errors> load_web_file(const std::filesystem::path& file) {
  return load_web_file(file, file, nullptr);
}

bool is_open_to_all(const Web& web) {
  return !is_loopback(web.listen_address) && !web.has_login() && !web.allow_unauthenticated;
}

}  // namespace config

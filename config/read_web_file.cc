#include "config/read_web_file.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "config/fields.h"
#include "config/name.h"

namespace config {
namespace {

// exporter-toolkit's words, which are those of Go. RequestClientCert and RequireAnyClientCert ask
// for certificates that nobody verifies: they would only look like a check.
constexpr auto kClientAuths = std::to_array<std::pair<std::string_view, Tls::ClientAuth>>(
    {{"NoClientCert", Tls::ClientAuth::none},
     {"VerifyClientCertIfGiven", Tls::ClientAuth::if_given},
     {"RequireAndVerifyClientCert", Tls::ClientAuth::required}});
constexpr auto kVersions = std::to_array<std::pair<std::string_view, Tls::Version>>(
    {{"TLS12", Tls::Version::tls12}, {"TLS13", Tls::Version::tls13}});

constexpr Key<Tls> tls_keys[] = {
    {"cert_file", path<&Tls::cert_file>},
    {"key_file", path<&Tls::key_file>},
    {"client_ca_file", path<&Tls::client_ca_file>},
    {"client_auth_type", word<&Tls::client_auth, kClientAuths>},
    {"min_version", word<&Tls::min_version, kVersions>},
};

void tls(const TreeNode& node, WebFile& file, Notes& notes) {
  if (node.kind == TreeNode::Kind::nothing) return;
  read_map<Tls>(node, tls_keys, file.tls.emplace(), notes);
  for (const auto* key : {"cert_file", "key_file"}) {
    if (!has_key(node, key)) complain(notes, node, fmt::format("the key \"{}\" is missing", key));
  }
  if (file.tls->client_auth != Tls::ClientAuth::none && !has_key(node, "client_ca_file"))
    complain(notes, node,
             "client_auth_type without client_ca_file: nothing to verify clients with");
  if (file.tls->client_auth == Tls::ClientAuth::none && has_key(node, "client_ca_file"))
    complain(notes, node, "client_ca_file without client_auth_type: clients would not be asked");
}

// Why it is no bcrypt hash (crypt(5)); it is never shown. One more in the cost doubles the time of
// a login: 10 takes some 50 ms, 14 one second.
std::string fault_of_hash(const TreeNode& node) {
  constexpr std::string_view kAlphabet =
      "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr std::size_t kSize = 60;
  const std::string_view hash = node.text;
  const bool is_bcrypt = node.is_text() && hash.size() == kSize && hash.starts_with("$2") &&
                         (hash[2] == 'a' || hash[2] == 'b' || hash[2] == 'y') && hash[3] == '$' &&
                         hash[6] == '$' &&
                         hash.substr(7).find_first_not_of(kAlphabet) == std::string_view::npos;
  if (!is_bcrypt) return "no bcrypt hash; `htpasswd -nB NAME` makes one";
  const auto cost = hash.substr(4, 2);
  if (cost < "05" || cost > "14" || cost.find_first_not_of("0123456789") != std::string_view::npos)
    return "a bcrypt cost below 5 or above 14; 10 is usual";
  return {};
}

void users(const TreeNode& node, WebFile& file, Notes& notes) {
  if (node.kind == TreeNode::Kind::nothing) return;
  if (node.kind != TreeNode::Kind::map) return complain(notes, node, "expected a map of users");
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const TreeNode& name = node.items[i];
    const TreeNode& hash = node.items[i + 1];
    if (!name.is_text() || name.text.empty() || !printable_text(name.text) ||
        name.text.find(':') != std::string::npos) {
      complain(notes, name, "the name of a user is a text without colons");
    } else if (const auto fault = fault_of_hash(hash); !fault.empty()) {
      complain(notes, hash, fmt::format("user {}: {}", in_quotes(name.text), fault));
    } else if (!file.users.emplace(name.text, hash.text).second) {
      complain(notes, name, fmt::format("user {} again", in_quotes(name.text)));
    }
  }
}

// Those that exporter-toolkit lets be set.
constexpr std::array<std::string_view, 5> kHeaders{"Strict-Transport-Security",
                                                   "X-Content-Type-Options", "X-Frame-Options",
                                                   "X-XSS-Protection", "Content-Security-Policy"};

bool is_header_text(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

void headers(const TreeNode& node, WebFile& file, Notes& notes) {
  if (node.kind == TreeNode::Kind::nothing) return;
  if (node.kind != TreeNode::Kind::map) return wrong(notes, node, "a map of headers");
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const TreeNode& name = node.items[i];
    const TreeNode& value = node.items[i + 1];
    if (!name.is_text() || std::ranges::find(kHeaders, name.text) == kHeaders.end()) {
      complain(notes, name, unknown_key(name.text, {kHeaders.begin(), kHeaders.end()}));
    } else if (!value.is_text() || !is_header_text(value.text)) {
      wrong(notes, value, "a text in ASCII");
    } else if (!file.headers.emplace(name.text, value.text).second) {
      complain(notes, name, fmt::format("header {} again", in_quotes(name.text)));
    }
  }
}

constexpr Key<WebFile> http_keys[] = {{"headers", headers}};

void http(const TreeNode& node, WebFile& file, Notes& notes) {
  read_map<WebFile>(node, http_keys, file, notes);
}

constexpr Key<WebFile> file_keys[] = {
    {"tls_server_config", tls},
    {"basic_auth_users", users},
    {"http_server_config", http},
};

}  // namespace

WebFileReading read_web_file(const TreeNode& root, std::filesystem::path folder) {
  Notes notes{.folder = std::move(folder), .complaints = {}};
  WebFile file;
  read_map<WebFile>(root, file_keys, file, notes);
  std::ranges::stable_sort(notes.complaints, {}, &Complaint::place);
  return {.file = std::move(file), .complaints = std::move(notes.complaints)};
}

}  // namespace config

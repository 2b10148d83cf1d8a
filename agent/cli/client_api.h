#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/result.h"

namespace CLI {
class App;
}

// The API of a running agent, asked from outside. What comes is not trusted: it is bounded in size,
// depth and number, and it is JSON; what its texts hold is escaped where it is shown.
namespace agent {

using Json = nlohmann::ordered_json;

struct AgentAddress {
  // http:// or https://, as the agent is reached
  std::string url = "http://127.0.0.1:9672";
  std::filesystem::path token_file;  // empty: without a login
  std::filesystem::path ca_file;     // PEM; empty: those of this machine
};

// What DANELAW_URL, DANELAW_TOKEN_FILE and DANELAW_CA_FILE say, where they are set and not empty.
[[nodiscard]] AgentAddress address_of_environment();

// The flags that say otherwise.
void add_address(CLI::App& command, AgentAddress& address);

struct ApiFault {
  bool is_refusal = false;  // the agent understood, and says no
  std::string detail;       // in words, harmless for terminals
};

// For one thread. Nothing is retried; an exchange takes 30 seconds at most.
class AgentApi {
 public:
  template <class T>
  using OrFault = config::Result<T, ApiFault>;
  using Query = std::map<std::string, std::string>;  // not encoded

  // Reads the token; the error says what is wrong with the address or the file.
  [[nodiscard]] static config::Result<AgentApi, std::string> make(const AgentAddress& address);

  // `path`: below the address, made of path_of where names are in it. The reply must be an object,
  // or empty (null then).
  [[nodiscard]] OrFault<Json> get(const std::string& path, const Query& query = {}) const;
  [[nodiscard]] OrFault<Json> send(const std::string& method, const std::string& path,
                                   const Query& query, const std::optional<Json>& body) const;
  // All items of a list, whatever pages it comes in.
  [[nodiscard]] OrFault<std::vector<Json>> list(const std::string& path, Query query) const;

  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  struct Reply {
    int status = 0;
    std::string body;
  };
  [[nodiscard]] OrFault<Reply> exchange(const std::string& method, const std::string& target,
                                        const std::optional<Json>& body) const;

  std::string url_;
  std::string token_;
  std::filesystem::path ca_file_;
};

// "/api/v1/domains/{}/check" with the name in it, percent-encoded.
[[nodiscard]] std::string path_of(std::string_view pattern, std::string_view name);

}  // namespace agent

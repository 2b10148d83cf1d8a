#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

// A sequence of events on paper for agent/replay.h, and what the replay says of it in few words.
namespace support {

using Texts = std::vector<std::string>;

class Story {
 public:
  explicit Story(Texts servers = {"ns1"}, Texts endpoints = {"192.0.2.1/default"});
  // Where most begin: 3 1 1 K1 with TTL 3600 and its key have been there for long.
  static Story baseline(Texts servers = {"ns1"}, Texts endpoints = {"192.0.2.1/default"});

  Story& publish(long at, Texts records, long ttl = 3600, const std::string& server = "*");
  // The set published last gets another end of its signature.
  Story& signed_until(long at);
  Story& alias(long at, const std::string& to, long ttl, const std::string& server = "*");
  Story& no_alias(long at, const std::string& server = "*");
  Story& fail(long at, const std::string& server = "*");
  Story& present(long at, Texts chain, const std::string& endpoint = "*");
  Story& scan(std::vector<long> at);
  Story& ask(std::vector<long> at);

  [[nodiscard]] std::string text() const;
  // What the replay prints, by line; a failure of the test when it refuses.
  [[nodiscard]] std::vector<nlohmann::json> played() const;
  // "3600 prepub-ok" for every line but the last.
  [[nodiscard]] Texts states() const;
  // "K1>K2 tight 5400..5400 exposure 0" for every rollover.
  [[nodiscard]] Texts rollovers() const;
  // What is said of that moment.
  [[nodiscard]] nlohmann::json at(long at) const;

 private:
  nlohmann::json json_;
};

}  // namespace support

#pragma once

#include <string>
#include <vector>

#include "web/http.h"
#include "web/sources.h"

namespace web {

// Who may ask, by the name they used: protects a listener on loopback from pages that rebind a name
// to it.
struct Guard {
  std::vector<std::string> hosts;  // accepted in the Host header, without port, lower case
};

// The routes of the JSON API, the page and the operational paths. Every reply carries the security
// headers.
class Api {
 public:
  Api(Sources sources, Guard guard) : sources_(std::move(sources)), guard_(std::move(guard)) {}
  [[nodiscard]] Reply answer(const Request& request) const;

 private:
  [[nodiscard]] Reply route(const Request& request) const;
  [[nodiscard]] Reply get(const Request& request) const;
  [[nodiscard]] Reply change(const Request& request) const;
  [[nodiscard]] Reply status() const;
  [[nodiscard]] Reply domains(const Request& request) const;
  [[nodiscard]] Reply domain(const std::string& name) const;
  [[nodiscard]] Reply history(const std::string& domain, const Request& request) const;
  [[nodiscard]] Reply host(const std::string& name) const;
  [[nodiscard]] Reply timeline(const std::string& host, const Request& request) const;
  [[nodiscard]] Reply alerts(const Request& request) const;
  [[nodiscard]] Reply alert(const std::string& id) const;
  [[nodiscard]] Reply silences() const;
  [[nodiscard]] Reply preview(const Request& request) const;
  [[nodiscard]] Reply deadlines(const Request& request) const;
  [[nodiscard]] Reply findings(const Request& request) const;
  [[nodiscard]] Reply events(const Request& request) const;

  Sources sources_;
  Guard guard_;
};

}  // namespace web

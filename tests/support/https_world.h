#pragma once

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/https_server.h"
#include "tests/support/test_ca.h"

namespace support {

// A CA of the tests' own, whose certificate lies in folder() as ca.pem, for clients that trust it
// alone.
class HttpsWorld : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::signal(SIGPIPE, SIG_IGN);  // as agent/main.cc does
    std::string made = testing::TempDir() + "https_world_XXXXXX";
    if (mkdtemp(made.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder() = made;
    std::ofstream(folder() / "ca.pem") << pem(ca());
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder()); }

  static std::filesystem::path& folder() {
    static std::filesystem::path path;
    return path;
  }
  static const Issued& ca() {
    static const Issued issued =
        self_signed({.common_name = "Test CA", .is_ca = true}, Key::ecdsa());
    return issued;
  }
  static Issued leaf_for(std::vector<std::string> names) {
    return issue({.common_name = "leaf", .dns_names = std::move(names)}, Key::ecdsa(), ca());
  }
};

}  // namespace support

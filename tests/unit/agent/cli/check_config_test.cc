#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "agent/cli/commands.h"

// Secrets that the agent's unit hands over are at hand while it runs only.
namespace {

using testing::HasSubstr;
using testing::Not;

class CheckConfig : public testing::Test {
 protected:
  CheckConfig() { std::filesystem::create_directories(folder_); }
  ~CheckConfig() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream{folder_ / name} << text;
  }
  // The exit status, and what was said.
  int check() {
    write("danelaw.yaml", "domains: [a.test]\nsmtp: {helo: mon.test}\nweb: {config_file: " +
                              (folder_ / "handed/secrets_web").native() + "}\n");
    std::ostringstream out, errors;
    const int status = agent::check_config(
        folder_ / "danelaw.yaml",
        [](const config::Config& settings) {
          std::vector<std::string> faults;
          if (!settings.web.config_file.empty() && settings.web.file.users.empty())
            faults.emplace_back("nobody may log in");
          return faults;
        },
        out, errors, {.handed = folder_ / "handed", .secrets = folder_ / "secrets"});
    said_ = out.str() + errors.str();
    return status;
  }

  const std::filesystem::path folder_ =
      testing::TempDir() + "danelaw_check_config_" + std::to_string(getpid());
  const std::string users_ = "basic_auth_users: {me: $2b$10$" + std::string(53, 'a') + "}\n";
  std::string said_;
};

TEST_F(CheckConfig, LooksAtWhatTheUnitHandsOverWhileItRuns) {
  write("handed/secrets_web", users_);
  EXPECT_EQ(check(), 0) << said_;
  write("handed/secrets_web", "nonsense: 1\n");
  EXPECT_EQ(check(), 1);
}

TEST_F(CheckConfig, LooksWhereTheUnitWillTakeItFromWhileItDoesNot) {
  write("secrets/web", users_);
  EXPECT_EQ(check(), 0) << said_;
  std::filesystem::remove(folder_ / "secrets/web");
  EXPECT_EQ(check(), 1);
  EXPECT_THAT(said_, HasSubstr((folder_ / "secrets/web").native() + ": cannot be read: No such"));
}

TEST_F(CheckConfig, SaysWhatItCannotLookAt) {
  EXPECT_EQ(check(), 0);
  EXPECT_THAT(said_, HasSubstr("secrets_web: cannot be read: No such file or directory (note: can "
                               "be checked only while the agent's unit runs)"));
  EXPECT_THAT(said_, HasSubstr("1 domain, no errors"));
  EXPECT_THAT(said_, Not(HasSubstr("log in"))) << "nor what depends on it";
}

}  // namespace

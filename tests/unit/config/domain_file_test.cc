#include "config/domain_file.h"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace {

class DomainFile : public testing::Test {
 protected:
  DomainFile() {
    auto pattern = (std::filesystem::temp_directory_path() / "danelaw-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~DomainFile() override { std::filesystem::remove_all(folder_); }
  void put(const std::string& text) { std::ofstream{file()} << text; }
  std::filesystem::path file() const { return folder_ / "partners.txt"; }
  std::string text() const {
    std::ifstream in{file()};
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::filesystem::path folder_;
};

TEST_F(DomainFile, GetsALineAndKeepsTheOthers) {
  put("# partners\na.test  # a\n");
  EXPECT_TRUE(config::add_to_domain_file(file(), "b.test").value());
  EXPECT_EQ(text(), "# partners\na.test  # a\nb.test\n");
  put("a.test");
  EXPECT_TRUE(config::add_to_domain_file(file(), "b.test").value());
  EXPECT_EQ(text(), "a.test\nb.test\n");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1) << "nothing else";
}

TEST_F(DomainFile, HasNoDomainTwiceHoweverItIsWritten) {
  put(" Bücher.Test.  # a shop\r\n");
  EXPECT_FALSE(config::add_to_domain_file(file(), "xn--bcher-kva.test").value());
  EXPECT_EQ(text(), " Bücher.Test.  # a shop\r\n");
}

TEST_F(DomainFile, KeepsItsModeAndItsPlaceBehindALink) {
  put("a.test\n");
  std::filesystem::permissions(file(), std::filesystem::perms{0640});
  const auto link = folder_ / "link.txt";
  std::filesystem::create_symlink(file(), link);
  EXPECT_TRUE(config::add_to_domain_file(link, "b.test").value());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(text(), "a.test\nb.test\n");
  EXPECT_EQ(std::filesystem::status(file()).permissions(), std::filesystem::perms{0640});
}

TEST_F(DomainFile, IsNotMadeWhereThereIsNone) {
  EXPECT_FALSE(config::add_to_domain_file(file(), "b.test"));
  EXPECT_FALSE(std::filesystem::exists(file()));
}

}  // namespace

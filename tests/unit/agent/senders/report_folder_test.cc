#include "agent/senders/report_folder.h"

#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/cli/tlsrpt_command.h"
#include "agent/senders/report_watch.h"
#include "tests/support/scene.h"
#include "tests/support/source_dir.h"

namespace agent {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FakeStore final : public SenderReportStore {
 public:
  config::Result<bool, std::string> take(const probes::reports::TlsReport& report,
                                         config::Time) override {
    if (is_full) return config::Failure<std::string>("disk full");
    return known.insert(report.organization + "|" + report.report_id).second;
  }
  config::Result<std::vector<SenderSessions>, std::string> sessions(const Query&) override {
    return std::vector<SenderSessions>{};
  }
  config::Result<std::int64_t, std::string> newest() override { return 0; }
  std::set<std::string> known;
  bool is_full = false;
};

const std::string kSamples = (support::source_dir() / "tests/reports/").string();
const config::Time kLater = config::parse_rfc3339("2026-11-28T06:00:00Z").value();

class Folder : public testing::Test {
 protected:
  static fs::path made() {
    auto pattern = (fs::temp_directory_path() / "danelaw-XXXXXX").string();
    return mkdtemp(pattern.data());
  }
  ~Folder() override { fs::remove_all(path); }

  // As if it had been there for long.
  void put(const std::string& name, const std::string& octets) const {
    std::ofstream(path / name) << octets;
    fs::last_write_time(path / name, fs::file_time_type::clock::now() - std::chrono::hours{1});
  }
  void put_sample(const std::string& name) const { fs::copy_file(kSamples + name, path / name); }
  [[nodiscard]] std::vector<std::string> names(const std::string& folder) const {
    std::vector<std::string> out;
    if (!fs::exists(path / folder)) return out;
    for (const auto& one : fs::directory_iterator(path / folder)) {
      if (one.is_regular_file()) out.push_back(one.path().filename().string());
    }
    std::ranges::sort(out);
    return out;
  }
  bool take_all() {
    taken.clear();
    return watched.take_all(
        store, kLater,
        [&](const std::string& file, const TakenReport& one) {
          taken.push_back(file + (one.fault ? ": " + *one.fault : one.is_new ? " new" : " again"));
        },
        [&](const std::string& words) { faults.push_back(words); });
  }

  fs::path path = made();
  FakeStore store;
  ReportFolder watched{path};
  std::vector<std::string> taken, faults;
};

TEST_F(Folder, IsEmptiedIntoWhatWasTakenAndWhatWasRefused) {
  put_sample("google.json");
  put("spam.eml", "Subject: hello\n\nno report\n");
  put(".hidden", "x");
  fs::create_directory(path / "new");
  fs::copy_file(kSamples + "microsoft.json", path / "new" / "1.M1.host");
  EXPECT_TRUE(take_all());
  EXPECT_THAT(taken, ElementsAre("google.json new", "1.M1.host new",
                                 "spam.eml: no part of the mail is a report"));
  EXPECT_THAT(names("."), ElementsAre(".hidden"));
  EXPECT_THAT(names("taken"), ElementsAre("1.M1.host", "google.json"));
  EXPECT_THAT(names("refused"), ElementsAre("spam.eml"));
  EXPECT_FALSE(take_all());
  EXPECT_THAT(taken, IsEmpty());
}

TEST_F(Folder, TakesAReportOnceAndKeepsBothFiles) {
  put_sample("google.json");
  EXPECT_TRUE(take_all());
  put_sample("google.json");
  EXPECT_FALSE(take_all());
  EXPECT_THAT(taken, ElementsAre("google.json again"));
  EXPECT_THAT(names("taken"), ElementsAre("google.json", "google.json.1"));
}

TEST_F(Folder, LeavesAFileThatMayStillBeWritten) {
  std::ofstream(path / "half.json") << "{\"organization-name\":";
  EXPECT_FALSE(take_all());
  EXPECT_THAT(taken, IsEmpty());
  EXPECT_THAT(names("."), ElementsAre("half.json"));
}

TEST_F(Folder, KeepsReportsWhileTheyCannotBeStored) {
  put_sample("google.json");
  fs::last_write_time(path / "google.json",
                      fs::file_time_type::clock::now() - std::chrono::hours{1});
  store.is_full = true;
  EXPECT_FALSE(take_all());
  EXPECT_THAT(names("."), ElementsAre("google.json"));
  store.is_full = false;
  EXPECT_TRUE(take_all());
}

// Where danelaw may not move files, as in a mailbox of others.
TEST_F(Folder, GoesThroughAllWhereNothingCanBeMoved) {
  for (const auto* name : {".taken", ".refused"}) std::ofstream(path / name) << "";
  fs::rename(path / ".taken", path / "taken");  // files, where folders would have to be
  fs::rename(path / ".refused", path / "refused");
  for (int i = 0; i < 1100; ++i) put(std::to_string(i) + ".eml", "Subject: hello\n\nno report\n");
  std::set<std::string> all;
  for (int pass = 0; pass < 2; ++pass) {
    take_all();
    for (const auto& one : taken) all.insert(one.substr(0, one.find(':')));
  }
  EXPECT_GE(all.size(), 1100U);
  EXPECT_EQ(faults.size(), 1U) << "it is told once";
  take_all();
  EXPECT_THAT(taken, IsEmpty());
}

TEST_F(Folder, ThatCannotBeReadSaysSoUntilItCan) {
  std::ofstream(path / "file") << "x";
  ReportFolder wrong{path / "file"};
  const auto look = [&] {
    wrong.take_all(
        store, kLater, [](const std::string&, const TakenReport&) {}, [](const std::string&) {});
    return wrong.fault().value_or("");
  };
  EXPECT_THAT(look(), HasSubstr("file cannot be read: Not a directory"));
  fs::remove(path / "file");
  EXPECT_THAT(look(), HasSubstr("file cannot be read: No such file or directory"));
  fs::create_directory(path / "file");
  EXPECT_EQ(look(), "");
  EXPECT_FALSE(report_files(path, 1).fault) << "a folder that is no Maildir";
}

TEST_F(Folder, OfTheAgentIsToldOnceWhenItCannotBeRead) {
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<std::string> told;
  const auto say = [&](const std::string& words) {
    const std::scoped_lock lock(mutex);
    told.push_back(words);
    wake.notify_all();
  };
  const auto wait_for = [&](std::size_t count) {
    std::unique_lock lock(mutex);
    return wake.wait_for(lock, std::chrono::seconds{20}, [&] { return told.size() >= count; });
  };
  ReportWatch watch(store, path / "none",
                    {.now = [] { return kLater; },
                     .on_reports = [](const ReportsBySubject&) {},
                     .on_taken = [](const std::string&, const TakenReport&) {},
                     .on_fault = say,
                     .on_folder_recovery = [&] { say("recovered"); }});
  ASSERT_TRUE(wait_for(1));
  EXPECT_THAT(told[0], HasSubstr("tlsrpt.folder: the folder"));
  EXPECT_TRUE(watch.folder_fault());
  fs::create_directory(path / "none");
  watch.wake();
  ASSERT_TRUE(wait_for(2));
  EXPECT_EQ(told[1], "recovered");
  EXPECT_FALSE(watch.folder_fault());
}

TEST_F(Folder, FollowsNoLinks) {
  fs::create_symlink(kSamples + "google.json", path / "link.json");
  EXPECT_FALSE(take_all());
  EXPECT_THAT(taken, IsEmpty());
}

TEST_F(Folder, OfACommandIsReadAsAWhole) {
  put_sample("google.json");
  put_sample("comcast.json");
  std::istringstream in("Subject: x\n\n");
  std::ostringstream out, errors;
  EXPECT_EQ(take_report_files(store, {path, "-", path / "none"}, kLater, in, out, errors), 1);
  EXPECT_THAT(out.str(), HasSubstr("comcast.json: Comcast, 4711: 1 policy"));
  EXPECT_THAT(errors.str(), HasSubstr("-: no part of the mail is a report"));
  EXPECT_THAT(errors.str(), HasSubstr("none: not a file"));
  fs::remove_all(path / "new");
  fs::create_symlink("new", path / "new");  // in a circle
  EXPECT_EQ(take_report_files(store, {path}, kLater, in, out, errors), 1);
  EXPECT_THAT(errors.str(), HasSubstr("/new cannot be read"));
  fs::remove(path / "new");
  std::istringstream nothing;
  std::ostringstream again;
  EXPECT_EQ(take_report_files(store, {path}, kLater, nothing, again, errors), 0);
  EXPECT_THAT(again.str(), HasSubstr("taken before"));
}

// sysexits.h: Postfix returns a mail at most other statuses, and tries again at this one.
TEST_F(Folder, AsksForAnotherTryWhenTheFaultIsOurs) {
  put_sample("google.json");
  put("spam.eml", "Subject: hello\n\nno report\n");
  store.is_full = true;
  std::istringstream in;
  std::ostringstream out, errors;
  EXPECT_EQ(take_report_files(store, {path / "google.json"}, kLater, in, out, errors), 75);
  EXPECT_EQ(take_report_files(store, {path / "spam.eml"}, kLater, in, out, errors), 1);
  EXPECT_EQ(take_report_files(store, {path}, kLater, in, out, errors), 75) << "both";
}

TEST(TakeReport, RefusesHoursToCome) {
  FakeStore store;
  probes::reports::TlsReport report{.organization = "A", .report_id = "1", .policies = {{}}};
  report.from = kLater - std::chrono::hours{24};
  report.until = kLater + std::chrono::hours{27};
  EXPECT_TRUE(take_report(store, report, kLater).fault);
  report.from = kLater + std::chrono::hours{1};
  report.until = kLater + std::chrono::hours{2};
  EXPECT_TRUE(take_report(store, report, kLater).fault);
  report.from = kLater - std::chrono::hours{24} * 1000;
  report.until = report.from + std::chrono::hours{24};
  EXPECT_TRUE(take_report(store, report, kLater).fault);
  report.from = kLater - std::chrono::hours{24};
  report.until = kLater + std::chrono::hours{25};
  EXPECT_TRUE(take_report(store, report, kLater).is_new);
}

// A clock that was wrong, or rsync -a: they are no reports, and nobody writes them any more.
TEST_F(Folder, OfATimeToComeIsNotYoung) {
  std::ofstream(path / "a.json") << "no report";
  fs::last_write_time(path / "a.json", fs::file_time_type::clock::now() + std::chrono::hours{9999});
  put_sample("google.json");
  take_all();
  EXPECT_THAT(names("refused"), ElementsAre("a.json"));
  EXPECT_THAT(names("taken"), ElementsAre("google.json"));
}

}  // namespace
}  // namespace agent

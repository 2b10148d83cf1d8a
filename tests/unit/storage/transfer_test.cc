#include "storage/transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/act_log.h"
#include "storage/lock.h"
#include "storage/schema.h"
#include "storage/upkeep.h"
#include "tests/support/finish.h"
#include "tests/unit/storage/store.h"

namespace {

using storage::Database;
using storage::DatabaseRecorder;
using storage::transfer;
using support::kMinute;
using support::kNow;
using testing::HasSubstr;

class Transfer : public testing::Test {
 protected:
  void SetUp() override {
    if (support::postgresql_server() == nullptr)
      GTEST_SKIP() << "tests/support/postgresql.py gives it a server";
    auto recorder = std::move(*DatabaseRecorder::open(file_));
    support::Scene scene;
    ASSERT_TRUE(support::finish(recorder->keep_only({{.name = "example.test"}})));
    for (int i = 0; i < 3; ++i) {
      auto round = support::host_round(scene, kNow + i * kMinute);
      round.alerts = {support::alert("a-1", agent::AlertState::firing)};
      ASSERT_TRUE(recorder->record(support::domain_round(scene, kNow + i * kMinute)));
      ASSERT_TRUE(recorder->record(round));
      scene.serve({support::Pki::get().old_leaf.certificate});
    }
    ASSERT_TRUE(
        (*storage::ActLog::open(file_))->record({.at = kNow, .by = std::string("a\0b", 3)}));
    Database{file_, Database::Mode::create}.execute("UPDATE sqlite_sequence SET seq = 41");
  }

  const support::TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "danelaw.db";
};

TEST_F(Transfer, TakesEveryRowOfEveryTable) {
  const support::TestDatabase target;
  const auto done = transfer(file_, target.place().connection());
  ASSERT_TRUE(done) << done.error();
  Database from{file_, Database::Mode::read_only};
  Database to{target.place(), Database::Mode::create};
  std::int64_t rows = 0;
  for (const auto& table : from.tables()) {
    const auto count = from.integer("SELECT count(*) FROM " + table);
    EXPECT_EQ(to.integer("SELECT count(*) FROM " + table), count) << table;
    rows += count;
  }
  EXPECT_EQ(done->rows, rows);
  EXPECT_EQ(storage::find_damage(to, storage::Depth::quick), std::nullopt);
}

TEST_F(Transfer, TheAgentGoesOnWhereItWas) {
  const support::TestDatabase target;
  ASSERT_TRUE(transfer(file_, target.place().connection()));
  auto recorder = std::move(*DatabaseRecorder::open(target.place()));
  EXPECT_EQ(recorder->restore(kNow)->alerts.size(), 1U);
  support::Scene scene;
  scene.serve({support::Pki::get().root.certificate});
  EXPECT_TRUE(recorder->record(support::host_round(scene, kNow + 9 * kMinute)));
  EXPECT_TRUE((*storage::ActLog::open(target.place()))->record({.at = kNow, .by = "next"}));
  Database to{target.place(), Database::Mode::read_only};
  EXPECT_EQ(to.integer("SELECT id FROM act WHERE by = 'next'"), 42) << "none is given twice";
}

TEST_F(Transfer, ADatabaseWithAHistoryIsRefusedAndStaysAsItIs) {
  support::Store store;
  store.keep_only({{.name = "other.test"}});
  store.close();
  const auto done = transfer(file_, store.place().connection());
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error(), HasSubstr("it holds a history already (table domain)"));
  store.reopen();
  EXPECT_THAT(store.rows("SELECT name FROM domain"), testing::ElementsAre("other.test"));
}

TEST_F(Transfer, IsRefusedWhileAnAgentUsesOneOfThem) {
  const support::TestDatabase target;
  {
    const auto lock = storage::DatabaseLock::take(file_);
    EXPECT_THAT(transfer(file_, target.place().connection()).error(),
                HasSubstr("in use by another agent"));
  }
  const auto lock = storage::DatabaseLock::take(target.place());
  ASSERT_TRUE(lock);
  EXPECT_THAT(transfer(file_, target.place().connection()).error(),
              HasSubstr("in use by another agent"));
}

TEST_F(Transfer, WhatIsNoWholeNumberIsRefusedWhereOneBelongs) {
  Database{file_, Database::Mode::create}.execute("UPDATE act SET at = 1.5");
  const support::TestDatabase target;
  const auto done = transfer(file_, target.place().connection());
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error(), HasSubstr("no whole numbers where these belong, in table act"));
}

TEST_F(Transfer, TheTargetIsNamed) {
  EXPECT_EQ(transfer(file_, "").error(), "no PostgreSQL database is named");
}

TEST_F(Transfer, ADamagedFileIsRefused) {
  Database{file_, Database::Mode::create}.execute("UPDATE content SET body = 'x'");
  const support::TestDatabase target;
  const auto done = transfer(file_, target.place().connection());
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error(), HasSubstr("damaged"));
}

}  // namespace

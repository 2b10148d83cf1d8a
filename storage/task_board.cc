#include "storage/task_board.h"

#include <thread>
#include <utility>

#include <fmt/format.h>

#include "storage/database.h"
#include "storage/times.h"

namespace storage {
namespace {

using agent::SentLook;
using agent::Target;
using agent::TaskBoard;
using probes::dns::Name;

constexpr const char* kTasks = "danelaw_task";  // bells
constexpr const char* kLooks = "danelaw_look";
constexpr const char* kServerTime = "floor(extract(epoch FROM now()))::bigint";

std::int64_t number(Target::Kind kind) {
  return kind == Target::Kind::host ? 1 : 0;
}

Target::Kind kind_from(std::int64_t number) {
  return number == 1 ? Target::Kind::host : Target::Kind::domain;
}

// Targets go to the server in one statement, a line each: "KIND NAME". A name has no blanks.
constexpr const char* kTargets =
    "SELECT split_part(line, ' ', 1)::bigint AS kind, split_part(line, ' ', 2) AS name "
    "FROM string_to_table(?, chr(10)) AS line";

std::string lines_of(const std::vector<Target>& targets) {
  std::string out;
  for (const auto& target : targets)
    out += fmt::format("{}{} {}", out.empty() ? "" : "\n", number(target.kind), target.name.text());
  return out;
}

}  // namespace

struct DatabaseTaskBoard::State {
  State(const Place& at, std::string its_name, std::string its_vantage)
      : place(at),
        session(at, Database::Mode::create),
        name(std::move(its_name)),
        vantage(std::move(its_vantage)) {}

  Place place;
  Database session;
  const std::string name, vantage;
  bool listens = false;
};

DatabaseTaskBoard::DatabaseTaskBoard(std::unique_ptr<State> state) : state_(std::move(state)) {}
DatabaseTaskBoard::~DatabaseTaskBoard() = default;

config::Result<std::unique_ptr<DatabaseTaskBoard>, std::string> DatabaseTaskBoard::open(
    const Place& place, std::string name, std::string vantage) {
  return guarded<std::string>(place, [&] {
    return std::unique_ptr<DatabaseTaskBoard>(
        new DatabaseTaskBoard(std::make_unique<State>(place, std::move(name), std::move(vantage))));
  });
}

TaskBoard::Result<> DatabaseTaskBoard::clear() {
  return guarded<std::string>(state_->place, [&] {
    Transaction transaction{state_->session};
    state_->session.prepare("DELETE FROM task").run();
    state_->session.prepare("DELETE FROM look").run();
    transaction.commit();
  });
}

TaskBoard::Result<> DatabaseTaskBoard::hand_out(const std::string& vantage,
                                                const std::vector<Target>& targets) {
  return guarded<std::string>(state_->place, [&] {
    if (targets.empty()) return;
    Transaction transaction{state_->session};
    state_->session
        .prepare(fmt::format("INSERT INTO task(vantage, kind, name, agent, lent_until) "
                             "SELECT ?, t.kind, t.name, '', 0 FROM ({}) AS t "
                             "ON CONFLICT DO NOTHING",
                             kTargets))
        .bind(vantage, lines_of(targets))
        .run();
    state_->session.prepare(fmt::format("NOTIFY {}", kTasks)).run();
    transaction.commit();
  });
}

TaskBoard::Result<> DatabaseTaskBoard::withdraw(const std::string& vantage,
                                                const std::vector<Target>& targets) {
  return guarded<std::string>(state_->place, [&] {
    if (targets.empty()) return;
    Transaction transaction{state_->session};
    state_->session
        .prepare(fmt::format("DELETE FROM task USING ({}) AS t "
                             "WHERE vantage = ? AND task.kind = t.kind AND task.name = t.name",
                             kTargets))
        .bind(lines_of(targets), vantage)
        .run();
    transaction.commit();
  });
}

TaskBoard::Result<std::vector<SentLook>> DatabaseTaskBoard::collect(std::size_t most,
                                                                    config::Time now) {
  return guarded<std::string>(state_->place, [&] {
    Transaction transaction{state_->session};
    std::vector<SentLook> out;
    // The clock of whoever sent it, and ours, each held against the server's.
    auto row = state_->session.prepare(
        fmt::format("DELETE FROM look WHERE n IN (SELECT n FROM look ORDER BY n LIMIT ?) "
                    "RETURNING n, vantage, agent, kind, name, body, (? - {}) - ahead",
                    kServerTime));
    row.bind(static_cast<std::int64_t>(most), seconds(now));
    while (row.step()) {
      auto name = Name::parse(row.text(4));
      if (!name) continue;
      out.push_back({.vantage = row.text(1),
                     .agent = row.text(2),
                     .target = {.kind = kind_from(row.integer(3)), .name = std::move(*name)},
                     .body = row.bytes(5),
                     .shift = config::Seconds{row.integer(6)}});
    }
    transaction.commit();
    return out;
  });
}

TaskBoard::Result<std::vector<Target>> DatabaseTaskBoard::lease(std::size_t most,
                                                                config::Seconds lent_for) {
  return guarded<std::string>(state_->place, [&] {
    std::vector<Target> out;
    auto row = state_->session.prepare(
        fmt::format("UPDATE task SET agent = ?, lent_until = {0} + ? FROM ("
                    "SELECT kind, name FROM task WHERE vantage = ? AND lent_until <= {0} "
                    "ORDER BY lent_until LIMIT ? FOR UPDATE SKIP LOCKED) AS free "
                    "WHERE task.vantage = ? AND task.kind = free.kind AND task.name = free.name "
                    "RETURNING task.kind, task.name",
                    kServerTime));
    row.bind(state_->name, lent_for.count(), state_->vantage, static_cast<std::int64_t>(most),
             state_->vantage);
    while (row.step()) {
      if (auto name = Name::parse(row.text(1)))
        out.push_back({.kind = kind_from(row.integer(0)), .name = std::move(*name)});
    }
    return out;
  });
}

TaskBoard::Result<> DatabaseTaskBoard::renew(config::Seconds lent_for) {
  return guarded<std::string>(state_->place, [&] {
    state_->session
        .prepare(fmt::format("UPDATE task SET lent_until = {0} + ? "
                             "WHERE vantage = ? AND agent = ? AND lent_until > {0}",
                             kServerTime))
        .bind(lent_for.count(), state_->vantage, state_->name)
        .run();
  });
}

TaskBoard::Result<> DatabaseTaskBoard::release() {
  return guarded<std::string>(state_->place, [&] {
    state_->session.prepare("UPDATE task SET lent_until = 0 WHERE vantage = ? AND agent = ?")
        .bind(state_->vantage, state_->name)
        .run();
  });
}

TaskBoard::Result<> DatabaseTaskBoard::send(const std::vector<SentLook>& looks, config::Time now) {
  return guarded<std::string>(state_->place, [&] {
    if (looks.empty()) return;
    // All bodies behind each other, and where each begins and how long it is.
    probes::dns::Bytes bodies;
    std::string lines;
    for (const auto& look : looks) {
      lines += fmt::format("{}{} {} {} {}", lines.empty() ? "" : "\n", number(look.target.kind),
                           look.target.name.text(), bodies.size() + 1, look.body.size());
      bodies.insert(bodies.end(), look.body.begin(), look.body.end());
    }
    Transaction transaction{state_->session};
    state_->session
        .prepare(fmt::format(
            "WITH sent AS ("
            "  SELECT split_part(line, ' ', 1)::bigint AS kind, split_part(line, ' ', 2) AS name,"
            "    split_part(line, ' ', 3)::integer AS at, split_part(line, ' ', 4)::integer AS size"
            "  FROM string_to_table(?1, chr(10)) AS line), "
            "taken AS ("
            "  DELETE FROM task USING sent WHERE vantage = ?2 AND agent = ?3"
            "    AND task.kind = sent.kind AND task.name = sent.name"
            "  RETURNING sent.kind, sent.name, sent.at, sent.size) "
            "INSERT INTO look(vantage, agent, kind, name, body, ahead) "
            "SELECT ?2, ?3, kind, name, substring(?4 FROM at FOR size), ?5 - {} FROM taken",
            kServerTime))
        .bind(lines, state_->vantage, state_->name, bodies, seconds(now))
        .run();
    state_->session.prepare(fmt::format("NOTIFY {}", kLooks)).run();
    transaction.commit();
  });
}

void DatabaseTaskBoard::wait(std::chrono::milliseconds longest) {
  try {
    // What is listened for has to be heard: libpq keeps each until then.
    if (!std::exchange(state_->listens, true))
      state_->session.listen(state_->place.epoch() ? kLooks : kTasks);
    state_->session.wait_for_bell(longest);
  } catch (const std::exception&) {
    // The next question says what is wrong.
    std::this_thread::sleep_for(longest);
  }
}

}  // namespace storage

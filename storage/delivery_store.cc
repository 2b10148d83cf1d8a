#include "storage/delivery_store.h"

#include <fmt/format.h>

namespace storage {

using config::Result;

DatabaseDeliveryStore::DatabaseDeliveryStore(const Place& place, const std::string& agent)
    : place_(place),
      agent_(place.is_postgresql() ? agent : std::string()),
      db_(place, Database::Mode::create) {}

Result<std::unique_ptr<DatabaseDeliveryStore>, std::string> DatabaseDeliveryStore::open(
    const Place& place, const std::string& agent) {
  return guarded<std::string>(place, [&] {
    return std::unique_ptr<DatabaseDeliveryStore>(new DatabaseDeliveryStore(place, agent));
  });
}

void DatabaseDeliveryStore::take_over() {
  auto mine = db_.prepare("SELECT 1 FROM own_delivery_state WHERE agent = ? LIMIT 1");
  if (agent_.empty() || mine.bind(agent_).step()) return;
  Transaction transaction{db_};
  for (const auto* table :
       {"own_delivery_state", "own_delivery", "own_disagreement", "own_undecided"})
    db_.prepare(fmt::format("UPDATE {} SET agent = ? WHERE agent = ''", table)).bind(agent_).run();
  transaction.commit();
}

Result<agent::DeliveryStore::Kept, std::string> DatabaseDeliveryStore::restore() {
  return guarded<std::string>(place_, [&] {
    take_over();
    Kept out;
    auto domains = db_.prepare("SELECT domain, body FROM own_delivery WHERE agent = ?");
    for (domains.bind(agent_); domains.step();)
      out.domains.emplace(domains.text(0), domains.text(1));
    auto disagreements =
        db_.prepare("SELECT body FROM own_disagreement WHERE agent = ? ORDER BY id");
    for (disagreements.bind(agent_); disagreements.step();)
      out.disagreements.push_back(disagreements.text(0));
    auto undecided = db_.prepare("SELECT number, body FROM own_undecided WHERE agent = ?");
    for (undecided.bind(agent_); undecided.step();)
      out.undecided.emplace(undecided.integer(0), undecided.text(1));
    auto state = db_.prepare("SELECT key, value FROM own_delivery_state WHERE agent = ?");
    for (state.bind(agent_); state.step();) {
      const auto key = state.text(0);
      if (key == "agreement") out.agreement = state.text(1);
      if (key == "log") out.log = state.text(1);
      if (key == "position") out.position = state.text(1);
      if (key == "reader") out.reader = state.text(1);
    }
    return out;
  });
}

Result<void, std::string> DatabaseDeliveryStore::save(const agent::DeliveryBook::Changes& changes,
                                                      const std::string& log,
                                                      const std::string& position,
                                                      const std::string& reader) {
  return guarded<std::string>(place_, [&] {
    Transaction transaction{db_};
    auto put = db_.prepare(
        "INSERT INTO own_delivery(agent, domain, body) VALUES(?, ?, ?) "
        "ON CONFLICT(agent, domain) DO UPDATE SET body = excluded.body");
    for (const auto& [domain, body] : changes.domains) put.bind(agent_, domain, body).run();
    auto drop = db_.prepare("DELETE FROM own_delivery WHERE agent = ? AND domain = ?");
    for (const auto& domain : changes.gone) drop.bind(agent_, domain).run();
    auto add = db_.prepare("INSERT INTO own_disagreement(agent, body) VALUES(?, ?)");
    for (const auto& body : changes.disagreements) add.bind(agent_, body).run();
    db_.prepare(
           "DELETE FROM own_disagreement WHERE agent = ?1 AND id <= (SELECT id FROM "
           "own_disagreement WHERE agent = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)")
        .bind(agent_, kMostDisagreements)
        .run();
    auto wait = db_.prepare(
        "INSERT INTO own_undecided(agent, number, body) VALUES(?, ?, ?) "
        "ON CONFLICT(agent, number) DO UPDATE SET body = excluded.body");
    for (const auto& [number, body] : changes.undecided) wait.bind(agent_, number, body).run();
    auto decide = db_.prepare("DELETE FROM own_undecided WHERE agent = ? AND number = ?");
    for (const auto number : changes.decided) decide.bind(agent_, number).run();
    auto put_state = db_.prepare(
        "INSERT INTO own_delivery_state(agent, key, value) VALUES(?, ?, ?) "
        "ON CONFLICT(agent, key) DO UPDATE SET value = excluded.value");
    const auto keep = [&](const char* key, const std::string& value) {
      put_state.bind(agent_, key, value).run();
    };
    if (!changes.agreement.empty()) keep("agreement", changes.agreement);
    keep("log", log);
    keep("position", position);
    keep("reader", reader);
    transaction.commit();
  });
}

}  // namespace storage

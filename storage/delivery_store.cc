#include "storage/delivery_store.h"

namespace storage {

using config::Result;

DatabaseDeliveryStore::DatabaseDeliveryStore(const Place& place)
    : place_(place), db_(place, Database::Mode::create) {}

Result<std::unique_ptr<DatabaseDeliveryStore>, std::string> DatabaseDeliveryStore::open(
    const Place& place) {
  return guarded<std::string>(place, [&] {
    return std::unique_ptr<DatabaseDeliveryStore>(new DatabaseDeliveryStore(place));
  });
}

Result<agent::DeliveryStore::Kept, std::string> DatabaseDeliveryStore::restore() {
  return guarded<std::string>(place_, [&] {
    Kept out;
    auto domains = db_.prepare("SELECT domain, body FROM own_delivery");
    while (domains.step()) out.domains.emplace(domains.text(0), domains.text(1));
    auto disagreements = db_.prepare("SELECT body FROM own_disagreement ORDER BY id");
    while (disagreements.step()) out.disagreements.push_back(disagreements.text(0));
    auto undecided = db_.prepare("SELECT number, body FROM own_undecided");
    while (undecided.step()) out.undecided.emplace(undecided.integer(0), undecided.text(1));
    auto state = db_.prepare("SELECT key, value FROM own_delivery_state");
    while (state.step()) {
      const auto key = state.text(0);
      if (key == "agreement") out.agreement = state.text(1);
      if (key == "log") out.log = state.text(1);
      if (key == "position") out.position = state.text(1);
    }
    return out;
  });
}

Result<void, std::string> DatabaseDeliveryStore::save(const agent::DeliveryBook::Changes& changes,
                                                      const std::string& log,
                                                      const std::string& position) {
  return guarded<std::string>(place_, [&] {
    Transaction transaction{db_};
    auto put = db_.prepare("INSERT OR REPLACE INTO own_delivery(domain, body) VALUES(?, ?)");
    for (const auto& [domain, body] : changes.domains) put.bind(domain, body).run();
    auto drop = db_.prepare("DELETE FROM own_delivery WHERE domain = ?");
    for (const auto& domain : changes.gone) drop.bind(domain).run();
    auto add = db_.prepare("INSERT INTO own_disagreement(body) VALUES(?)");
    for (const auto& body : changes.disagreements) add.bind(body).run();
    db_.prepare(
           "DELETE FROM own_disagreement WHERE id <= (SELECT max(id) FROM own_disagreement) - ?")
        .bind(kMostDisagreements)
        .run();
    auto wait = db_.prepare("INSERT OR REPLACE INTO own_undecided(number, body) VALUES(?, ?)");
    for (const auto& [number, body] : changes.undecided) wait.bind(number, body).run();
    auto decide = db_.prepare("DELETE FROM own_undecided WHERE number = ?");
    for (const auto number : changes.decided) decide.bind(number).run();
    auto state = db_.prepare("INSERT OR REPLACE INTO own_delivery_state(key, value) VALUES(?, ?)");
    if (!changes.agreement.empty()) state.bind("agreement", changes.agreement).run();
    state.bind("log", log).run();
    state.bind("position", position).run();
    transaction.commit();
  });
}

}  // namespace storage

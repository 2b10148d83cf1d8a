#include "agent/foresight/announcements.h"

#include <algorithm>

namespace agent {
namespace {

// The same issuance, shown first and again: the certificate rather than its precertificate, with
// all issuers that were shown with either.
AnnouncedCertificate joined(const AnnouncedCertificate& before, const AnnouncedCertificate& again) {
  const bool is_better = before.is_precertificate && !again.is_precertificate;
  auto both = before.chain;
  both.insert(both.end(), again.chain.begin(), again.chain.end());
  auto out = before;
  out.is_precertificate = before.is_precertificate && again.is_precertificate;
  out.chain = with_issuers({(is_better ? again : before).chain.front()}, both);
  return out;
}

// As names_asked() asks for them.
std::set<std::string> index_names(const AnnouncedCertificate& announced) {
  std::set<std::string> out;
  for (auto& name : names_of(*announced.chain.front())) {
    if (const auto dot = name.find('.'); dot != std::string::npos) out.insert(name.substr(dot));
    out.insert(std::move(name));
  }
  return out;
}

}  // namespace

Announcements::Announcements(std::vector<AnnouncedCertificate> announced,
                             std::vector<NotForMail> not_for_mail) {
  for (auto& one : announced) take(std::move(one));
  for (const auto& one : not_for_mail) set_not_for_mail(one);
}

Announcements::News Announcements::take(AnnouncedCertificate announced) {
  const auto known = by_id_.find(announced.id);
  if (known != by_id_.end()) {
    auto& before = known->second;
    auto both = joined(before, announced);
    if (both.is_precertificate == before.is_precertificate &&
        both.chain.size() <= before.chain.size())
      return News::none;
    index(before, false);
    before = std::move(both);
    index(before, true);
    return News::better;
  }
  if (by_id_.size() >= kMost) {
    drop(least_wanted());
  }
  const auto id = announced.id;
  index(by_id_.emplace(id, std::move(announced)).first->second, true);
  return News::fresh;
}

// Of the key that has the most the first: many of one key are no reason to forget another.
std::string Announcements::least_wanted() const {
  std::map<std::string, std::vector<const AnnouncedCertificate*>> by_key;
  for (const auto& [id, one] : by_id_) by_key[key_of(one)].push_back(&one);
  // Of those that have as many the one whose first was shown first.
  const AnnouncedCertificate* out = nullptr;
  std::size_t most = 0;
  for (const auto& [key, all] : by_key) {
    const auto* first = *std::ranges::min_element(all, {}, &AnnouncedCertificate::shown_at);
    const bool is_worse =
        all.size() > most || (all.size() == most && first->shown_at < out->shown_at);
    if (!is_worse) continue;
    most = all.size();
    out = first;
  }
  return out == nullptr ? std::string() : out->id;
}

AnnouncedCertificate Announcements::with_known(AnnouncedCertificate announced) const {
  const auto* before = find(announced.id);
  return before == nullptr ? announced : joined(*before, announced);
}

const AnnouncedCertificate* Announcements::find(const std::string& id) const {
  const auto known = by_id_.find(id);
  return known == by_id_.end() ? nullptr : &known->second;
}

bool Announcements::set_not_for_mail(const NotForMail& said) {
  if (not_for_mail_.size() >= kMostNotForMail && !not_for_mail_.contains(said.key)) return false;
  not_for_mail_.insert_or_assign(said.key, said);
  return true;
}

bool Announcements::set_for_mail(const std::string& key) {
  return not_for_mail_.erase(key) > 0;
}

const NotForMail* Announcements::not_for_mail(const std::string& key) const {
  const auto said = not_for_mail_.find(key);
  return said == not_for_mail_.end() ? nullptr : &said->second;
}

std::vector<const AnnouncedCertificate*> Announcements::of_host(const ForeseenHost& host) const {
  std::set<std::string> ids;
  for (const auto& name : names_asked(host)) {
    const auto found = by_name_.find(name);
    if (found != by_name_.end()) ids.insert(found->second.begin(), found->second.end());
  }
  std::vector<const AnnouncedCertificate*> out;
  for (const auto& id : ids) {
    const auto& one = by_id_.at(id);
    if (!not_for_mail_.contains(key_of(one)) && is_for(*one.chain.front(), host))
      out.push_back(&one);
  }
  return out;
}

std::vector<AnnouncedCertificate> Announcements::take_of_host(const ForeseenHost& host) {
  std::vector<AnnouncedCertificate> out;
  for (const auto* one : of_host(host)) out.push_back(*one);
  for (const auto& one : out) drop(one.id);
  return out;
}

std::vector<AnnouncedCertificate> Announcements::all() const {
  std::vector<AnnouncedCertificate> out;
  for (const auto& [id, one] : by_id_) out.push_back(one);
  return out;
}

std::vector<NotForMail> Announcements::all_not_for_mail() const {
  std::vector<NotForMail> out;
  for (const auto& [key, said] : not_for_mail_) out.push_back(said);
  return out;
}

void Announcements::forget_expired(config::Time at) {
  std::vector<std::string> gone;
  for (const auto& [id, one] : by_id_) {
    if (one.chain.front()->not_after <= at) gone.push_back(id);
  }
  for (const auto& id : gone) drop(id);
}

void Announcements::index(const AnnouncedCertificate& announced, bool is_there) {
  for (const auto& name : index_names(announced)) {
    if (is_there) {
      by_name_[name].insert(announced.id);
    } else if (const auto ids = by_name_.find(name); ids != by_name_.end()) {
      ids->second.erase(announced.id);
      if (ids->second.empty()) by_name_.erase(ids);
    }
  }
}

void Announcements::drop(const std::string& id) {
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) return;
  index(known->second, false);
  by_id_.erase(known);
}

}  // namespace agent

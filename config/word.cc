#include "config/word.h"

#include <functional>
#include <set>

#include "config/mutex.h"

namespace config {
namespace {

struct Pool {
  Mutex mutex;
  std::set<std::string, std::less<>> words GUARDED_BY(mutex);
};

}  // namespace

Word::Word(std::string_view text) {
  if (text.empty()) return;
  static Pool pool;
  const Lock lock(pool.mutex);
  auto known = pool.words.find(text);
  if (known == pool.words.end()) known = pool.words.emplace(text).first;
  text_ = &*known;
}

const std::string& Word::text() const {
  static const std::string kEmpty;
  return text_ == nullptr ? kEmpty : *text_;
}

}  // namespace config

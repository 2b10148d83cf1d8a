#include "tests/support/recorded_corpus.h"

#include <fstream>
#include <sstream>

#include "tests/support/source_dir.h"

namespace support {

std::string kept_in(const std::string& file) {
  std::ifstream in(source_dir() / "tests/recorded" / file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace support

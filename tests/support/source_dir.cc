#include "tests/support/source_dir.h"

namespace support {

std::filesystem::path source_dir() {
  return DANELAW_SOURCE_DIR;
}

}  // namespace support

#pragma once

#include "probes/codec/recorded.h"
#include "probes/codec/value.h"

// PURE
namespace probes::codec {

// Throws Unreadable (reader.h).
[[nodiscard]] Recorded recorded_from(const Value& value);

}  // namespace probes::codec

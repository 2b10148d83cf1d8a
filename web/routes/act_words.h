#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/act_log.h"

// PURE
// What people do, in words.
namespace web {

// Whether an act of that name may be asked for.
[[nodiscard]] bool is_act(std::string_view name);

// A sentence: "anna acknowledged the alert."; "Somebody …" of whom no name is known. Names are fit
// to be shown.
[[nodiscard]] std::string in_words(const storage::Act& act);

}  // namespace web

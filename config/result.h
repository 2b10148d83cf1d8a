#pragma once

#include <tl/expected.hpp>

namespace config {

// A value, or the reason why there is none: for calls that can fail to do their job. E is a small
// struct that says where and why. (libstdc++ 12 has no usable <expected>; this alias is the only
// mention of tl.)
template <class T, class E>
using Result = tl::expected<T, E>;

template <class E>
using Failure = tl::unexpected<E>;

}  // namespace config

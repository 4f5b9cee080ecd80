// Text as a template argument: Named<"conv1", ...>.
#pragma once

#include <algorithm>
#include <cstddef>

#include "rnx/core/config.hpp"

namespace rnx::inline RNX_ABI {

template <std::size_t N>
struct fixed_string {
  char text[N]{};
  constexpr fixed_string(const char (&s)[N]) { std::copy_n(s, N, text); }
  constexpr const char* c_str() const { return text; }
};

}  // namespace rnx::inline RNX_ABI

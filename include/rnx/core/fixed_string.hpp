// Text as a template argument: Named<"conv1", ...>.
#pragma once

#include <algorithm>
#include <cstddef>

#include "rnx/config.hpp"

namespace rnx::inline RNX_ABI {

/// Up to 63 characters. No template: nvcc does not match partial specialisations on the value of a
/// class template.
struct fixed_string {
  char text[64]{};
  template <std::size_t N> constexpr fixed_string(const char (&s)[N]) {
    static_assert(N <= sizeof text, "rnx: a name in a template argument has at most 63 characters");
    std::copy_n(s, N, text);
  }
  constexpr const char* c_str() const { return text; }
};

}  // namespace rnx::inline RNX_ABI

// Names of families that are told their numbers of bits: in "resnet20_{M}x{N}" {M} stands for the
// weights' number and {N} for the activations', in "resnet20_pact{K}" {K} for both.
#pragma once

#include <optional>
#include <string_view>

#include "rnx/quant.hpp"

namespace rnx::inline RNX_ISA::models {

/// What a name says where it is one of the family's: {3, 1} of "resnet20_3x1". Nothing: it is none.
/// Whether a network takes such numbers is its own affair.
inline std::optional<quant::Bits> told_by(std::string_view name, std::string_view family) {
  quant::Bits bits;
  while (!family.empty()) {
    const bool number = family.size() >= 3 && family[0] == '{' && family[2] == '}';
    if (!number) {
      if (name.empty() || name[0] != family[0]) return {};
      name.remove_prefix(1);
      family.remove_prefix(1);
      continue;
    }
    int found = 0;
    std::size_t digits = 0;
    for (; digits < name.size() && name[digits] >= '0' && name[digits] <= '9'; ++digits)
      if (digits < 4) found = 10 * found + (name[digits] - '0');
    if (digits == 0 || digits > 4 || (digits > 1 && name[0] == '0')) return {};
    if (family[1] != 'N') bits.weights = found;
    if (family[1] != 'M') bits.activations = found;
    name.remove_prefix(digits);
    family.remove_prefix(3);
  }
  return name.empty() ? std::optional(bits) : std::nullopt;
}

}  // namespace rnx::inline RNX_ISA::models

// What a data set is once read: bytes and labels in memory. Named by the version only, so that
// programs of any instruction set share it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rnx/core/dims.hpp"

namespace rnx::inline RNX_ABI::dataset {

enum class Split { train, test };

/// The label of a sample that has none.
inline constexpr std::int32_t no_label = -1;

/// n images of 8-bit channels, and their labels where they have some.
struct Images {
  int n = 0;
  Dims dims{3, 32, 32};
  int classes = 0;
  std::vector<std::uint8_t> pixels{};      ///< (n, h, w, c), channels innermost
  std::vector<std::int32_t> labels{};      ///< (n), in [0, classes); empty: they have none
  std::vector<std::string> class_names{};  ///< (classes), or empty where the data set does not tell
};

}  // namespace rnx::inline RNX_ABI::dataset

namespace rnx::inline RNX_ISA::data {
using dataset::Images;
using dataset::no_label;
using dataset::Split;
}  // namespace rnx::inline RNX_ISA::data

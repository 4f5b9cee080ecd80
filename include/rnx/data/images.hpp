// What a data set is once read: bytes and labels in memory. Named by the version only, so that
// programs of any instruction set share it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rnx/core/dims.hpp"

namespace rnx::inline RNX_ABI::dataset {

enum class Split { train, test };

/// n images of 8-bit channels and their labels.
struct Images {
  int n = 0;
  Dims dims{3, 32, 32};
  int classes = 0;
  std::vector<std::uint8_t> pixels{};      ///< (n, h, w, c), channels innermost
  std::vector<std::int32_t> labels{};      ///< (n), in [0, classes)
  std::vector<std::string> class_names{};  ///< (classes), or empty where the data set does not tell
};

/// Random crop of the image padded with zeros, and horizontal flip with probability 1/2 (He et al.
/// 2015, section 4.2).
struct Augment {
  int pad = 4;  ///< pixels on each side, before the crop
  bool crop = true, flip = true;
};

}  // namespace rnx::inline RNX_ABI::dataset

namespace rnx::inline RNX_ISA::data {
using dataset::Augment;
using dataset::Images;
using dataset::Split;
}  // namespace rnx::inline RNX_ISA::data

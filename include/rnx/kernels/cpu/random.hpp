// Runs of uniform numbers: one block of the generator serves four neighbours.
#pragma once

#include "rnx/core/rng.hpp"

namespace rnx::inline RNX_ISA::host {

struct Uniforms {
  rng::Stream stream;
  std::uint64_t block = ~std::uint64_t(0);
  rng::Block values{};

  /// stream.uniform(index)
  double operator()(std::uint64_t index) {
    if (index >> 2 != block) {
      block = index >> 2;
      values = rng::philox(stream.key, stream.high, block);
    }
    return values.v[index & 3] * 0x1p-32;
  }
};

}  // namespace rnx::inline RNX_ISA::host

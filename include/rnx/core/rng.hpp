// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011). A value depends only on (seed, purpose, draw, site, index): no state, so
// backward regenerates what forward drew.
#pragma once

#include <cmath>
#include <cstdint>

#include "rnx/config.hpp"

namespace rnx::inline RNX_ABI {

/// What a random number is for; streams of different purposes never meet.
enum class Purpose : std::uint32_t {
  init = 1,
  dropout,
  gumbel,
  attack,
  shuffle,
  augment,
  data,
  test,
  synthetic
};

}  // namespace rnx::inline RNX_ABI

namespace rnx::inline RNX_ISA::rng {

struct Block {
  std::uint32_t v[4];
};

RNX_HD inline Block philox(std::uint64_t key, std::uint64_t high, std::uint64_t low) {
  std::uint32_t k0 = std::uint32_t(key), k1 = std::uint32_t(key >> 32);
  std::uint32_t c0 = std::uint32_t(low), c1 = std::uint32_t(low >> 32), c2 = std::uint32_t(high),
                c3 = std::uint32_t(high >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = 0xD2511F53ull * c0, p1 = 0xCD9E8D57ull * c2;
    const std::uint32_t n0 = std::uint32_t(p1 >> 32) ^ c1 ^ k0,
                        n2 = std::uint32_t(p0 >> 32) ^ c3 ^ k1;
    c1 = std::uint32_t(p1);
    c3 = std::uint32_t(p0);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

/// splitmix64: spreads structured keys over 64 bits.
RNX_HD constexpr std::uint64_t mix(std::uint64_t z) {
  z += 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

/// The stream of one (seed, purpose, draw, site).
struct Stream {
  std::uint64_t key = 0, high = 0;
  RNX_HD constexpr Stream(std::uint64_t seed, Purpose purpose, std::uint64_t draw = 0,
                          std::uint64_t site = 0)
      : key(mix(seed ^ (std::uint64_t(purpose) << 56))),
        high(mix(draw) ^ (site << 1)) {}

  RNX_HD std::uint32_t bits(std::uint64_t index) const {
    return philox(key, high, index >> 2).v[index & 3];
  }
  /// Uniform in [0, 1): 32 bits, exact in double.
  RNX_HD double uniform(std::uint64_t index) const { return bits(index) * 0x1p-32; }
  /// Uniform in (0, 1): safe under a logarithm.
  RNX_HD double open(std::uint64_t index) const { return (bits(index) + 0.5) * 0x1p-32; }
  /// Standard normal (Box-Muller, one value per index).
  RNX_HD double normal(std::uint64_t index) const {
    const Block b = philox(key, high ^ 0x5555555555555555ull, index);
    const double u = (b.v[0] + 0.5) * 0x1p-32, v = b.v[1] * 0x1p-32;
    return std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586477 * v);
  }
  /// Standard Gumbel: -log(-log u).
  RNX_HD double gumbel(std::uint64_t index) const { return -std::log(-std::log(open(index))); }
};

}  // namespace rnx::inline RNX_ISA::rng

// Random numbers of data: the order of an epoch, and what is drawn for one view of one sample.
// Values of (seed, epoch, sample, view) alone, whatever the batch, the thread or the resume.
#pragma once

#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "rnx/core/error.hpp"
#include "rnx/core/factorial.hpp"
#include "rnx/core/rng.hpp"

namespace rnx::inline RNX_ISA::data {

namespace detail {

/// Uniform in [0, n), without bias (Lemire, "Fast random integer generation in an interval", TOMACS
/// 2019). Takes numbers from `index` on.
inline std::uint32_t below(const rng::Stream& stream, std::uint64_t& index, std::uint32_t n) {
  std::uint64_t product = std::uint64_t(stream.bits(index++)) * n;
  if (std::uint32_t(product) < n)
    for (const std::uint32_t biased = (0u - n) % n; std::uint32_t(product) < biased;)
      product = std::uint64_t(stream.bits(index++)) * n;
  return std::uint32_t(product >> 32);
}

/// A permutation of 0 .. n-1 (Fisher-Yates).
inline std::vector<std::uint32_t> permutation(std::size_t n, const rng::Stream& stream) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  std::uint64_t index = 0;
  for (std::size_t i = n; i > 1; --i)
    std::swap(order[i - 1], order[below(stream, index, std::uint32_t(i))]);
  return order;
}

}  // namespace detail

/// A permutation of 0 .. n-1, the order of the samples in this epoch.
inline std::vector<std::uint32_t> epoch_order(std::size_t n, std::uint64_t seed,
                                              std::uint64_t epoch) {
  require(n <= UINT32_MAX, [&] {
    return "epoch_order: expected fewer than 2^32 samples, found " + std::to_string(n);
  });
  return detail::permutation(n, {seed, Purpose::shuffle, epoch});
}

/// What the random numbers of a view are keyed by, beside its sample.
struct Key {
  std::uint64_t seed = 0, epoch = 0;
  std::uint32_t view = 0;

  rng::Stream stream(std::uint32_t id) const {
    return {seed, Purpose::augment, epoch, std::uint64_t(view) << 32 | id};
  }
};

/// The numbers of a stream one after another, from `first` on.
class Draws {
 public:
  explicit Draws(const rng::Stream& stream, std::uint64_t first = 0)
      : stream_(stream),
        index_(first) {}

  std::uint32_t bits() { return stream_.bits(index_++); }
  /// In [0, 1).
  double uniform() { return stream_.uniform(index_++); }
  /// In [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// In [0, n).
  std::uint32_t below(std::uint32_t n) { return detail::below(stream_, index_, n); }
  double normal() { return stream_.normal(index_++); }
  /// Events of which `mean` are expected: Knuth's product of uniform numbers below 10, from there
  /// on PTRS (Hoermann 1993, "The transformed rejection method for generating Poisson random
  /// variables"). Errors: UsageError (a mean that is negative or not finite).
  long poisson(double mean) {
    require(mean >= 0 && std::isfinite(mean), [&] {
      return "poisson: expected a mean of at least 0, found " + std::to_string(mean);
    });
    if (mean < 10) {
      long events = 0;
      const double least = std::exp(-mean);
      for (double product = uniform(); product > least; product *= uniform()) ++events;
      return events;
    }
    const double b = 0.931 + 2.53 * std::sqrt(mean), a = -0.059 + 0.02483 * b,
                 scale = 1.1239 + 1.1328 / (b - 3.4), sure = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
      const double u = uniform() - 0.5, v = uniform(), distance = 0.5 - std::abs(u);
      const double events = std::floor((2 * a / distance + b) * u + mean + 0.43);
      if (distance >= 0.07 && v <= sure) return long(events);
      if (events < 0 || (distance < 0.013 && v > distance)) continue;
      if (std::log(v * scale / (a / (distance * distance) + b)) <=
          events * std::log(mean) - mean - log_factorial(events))
        return long(events);
    }
  }
  /// True with this probability: always at 1, never at 0.
  bool chance(double probability) { return uniform() >= 1 - probability; }

 private:
  rng::Stream stream_;
  std::uint64_t index_;
};

}  // namespace rnx::inline RNX_ISA::data

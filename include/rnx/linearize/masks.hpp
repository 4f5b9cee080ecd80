// Masks of ReLUs: drawn at random, the largest scores, into a network and out of it.
#pragma once

#include <cstdint>

#include "rnx/core/rng.hpp"
#include "rnx/linearize/budget.hpp"
#include "rnx/network.hpp"

namespace rnx::inline RNX_ISA::linearize {

/// For each masked ReLU ones and zeros (c, h, w), in the network's order.
using Masks = std::vector<std::vector<std::uint8_t>>;

/// Ones in each mask.
inline Budget budget_of(const Masks& masks) {
  Budget budget;
  for (const auto& m : masks) budget.push_back(std::count(m.begin(), m.end(), std::uint8_t(1)));
  return budget;
}

namespace detail {

/// The first `count` of the numbers 0, 1, ... in an order.
template <class Before>
std::vector<std::uint8_t> mask_of(std::size_t size, long count, const Before& before) {
  std::vector<std::uint32_t> order(size);
  std::iota(order.begin(), order.end(), 0u);
  const auto end = order.begin() + count;
  std::nth_element(order.begin(), end, order.end(), before);
  std::vector<std::uint8_t> mask(size);
  for (auto i = order.begin(); i != end; ++i) mask[*i] = 1;
  return mask;
}
inline void check_budget(std::size_t layers, const Budget& budget) {
  require<UsageError>(budget.size() == layers, [&] {
    return "linearize: expected a budget for each of the " + std::to_string(layers) +
           " masked ReLUs, found " + std::to_string(budget.size());
  });
}
inline void check_count(const std::string& path, long count, long size) {
  require<UsageError>(count >= 0 && count <= size, [&] {
    return "linearize: " + path + ": expected 0 to " + std::to_string(size) + " ReLUs, found " +
           std::to_string(count);
  });
}

}  // namespace detail

/// Any `budget` ReLUs of each layer. The published code instead keeps each position with the
/// layer's share as probability, in all channels alike: so many only on average.
inline Masks random_masks(std::span<const ReluLayer> layers, const Budget& budget,
                          std::uint64_t seed) {
  detail::check_budget(layers.size(), budget);
  Masks masks;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    detail::check_count(layers[l].path, budget[l], layers[l].count);
    const rng::Stream draws(seed, Purpose::init, l, 1);
    std::vector<std::uint32_t> keys(std::size_t(layers[l].count));
    for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = draws.bits(i);
    masks.push_back(detail::mask_of(keys.size(), budget[l], [&](std::uint32_t a, std::uint32_t b) {
      return keys[a] != keys[b] ? keys[a] < keys[b] : a < b;
    }));
  }
  return masks;
}

/// Which scores a mask keeps.
enum class Ties {
  by_index,  ///< exactly as many as the budget says; of equal scores the first
  strict     ///< published: those above the last of them, so one fewer at least
};

/// The largest scores of each layer. Errors: UsageError (counts that do not fit), NumericError (a
/// score that is not finite).
inline Masks top_masks(const std::vector<std::vector<double>>& scores, const Budget& budget,
                       Ties ties = Ties::by_index) {
  detail::check_budget(scores.size(), budget);
  Masks masks;
  for (std::size_t l = 0; l < scores.size(); ++l) {
    const std::vector<double>& s = scores[l];
    detail::check_count("layer " + std::to_string(l), budget[l], long(s.size()));
    for (const double v : s)
      require<NumericError>(std::isfinite(v), "linearize: expected finite scores of ReLUs");
    masks.push_back(detail::mask_of(s.size(), budget[l], [&](std::uint32_t a, std::uint32_t b) {
      return s[a] != s[b] ? s[a] > s[b] : a < b;
    }));
    if (ties == Ties::by_index || budget[l] == 0) continue;
    double last = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < s.size(); ++i)
      if (masks[l][i] != 0) last = std::min(last, s[i]);
    for (std::size_t i = 0; i < s.size(); ++i) masks[l][i] = s[i] > last;
  }
  return masks;
}

/// Sets the network's masks. Errors: UsageError (masks of another network, values other than 0 and
/// 1), before anything is set.
template <class T, class Device> void set_masks(NetworkBase<T, Device>& net, const Masks& masks) {
  const std::vector<ReluLayer> layers = relu_layers(net.graph());
  require<UsageError>(masks.size() == layers.size(), [&] {
    return "linearize: expected masks of " + std::to_string(layers.size()) +
           " ReLUs, as the network has, found " + std::to_string(masks.size());
  });
  for (std::size_t l = 0; l < layers.size(); ++l) {
    require<UsageError>(long(masks[l].size()) == layers[l].count, [&] {
      return "linearize: " + layers[l].path + ": expected a mask of " +
             std::to_string(layers[l].count) + " values, found " + std::to_string(masks[l].size());
    });
    require<UsageError>(std::ranges::all_of(masks[l], [](std::uint8_t v) { return v <= 1; }), [&] {
      return "linearize: " + layers[l].path + ": expected a mask of zeros and ones";
    });
  }
  for (std::size_t l = 0; l < layers.size(); ++l)
    net.set(layers[l].path + ".mask", std::vector<T>(masks[l].begin(), masks[l].end()));
}

/// The network's masks. Errors: UsageError (values other than 0 and 1).
template <class T, class Device> Masks masks_of(const NetworkBase<T, Device>& net) {
  Masks masks;
  for (const ReluLayer& l : relu_layers(net.graph())) {
    const std::vector<T> values = net.get(l.path + ".mask").values;
    require<UsageError>(std::ranges::all_of(values, [](T v) { return v == 0 || v == 1; }), [&] {
      return "linearize: " + l.path + ": expected a mask of zeros and ones";
    });
    masks.emplace_back(values.begin(), values.end());
  }
  return masks;
}

}  // namespace rnx::inline RNX_ISA::linearize

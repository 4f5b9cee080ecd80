// A network's masked ReLUs, and how a budget of them is shared among the layers.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "rnx/core/error.hpp"
#include "rnx/network/graph.hpp"

namespace rnx::inline RNX_ISA::linearize {

/// One act::MaskedRelu: its path, what it computes for one sample, how many values that are.
struct ReluLayer {
  std::string path;
  Dims dims{};
  long count = 0;
};

/// The masked ReLUs in the network's order. Errors: UsageError (it has none).
inline std::vector<ReluLayer> relu_layers(const Graph& graph) {
  std::vector<ReluLayer> layers;
  for (const Node& n : graph.nodes)
    if (n.operation == "masked_relu")
      layers.push_back({.path = n.path, .dims = n.out, .count = long(n.out.count())});
  require<UsageError>(!layers.empty(),
                      "linearize: expected a network with act::MaskedRelu, found none in it");
  return layers;
}
inline long total(std::span<const ReluLayer> layers) {
  long sum = 0;
  for (const ReluLayer& l : layers) sum += l.count;
  return sum;
}

/// How many ReLUs each layer keeps.
using Budget = std::vector<long>;

inline long total(const Budget& budget) {
  return std::accumulate(budget.begin(), budget.end(), 0l);
}

namespace detail {

inline void check_list(std::span<const ReluLayer> layers, std::span<const double> list) {
  require<UsageError>(list.size() == layers.size(), [&] {
    return "linearize: expected a number for each of the " + std::to_string(layers.size()) +
           " masked ReLUs, found " + std::to_string(list.size());
  });
}

/// Whole numbers whose sum is that of the shares, rounded: the largest remainders are rounded up,
/// of equal ones the first.
inline Budget whole(std::span<const ReluLayer> layers, const std::vector<double>& shares) {
  Budget budget(shares.size());
  std::vector<std::size_t> order(shares.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  for (std::size_t i = 0; i < shares.size(); ++i)
    budget[i] = std::min(long(shares[i] + 1e-9), layers[i].count);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return shares[a] - double(budget[a]) > shares[b] - double(budget[b]) + 1e-12;
  });
  long left = std::lround(std::accumulate(shares.begin(), shares.end(), 0.0)) - total(budget);
  for (const std::size_t i : order)
    if (left > 0 && budget[i] < layers[i].count) {
      ++budget[i];
      --left;
    }
  return budget;
}

}  // namespace detail

/// Shares proportional to weights, none above its layer: min(count, level weight), whose sum is the
/// budget.
struct Filling {
  double level = 0;
  std::vector<double> shares{};
};

/// Errors: UsageError (a budget that is not between 1 and all ReLUs, weights that are not finite
/// and positive or of another count).
inline Filling fill(std::span<const ReluLayer> layers, std::span<const double> weights,
                    long budget) {
  detail::check_list(layers, weights);
  require<UsageError>(budget >= 1 && budget <= total(layers), [&] {
    return "linearize: expected a budget from 1 to the network's " + std::to_string(total(layers)) +
           " ReLUs, found " + std::to_string(budget);
  });
  for (const double w : weights)
    require<UsageError>(std::isfinite(w) && w > 0,
                        "linearize: expected weights that are finite and above 0");
  std::vector<std::size_t> order(layers.size());  // the layers in which they become full
  std::iota(order.begin(), order.end(), std::size_t(0));
  const auto full_at = [&](std::size_t i) { return double(layers[i].count) / weights[i]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return full_at(a) < full_at(b); });
  double open = std::accumulate(weights.begin(), weights.end(), 0.0), left = double(budget);
  Filling f{.shares = std::vector<double>(layers.size())};
  for (const std::size_t i : order) {
    f.level = left / open;
    if (f.level < full_at(i)) break;
    left -= double(layers[i].count);
    open -= weights[i];
    f.level = full_at(i);
  }
  for (std::size_t i = 0; i < layers.size(); ++i)
    f.shares[i] = std::min(double(layers[i].count), f.level * weights[i]);
  return f;
}

/// fill() in whole numbers, whose sum is the budget.
inline Budget water_fill(std::span<const ReluLayer> layers, std::span<const double> weights,
                         long budget) {
  return detail::whole(layers, fill(layers, weights, budget).shares);
}

/// A share of each layer, as published lists have them. Errors: UsageError (shares outside [0, 1]
/// or of another count, none that keeps a ReLU).
inline Budget from_fractions(std::span<const ReluLayer> layers, std::span<const double> fractions) {
  detail::check_list(layers, fractions);
  std::vector<double> shares;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    require<UsageError>(fractions[i] >= 0 && fractions[i] <= 1,
                        "linearize: expected shares of the layers from 0 to 1");
    shares.push_back(fractions[i] * double(layers[i].count));
  }
  Budget budget = detail::whole(layers, shares);
  require<UsageError>(total(budget) > 0, "linearize: expected a budget above 0, found 0");
  return budget;
}

/// What a list of shares that no layer's size cut says of the weights: proportional to share times
/// count, of sum 1.
inline std::vector<double> weights_of(std::span<const ReluLayer> layers,
                                      std::span<const double> fractions) {
  detail::check_list(layers, fractions);
  std::vector<double> weights;
  for (std::size_t i = 0; i < layers.size(); ++i)
    weights.push_back(fractions[i] * double(layers[i].count));
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  require<UsageError>(sum > 0, "linearize: expected a share above 0");
  for (double& w : weights) w /= sum;
  return weights;
}

/// All ReLUs over those that are kept: what private inference saves in communication (paper 000,
/// table 1).
inline double communication_saving(std::span<const ReluLayer> layers, long kept) {
  require<UsageError>(kept > 0, "linearize: expected a budget above 0, found 0");
  return double(total(layers)) / double(kept);
}

}  // namespace rnx::inline RNX_ISA::linearize

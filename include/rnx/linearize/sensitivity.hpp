// How much each ReLU matters, by what global pruning leaves of the weights before it (paper 000
// takes it from SENet, Kundu et al. 2023: a layer that pruning spares can lose its ReLUs).
#pragma once

#include "rnx/linearize/budget.hpp"
#include "rnx/train.hpp"

namespace rnx::inline RNX_ISA::linearize {

namespace detail {
/// The flat positions of the convolutions' weights.
template <class F> void each_pruned(const Graph& graph, F f) {
  for (const NamedParameter& p : graph.parameters)
    if (graph.nodes[std::size_t(p.node)].kind == Kind::convolution && p.shape.size() == 4) f(p);
}
}  // namespace detail

/// An item of an objective, before its passes: global magnitude pruning of the convolutions'
/// weights while they train. At the end of an epoch the smallest of all are set to zero and stay
/// there; the share that is left falls to `density` over the first half of the epochs, as 1 -
/// (1 - density) (1 - (1 - t)^3) (Zhu and Gupta 2017). What is pruned is part of checkpoints.
/// Errors: UsageError (a density outside (0, 1)).
struct GlobalPruning {
  double density = 0.1;
  static constexpr std::array<train::NameOf, 0> provides{};

  template <class T, class Device> void plan(train::Planner<T, Device>& p) const {
    require<UsageError>(density > 0 && density < 1, [&] {
      return "pruning: expected a density between 0 and 1, found " + exact_text(density);
    });
    p.state(state_name, {int(p.student().parameter_storage())});
    p.fact("pruning to density " + exact_text(density));
  }
  template <class T, class Device> void step(train::Stage<T, Device>& s) const {
    prune(s.net, s.state(state_name), 1);
  }
  template <class T, class Device> void end_epoch(train::Epoch<T, Device>& e) const {
    prune(e.net, e.stage.state(state_name), left_after(e.now.epoch, e.now.epochs));
  }
  /// The share of the weights behind an epoch, which counts from 0.
  double left_after(int epoch, int epochs) const {
    const double t = std::min(1.0, 2.0 * (epoch + 1) / epochs);
    return density + (1 - density) * std::pow(1 - t, 3);
  }

 private:
  static constexpr const char* state_name = "pruned";
  /// Zeros what is pruned and, where fewer than `share` may stay, more. `device_flags`: 1 where a
  /// weight is pruned.
  template <class T, class Device>
  void prune(NetworkBase<T, Device>& net, T* device_flags, double share) const {
    std::vector<T> weights(net.parameter_storage()), pruned(weights.size());
    memory<Device>::download(weights.data(), net.parameters(), weights.size() * sizeof(T));
    memory<Device>::download(pruned.data(), device_flags, pruned.size() * sizeof(T));
    std::vector<std::size_t> at;
    detail::each_pruned(net.graph(), [&](const NamedParameter& p) {
      for (std::size_t i = p.offset; i < p.offset + p.count; ++i) {
        at.push_back(i);
        if (pruned[i] != T(0)) weights[i] = T(0);
      }
    });
    if (share < 1) {
      const auto gone = std::size_t(std::lround((1 - share) * double(at.size())));
      const auto smaller = [&](std::size_t a, std::size_t b) {
        const bool out_a = pruned[a] != T(0), out_b = pruned[b] != T(0);
        if (out_a != out_b) return out_a;
        const T x = std::abs(weights[a]), y = std::abs(weights[b]);
        return x != y ? x < y : a < b;
      };
      std::nth_element(at.begin(), at.begin() + std::ptrdiff_t(gone), at.end(), smaller);
      for (std::size_t k = 0; k < gone; ++k) {
        pruned[at[k]] = T(1);
        weights[at[k]] = T(0);
      }
      memory<Device>::upload(device_flags, pruned.data(), pruned.size() * sizeof(T), {});
    }
    memory<Device>::upload(net.mutable_parameters(), weights.data(), weights.size() * sizeof(T),
                           {});
  }
};

/// 1 - d of each masked ReLU, d the share of weights that are not zero in the convolutions since
/// the ReLU before it, for water_fill; a layer that lost none counts as if it had lost one. Errors:
/// UsageError (a network without masked ReLUs, a ReLU without a convolution before it, weights of
/// which none is zero).
template <class T, class Device>
std::vector<double> sensitivities(const NetworkBase<T, Device>& net) {
  const Graph& graph = net.graph();
  const std::vector<ReluLayer> layers = relu_layers(graph);
  std::vector<double> result;
  long zeros = 0, count = 0, all_zeros = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    detail::each_pruned(graph, [&](const NamedParameter& p) {
      if (p.node != int(i)) return;
      const std::vector<T> values = net.get(p.name).values;
      zeros += std::count(values.begin(), values.end(), T(0));
      count += long(values.size());
    });
    if (graph.nodes[i].operation != "masked_relu") continue;
    require<UsageError>(count > 0, [&] {
      return "linearize: no convolution stands between " + graph.nodes[i].path +
             " and the ReLU before it";
    });
    all_zeros += zeros;
    result.push_back(double(std::max(zeros, 1l)) / double(count));
    zeros = count = 0;
  }
  require<UsageError>(all_zeros > 0,
                      "linearize: expected weights after pruning, found none that is zero");
  return result;
}

}  // namespace rnx::inline RNX_ISA::linearize

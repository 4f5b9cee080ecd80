// Selective network linearization (Cho et al. 2022): slopes of ReLUs are trained under an L1
// penalty that grows until few are left; those become masks.
#pragma once

#include "rnx/linearize/masks.hpp"
#include "rnx/linearize/sloped_relu.hpp"
#include "rnx/train.hpp"

namespace rnx::inline RNX_ISA::linearize {

namespace detail {
/// f(parameter) for the slopes of every act::SlopedRelu, in the network's order.
template <class F> void each_slopes(const Graph& graph, F f) {
  for (const NamedParameter& p : graph.parameters)
    if (graph.nodes[std::size_t(p.node)].operation == "sloped_relu") f(p);
}
/// Weights and statistics that both networks have.
template <class T, class Device>
void take_others(NetworkBase<T, Device>& to, const NetworkBase<T, Device>& from) {
  for (const auto* list : {&to.graph().parameters, &to.graph().buffers})
    for (const NamedParameter& p : *list)
      if (!p.name.ends_with(".mask") && !p.name.ends_with(".slope"))
        to.set(p.name, from.get(p.name).values);
}
/// Slopes of 1 and 0. Errors: UsageError (masks of other ReLUs).
template <class T, class Device> void set_slopes(NetworkBase<T, Device>& net, const Masks& masks) {
  std::vector<std::string> names;
  each_slopes(net.graph(), [&](const NamedParameter& p) { names.push_back(p.name); });
  require<UsageError>(names.size() == masks.size(), [&] {
    return "linearize: expected masks of the " + std::to_string(names.size()) +
           " ReLUs with slopes, found " + std::to_string(masks.size());
  });
  for (std::size_t l = 0; l < names.size(); ++l)
    net.set(names[l], std::vector<T>(masks[l].begin(), masks[l].end()));
}
}  // namespace detail

/// Whether a network has act::SlopedRelu.
inline bool has_slopes(const Graph& graph) {
  bool has = false;
  detail::each_slopes(graph, [&](const NamedParameter&) { has = true; });
  return has;
}

/// Slopes above `threshold`: the ReLUs that count. Errors: UsageError (a network without
/// act::SlopedRelu).
template <class T, class Device>
Masks slope_masks(const NetworkBase<T, Device>& net, double threshold = 0.01) {
  Masks masks;
  detail::each_slopes(net.graph(), [&](const NamedParameter& p) {
    masks.emplace_back();
    for (const T v : net.get(p.name).values)
      masks.back().push_back(std::uint8_t(double(v) > threshold));
  });
  require<UsageError>(!masks.empty(),
                      "linearize: expected a network with act::SlopedRelu, found none in it");
  return masks;
}

/// The `count` largest slopes of the network, the first of equal ones. Errors: as slope_masks.
template <class T, class Device>
Masks largest_slopes(const NetworkBase<T, Device>& net, long count) {
  Masks masks = slope_masks(net);
  std::vector<std::pair<T, std::uint8_t*>> all;
  auto mask = masks.begin();
  detail::each_slopes(net.graph(), [&](const NamedParameter& p) {
    const std::vector<T> slopes = net.get(p.name).values;
    for (std::size_t i = 0; i < slopes.size(); ++i) all.emplace_back(slopes[i], &(*mask)[i]);
    ++mask;
  });
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (long i = 0; i < long(all.size()); ++i) *all[std::size_t(i)].second = i < count;
  return masks;
}

/// An item of an objective: its slopes' penalty lambda sum |a|, added to the gradients. From epoch
/// `from` on lambda grows by `factor` at the end of an epoch whose count of slopes above the
/// threshold is no new minimum. Once at most `budget` are left, slopes are 1 above the threshold
/// and 0 below, and stay (the published code ends the search there). A run that ends before keeps
/// the `budget` largest ones, the first of equal ones. Adam at 1e-3 trains slopes and weights;
/// lambda and what was reached are part of checkpoints. Errors: UsageError (a budget or numbers
/// that cannot be, no slopes).
struct SlopePenalty {
  long budget = 0;
  double lambda = 1e-5, factor = 1.1, threshold = 0.01;
  int from = 5;  ///< epochs count from 0
  static constexpr std::array<train::NameOf, 0> provides{};

  template <class T, class Device> void plan(train::Planner<T, Device>& p) const {
    const long all = total(budget_of(slope_masks(p.student(), -1)));
    require<UsageError>(budget >= 1 && budget <= all, [&] {
      return "snl: expected a budget from 1 to the network's " + std::to_string(all) +
             " slopes, found " + std::to_string(budget);
    });
    require<UsageError>(lambda > 0 && std::isfinite(lambda) && factor >= 1 && threshold >= 0 &&
                            threshold < 1 && from >= 0,
                        "snl: expected a penalty above 0, a factor of at least 1 and a threshold "
                        "from 0 to 1");
    p.state(state_name, {3});
    p.fact("snl budget " + std::to_string(budget) + " lambda " + exact_text(lambda) + " factor " +
           exact_text(factor) + " threshold " + exact_text(threshold) + " from " +
           std::to_string(from));
  }
  template <class T, class Device> void step(train::Stage<T, Device>& s) const {
    if (State<T>(s).reached != T(0)) detail::set_slopes(s.net, slope_masks(s.net, threshold));
  }
  template <class T, class Device> void finish(train::Stage<T, Device>& s) const {
    const State<T> state(s);
    if (state.reached != T(0)) return;
    const T own = state.lambda > T(0) ? state.lambda : T(lambda);
    detail::each_slopes(s.net.graph(), [&](const NamedParameter& p) {
      std::vector<T> g(p.count), a(p.count);
      T* const gradient = s.grads().flat.data() + p.offset;
      memory<Device>::download(g.data(), gradient, g.size() * sizeof(T));
      memory<Device>::download(a.data(), s.net.parameters() + p.offset, a.size() * sizeof(T));
      for (std::size_t i = 0; i < g.size(); ++i)
        g[i] += a[i] > T(0) ? own : a[i] < T(0) ? -own : T(0);
      memory<Device>::upload(gradient, g.data(), g.size() * sizeof(T), {});
    });
  }
  template <class T, class Device> void end_epoch(train::Epoch<T, Device>& e) const {
    State<T> state(e.stage);
    if (state.lambda == T(0)) state.lambda = T(lambda);
    const long count = total(linearize::budget_of(slope_masks(e.net, threshold)));
    const bool lower = state.lowest == T(0) || T(count) < state.lowest;
    if (e.now.epoch >= from && !lower) state.lambda *= T(factor);
    if (lower) state.lowest = T(count);
    if (count <= budget) state.reached = T(1);
    if (state.reached != T(0))
      detail::set_slopes(e.net, slope_masks(e.net, threshold));
    else if (e.now.epoch + 1 == e.now.epochs)
      detail::set_slopes(e.net, largest_slopes(e.net, budget));
    state.store(e.stage);
  }

 private:
  static constexpr const char* state_name = "snl";
  /// As checkpoints hold it; zeros at first.
  template <class T> struct State {
    T lambda, lowest, reached;

    template <class Device> explicit State(train::Stage<T, Device>& s) {
      T values[3];
      memory<Device>::download(values, s.state(state_name), sizeof values);
      lambda = values[0];
      lowest = values[1];
      reached = values[2];
    }
    template <class Device> void store(train::Stage<T, Device>& s) const {
      const T values[] = {lambda, lowest, reached};
      memory<Device>::upload(s.state(state_name), values, sizeof values, {});
    }
  };
};

/// Gives a network with act::MaskedRelu the weights and statistics of one that is the same with
/// act::SlopedRelu, and masks where its slopes are above the threshold. Errors: NameError,
/// ShapeError (other layers), UsageError (other ReLUs).
template <class T, class Device>
void take_slopes(NetworkBase<T, Device>& masked, const NetworkBase<T, Device>& sloped,
                 double threshold = 0.01) {
  const Masks masks = slope_masks(sloped, threshold);
  detail::take_others(masked, sloped);
  set_masks(masked, masks);
}
/// The way back: slopes of 1 and 0 where the masks have them. Errors: as above.
template <class T, class Device>
void take_masks(NetworkBase<T, Device>& sloped, const NetworkBase<T, Device>& masked) {
  const Masks masks = masks_of(masked);
  detail::take_others(sloped, masked);
  detail::set_slopes(sloped, masks);
}

}  // namespace rnx::inline RNX_ISA::linearize

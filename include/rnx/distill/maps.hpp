// Attention maps that traces keep: which layers, and how their maps are found again.
#pragma once

#include "rnx/distill/cpu.hpp"
#include "rnx/loss/call.hpp"
#include "rnx/network.hpp"

namespace rnx::inline RNX_ISA::distill {

/// Below this a map's norm does not divide it (the reference's normalize).
constexpr double map_eps = 1e-12;

/// The nodes of a graph to which one of the rules applies, in graph order.
template <class T, class Device> struct MapLayers {
  std::vector<Keep> rules;
  std::vector<int> nodes{};
  std::vector<std::string> paths{};

  MapLayers(std::vector<Keep> keep, const Graph& graph) : rules(std::move(keep)) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const auto applies = [&](const Keep& rule) { return rule.applies(graph.nodes[i]); };
      if (std::any_of(rules.begin(), rules.end(), applies)) {
        nodes.push_back(int(i));
        paths.push_back(graph.nodes[i].path);
      }
    }
  }
  int size() const { return int(nodes.size()); }
  /// The rules as TraceOptions::keep takes them: maps, with or without seeds.
  std::vector<Keep> keep(bool seed) const {
    std::vector<Keep> k = rules;
    for (Keep& rule : k) {
      rule.attention = true;
      rule.seed = seed;
    }
    return k;
  }
  /// f(position, kept map) for each layer. Throws StateError where the trace does not keep the map
  /// of one of them.
  template <class F> void each(const Trace<T, Device>& trace, F&& f) const {
    const auto kept = trace.activations();  // in graph order too
    std::size_t k = 0;
    for (int i = 0; i < size(); ++i) {
      while (k < kept.size() && kept[k].node < nodes[i]) ++k;
      require<StateError>(k < kept.size() && kept[k].node == nodes[i] && kept[k].path == paths[i] &&
                              kept[k].value.dims.c == 1,
                          [&] {
                            return "attention: the trace keeps no map of '" + paths[i] +
                                   "'; use the loss's own keep rules";
                          });
      f(i, kept[k]);
    }
  }
};

/// to (n, y.h, y.w) = the kept map resized; then each of `rows` rows divided by its norm. norm:
/// device memory, `rows` elements, or null.
template <class T, class Device>
void normalised_map(Stream s, const Kept<T, Device>& kept, geometry::Map y, Resize method, int rows,
                    T* to, T* norm) {
  run<Device>(s, op::resize_map<T>{.x = kept.value, .y = {y, to}, .method = method});
  run<Device>(s, op::normalize_rows<T>{.rows = rows,
                                       .length = y.rows() / rows,
                                       .eps = map_eps,
                                       .px = to,
                                       .py = to,
                                       .norm = norm});
}
/// seed += the transpose of normalised_map on dy; `to` and `norm` as they were left. dy is
/// overwritten.
template <class T, class Device>
void normalised_map_backward(Stream s, const Kept<T, Device>& kept, geometry::Map y, Resize method,
                             int rows, const T* to, const T* norm, T* dy) {
  run<Device>(s, op::normalize_rows_backward<T>{.rows = rows,
                                                .length = y.rows() / rows,
                                                .eps = map_eps,
                                                .py = to,
                                                .norm = norm,
                                                .dy = dy,
                                                .dx = dy});
  run<Device>(s, op::resize_map_backward<T>{.dy = {y, dy}, .dx = kept.seed, .method = method});
}

}  // namespace rnx::inline RNX_ISA::distill

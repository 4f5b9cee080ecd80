// The cost of what pruning left of a network (network/pruned.hpp): where channels went, that of the
// smaller network; where single weights went, of those that are not zero.
#pragma once

#include "rnx/cost/cost.hpp"
#include "rnx/network/pruned.hpp"

namespace rnx::inline RNX_ABI::cost {

namespace detail {
/// Elements of a parameter or buffer that stand for channels of its node that are gone.
inline long long gone_with_channels(const NamedParameter& p, const std::vector<char>& left) {
  const auto gone = std::count(left.begin(), left.end(), char(0));
  return p.of_outputs() ? gone * (long long)(p.count / left.size()) : 0;
}
}  // namespace detail

/// As table(net) counts, without what is gone. Bits of storage have no indices: where single
/// weights went, a file of such weights needs them besides.
template <class T, class Device>
Table pruned_table(const NetworkBase<T, Device>& net, const Convention& convention = {}) {
  const Graph& graph = net.graph();
  const Remains left = remains(net);
  Table t = table(net, convention);
  std::vector<Row*> rows;
  for (std::size_t i = 0, k = 0; i < graph.nodes.size(); ++i)
    rows.push_back(graph.nodes[i].kind == Kind::choice ? nullptr : &t.rows[k++]);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i]) continue;
    Row& r = *rows[i];
    r.out.c = int(left.left(int(i)));
    r.activations = (long long)r.out.count();
    if (graph.nodes[i].relu && r.operation != "masked_relu") r.relus = r.activations;
  }
  for (const NamedParameter& p : graph.parameters) {
    const Node& n = graph.nodes[std::size_t(p.node)];
    Row& r = *rows[std::size_t(p.node)];
    const auto first = left.parameters.begin() + std::ptrdiff_t(p.offset);
    const long long gone = std::count(first, first + std::ptrdiff_t(p.count), char(0));
    const bool weight = p.kind == ParameterKind::weight && r.macs > 0;
    r.parameters -= gone;
    r.storage_bits -= (weight ? n.weight_bits : 32) * gone;
    if (!weight) continue;
    const double of_mac = r.bops / double(r.macs);
    r.macs -= r.macs / detail::weight_count(n) * gone;
    r.bops = of_mac * double(r.macs);
  }
  for (const NamedParameter& b : graph.buffers) {
    const auto& channels = left.channels[std::size_t(b.node)];
    Row& r = *rows[std::size_t(b.node)];
    r.storage_bits -= 32 * detail::gone_with_channels(b, channels);
    if (r.operation != "masked_relu") continue;
    const std::vector<T> mask = net.get(b.name).values;
    for (std::size_t k = 0; k < mask.size(); ++k)
      r.relus -= mask[k] != T(0) && !channels[k / (mask.size() / channels.size())];
  }
  return t;
}

}  // namespace rnx::inline RNX_ABI::cost

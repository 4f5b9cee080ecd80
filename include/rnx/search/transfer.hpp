// From a network at its maxima to the small static one of a subnet: the active corner of every
// parameter and buffer, by name. From a network with pruned channels to the one without them.
#pragma once

#include "rnx/network/pruned.hpp"
#include "rnx/search/active.hpp"
#include "rnx/search/elastic_kernel.hpp"

namespace rnx::inline RNX_ISA::search {

/// values of shape `from` (row-major) at the positions of the smaller shape `to`.
template <class T>
std::vector<T> corner(const std::vector<T>& values, const std::vector<int>& from,
                      const std::vector<int>& to) {
  std::size_t count = 1;
  for (int k : to) count *= std::size_t(k);
  std::vector<T> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t at = 0, stride = 1, rest = i;
    for (std::size_t axis = to.size(); axis-- > 0;) {
      at += rest % to[axis] * stride;
      rest /= to[axis];
      stride *= std::size_t(from[axis]);
    }
    out[i] = values[at];
  }
  return out;
}

/// The kernel of size k that a node's transforms make of its weight: (O, I, K, K) -> (O, I, k, k).
/// Sizes come from the transforms' shapes.
template <class T, class Device>
std::vector<T> derived_kernel(const NetworkBase<T, Device>& net, int node, std::vector<T> weight,
                              int k) {
  int size = net.graph().nodes[node].kernel_h;
  for (const NamedParameter& p : net.graph().parameters) {
    if (p.node != node || p.kind != ParameterKind::transform || size == k) continue;
    const int next = transform_size(p);
    const std::vector<T> matrix = net.get(p.name).values;
    const std::size_t rows = weight.size() / (size * size);
    std::vector<T> u(p.shape[0]), smaller(rows * p.shape[0]);
    for (std::size_t r = 0; r < rows; ++r) {
      kernel_rule::crop_kernel(weight.data() + r * size * size, size, size, next, u.data());
      kernel_rule::transform_kernel(matrix.data(), p.shape[0], u.data(),
                                    smaller.data() + r * p.shape[0]);
    }
    weight = std::move(smaller);
    size = next;
  }
  require<ShapeError>(size == k, [&] {
    return "transfer: '" + net.graph().nodes[node].path + "' cannot make a kernel of size " +
           std::to_string(k);
  });
  return weight;
}

/// Copies every parameter and buffer of `small` from `big` under `subnet`. Elastic kernels are
/// stored as the small kernels that they make.
/// Throws NameError for a name that `big` does not have, ShapeError where the small network is not
/// the subnet's.
template <class T, class Device>
void transfer(const NetworkBase<T, Device>& big, const Subnet& subnet,
              NetworkBase<T, Device>& small) {
  const Active sizes = active(big, subnet);
  const Graph &from = big.graph(), &to = small.graph();
  for (const bool buffer : {false, true})
    for (const NamedParameter& p : buffer ? to.buffers : to.parameters) {
      const auto& list = buffer ? from.buffers : from.parameters;
      const auto found = std::find_if(list.begin(), list.end(),
                                      [&](const NamedParameter& q) { return q.name == p.name; });
      require<NameError>(found != list.end(),
                         [&] { return "transfer: the big network has no '" + p.name + "'"; });
      const Node &wide = from.nodes[found->node], &narrow = to.nodes[p.node];
      const auto fits = [&](bool ok, const std::string& what) {
        require<ShapeError>(ok, [&] {
          return "transfer: '" + p.name + "': " + what + "; the small network is not this subnet's";
        });
      };
      fits(sizes.runs(found->node), "the subnet does not run this layer");
      const Dims in = sizes.in[found->node], out = sizes.out[found->node];
      fits(in.c == narrow.in.c && out.c == narrow.out.c,
           "the subnet has " + in.text() + " -> " + out.text() + ", found " + narrow.in.text() +
               " -> " + narrow.out.text());
      std::vector<T> values = big.get(found->name).values;
      std::vector<int> shape = found->shape, corner_shape = p.shape;
      fits(shape.size() == corner_shape.size(), "another number of axes");
      if (wide.kind == Kind::linear &&
          found->input_axis() == 1) {  // (O, C H W): channels are an axis of their own
        shape = {shape[0], wide.in.c, wide.in.pixels()};
        corner_shape = {corner_shape[0], narrow.in.c, narrow.in.pixels()};
      } else if (shape.size() == 4 && shape[2] != corner_shape[2]) {
        fits(corner_shape[2] == sizes.kernel[found->node] && corner_shape[3] == corner_shape[2],
             "the subnet's kernel has size " + std::to_string(sizes.kernel[found->node]));
        values = derived_kernel(big, found->node, std::move(values), corner_shape[2]);
        shape[2] = shape[3] = corner_shape[2];
      }
      for (std::size_t axis = 0; axis < shape.size(); ++axis)
        fits(corner_shape[axis] <= shape[axis], "it is larger than the big network's");
      small.set(p.name, corner(values, shape, corner_shape));
    }
}

/// Copies every parameter and buffer of `small` from `big`, without the channels that pruning
/// removed (network/pruned.hpp). Throws NameError for a name that `big` does not have, ShapeError
/// where other channels are left.
template <class T, class Device>
void transfer_pruned(const NetworkBase<T, Device>& big, NetworkBase<T, Device>& small) {
  const Graph& from = big.graph();
  const Remains left = remains(big);
  const auto take = [&](const NamedParameter& p) {
    const Node& n = from.nodes[std::size_t(p.node)];
    const auto& out = left.channels[std::size_t(p.node)];
    const int source = n.inputs.empty() ? -1 : n.inputs[0];
    const std::vector<char> all(std::size_t(n.in.c), 1),
        in = source < 0 ? all : left.channels[std::size_t(source)];
    const bool matrix = n.kind == Kind::convolution || n.kind == Kind::linear,
               reads = matrix && p.input_axis() == 1 && n.groups == 1;
    const std::vector<T> values = big.get(p.name).values;
    const std::size_t row = p.count / out.size();
    std::vector<T> taken;
    for (std::size_t i = 0; i < p.count; ++i)
      if ((!p.of_outputs() || out[i / row]) && (!reads || in[i % row / (row / in.size())]) &&
          (p.input_axis() != 0 || in[i / (p.count / in.size())]))
        taken.push_back(values[i]);
    return taken;
  };
  const Graph& to = std::as_const(small).graph();
  for (const bool buffer : {false, true})
    for (const NamedParameter& p : buffer ? to.buffers : to.parameters) {
      const auto& list = buffer ? from.buffers : from.parameters;
      const auto found = std::find_if(list.begin(), list.end(),
                                      [&](const NamedParameter& q) { return q.name == p.name; });
      require<NameError>(found != list.end(), [&] {
        return "transfer_pruned: the big network has no '" + p.name + "'";
      });
      const std::vector<T> taken = take(*found);
      require<ShapeError>(taken.size() == p.count, [&] {
        return "transfer_pruned: '" + p.name + "': " + std::to_string(taken.size()) +
               " elements are left, the small network has " + std::to_string(p.count);
      });
      small.set(p.name, taken);
    }
}

}  // namespace rnx::inline RNX_ISA::search

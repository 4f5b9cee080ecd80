// Packed networks: where the weights and activations of a convolution are signs, its packed form
// keeps the weights' signs, one bit each, and their scales. All else stays. A packed network is a
// network of another type: it computes the logits and the input gradients of the one that it was
// made from, bit for bit, is evaluated and attacked like any other, and is not trained.
//   const auto packed = deploy::pack(net);      // Network<deploy::packed_t<Spec>, Shape>
#pragma once

#include <cmath>
#include <cstring>

#include "rnx/io.hpp"

namespace rnx::inline RNX_ISA::deploy {

/// The packed form of a layer; itself where it has none.
template <class Spec> struct packed { using type = Spec; };
template <int Out, int K, int S, int P, int G, bool B, class W, class A>
  requires(quant::is_signs<W>&& quant::is_signs<A> && !quant::is_packed<W>)
struct packed<Convolution<Out, K, S, P, G, B, W, A, width::Fixed, kernel_rule::Fixed>> {
  using type =
      Convolution<Out, K, S, P, G, B, quant::Packed<W>, A, width::Fixed, kernel_rule::Fixed>;
};
template <int Out, bool B, class W, int In, class A>
  requires(quant::is_signs<W>&& quant::is_signs<A> && !quant::is_packed<W>)
struct packed<Linear<Out, B, W, In, A>> {
  using type = Linear<Out, B, quant::Packed<W>, In, A>;
};
/// The composition with every layer packed that has a packed form; names and taps stay.
template <class Spec> using packed_t = transform_t<packed, Spec>;

namespace detail {

/// The weight map that stands packed in a layer, or void.
template <class Spec> struct packed_map { using type = void; };
template <int Out, int K, int S, int P, int G, bool B, class W, class A, class Width, class Kernel>
struct packed_map<Convolution<Out, K, S, P, G, B, quant::Packed<W>, A, Width, Kernel>> {
  using type = W;
};
template <int Out, bool B, class W, int In, class A>
struct packed_map<Linear<Out, B, quant::Packed<W>, In, A>> {
  using type = W;
};

/// Errors: NumericError.
template <class T>
void require_finite(const std::string& name, const T* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    require<NumericError>(std::isfinite(values[i]), [&] {
      return "pack: " + io::in_quotes(name) + " holds a value that is not finite, at element " +
             std::to_string(i);
    });
}

/// Errors: NumericError (a value that is not finite), UsageError (no batch norm has ever seen a
/// batch).
template <class T> void require_trained(const NetworkBase<T, cpu>& net) {
  bool statistics = false, moved = false;
  const auto check = [&](const auto& p) {
    require_finite(p.name, p.value, p.count);
    const bool mean = p.name.ends_with("running_mean"), var = p.name.ends_with("running_var");
    statistics |= mean;
    for (std::size_t i = 0; (mean || var) && i < p.count; ++i) moved |= p.value[i] != T(var);
  };
  net.visit(check);
  net.visit_buffers(check);
  require<UsageError>(
      !statistics || moved,
      "pack: the network was not trained: every running mean is 0 and every running "
      "variance 1, as they start");
}

/// Copies what both networks have under one name, and packs the weights of the layers that are
/// packed in the one and not in the other.
template <class T> class Packer {
 public:
  Packer(const NetworkBase<T, cpu>& from, NetworkBase<T, cpu>& to) : from_(from), to_(to) {
    const auto copy = [&](const auto& parameter) {
      if (known(parameter.name)) to_.set(parameter.name, {parameter.value, parameter.count});
    };
    from.visit(copy);
    from.visit_buffers(copy);
  }
  /// Of each layer of the packed composition.
  template <class Spec> void operator()(int site) {
    using W = typename packed_map<Spec>::type;
    if constexpr (!std::is_void_v<W>) pack<W>(from_.graph().nodes[site], to_.graph().nodes[site]);
  }

 private:
  bool known(const std::string& name) const {
    const auto is = [&](const NamedParameter& p) { return p.name == name; };
    const Graph& g = std::as_const(to_).graph();
    return std::any_of(g.parameters.begin(), g.parameters.end(), is) ||
           std::any_of(g.buffers.begin(), g.buffers.end(), is);
  }

  template <class W> void pack(const Node& from, const Node& to) {
    const long k = long(from.kernel_h) * from.kernel_w;
    const int in = from.kind == Kind::linear ? from.in.c : from.in.c / from.groups;
    const geometry::Weights g{
        1, from.out.c, in, from.kernel_h, from.kernel_w, in * k, k, from.kernel_w, 1, 0};
    const int count = from.weight_bases;
    std::vector<T> bases(count * g.count()), scales(std::size_t(count) * g.o, T(1));
    op::weight_bases<W, T> map{};
    map.g = g;
    map.theta = from_.parameters() + from.parameters[0].offset;
    map.bases = bases.data();
    map.filters = g.o;
    map.told = from.weight_bits;
    if constexpr (W::scaled) map.scales = scales.data();
    for (const ParameterInfo& p : from.parameters)
      if (!map.parameters && p.name.starts_with("weight_map."))
        map.parameters = from_.parameters() + p.offset;
    kernel<cpu, op::weight_bases<W, T>>::run({}, map);
    require_scales(from.path, scales, count, g.o);
    if (W::scaled) to_.set(Namer::join(to.path, "scales"), scales);
    T* bits = to_.mutable_buffers() + to.buffers[0].offset;
    kernel<cpu, op::pack_binary<T>>::run(
        {}, {.g = {count, g.o, g.i, g.kh, g.kw}, .base = bases.data(), .words = words_at(bits)});
  }
  /// Errors: NumericError, UsageError.
  static void require_scales(const std::string& path, const std::vector<T>& scales, int bases,
                             int filters) {
    require_finite(path + ".scales", scales.data(), scales.size());
    for (int m = 0; bases > 1 && m < bases; ++m) {
      const T* row = scales.data() + m * long(filters);
      require(std::any_of(row, row + filters, [](T v) { return v != 0; }), [&] {
        return "pack: base " + std::to_string(m) + " of '" + path +
               "' has scale 0: its bases are equal, a degenerate least-squares system";
      });
    }
  }

  const NetworkBase<T, cpu>& from_;
  NetworkBase<T, cpu>& to_;
};

}  // namespace detail

/// The packed network of a trained one. Its logits of a stated input are compared with those of
/// the network, bit for bit.
/// Errors: UsageError (a network that was not trained, equal bases), NumericError (values or scales
/// that are not finite), StateError (other logits).
template <class Spec, class In, class Precision>
Network<packed_t<Spec>, In, cpu, Precision> pack(const Network<Spec, In, cpu, Precision>& net) {
  static_assert(
      !std::is_same_v<packed_t<Spec>, Spec>,
      "rnx: deploy::pack: no convolution of this network has weights and activations that "
      "are signs; there is nothing to pack");
  using T = typename Precision::store;
  detail::require_trained<T>(net);
  Network<packed_t<Spec>, In, cpu, Precision> result(0, net.classes(), net.graph().bits);
  detail::Packer<T> packer(net, result);
  int site = 0;
  each_layer<packed_t<Spec>>(packer, site);
  const std::vector<T> expected = io::self_test_logits<T, cpu>(net, 1),
                       found = io::self_test_logits<T, cpu>(result, 1);
  require<StateError>(std::memcmp(expected.data(), found.data(), found.size() * sizeof(T)) == 0,
                      "pack: the packed network computes other logits than the network");
  return result;
}

}  // namespace rnx::inline RNX_ISA::deploy

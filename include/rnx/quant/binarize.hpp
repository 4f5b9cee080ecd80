// Maps whose bases are signs, as bits: which they are, and activations "binarised into a packed
// map", directly from their values.
#pragma once

#include "rnx/quant/cpu.hpp"

namespace rnx::inline RNX_ABI {

namespace quant {

/// Maps whose every base is +1 or -1 (or NaN); where both maps of a convolution are, and the device
/// has op::binary_convolution, it computes with bits. A map of one's own may specialise it: an
/// activation map pads with +1 and says the value whose sign a base is, SignOf<A>.
template <class Map> constexpr bool is_signs = false;
template <class S> inline constexpr bool is_signs<BinaryWeights<S>> = true;
template <int M, class Scales> inline constexpr bool is_signs<MultiBit<M, Scales>> = true;
template <> inline constexpr bool is_signs<DoReFaWeights<1>> = true;
template <> inline constexpr bool is_signs<XnorWeights> = true;
template <> inline constexpr bool is_signs<BiRealWeights> = true;
template <class S> inline constexpr bool is_signs<BinaryActivation<S>> = true;
template <int N> inline constexpr bool is_signs<MultiBitActivation<N>> = true;

/// The value whose sign base n of x is, one of so many bases, for numbers and for vectors of them;
/// parameters: the map's. shifts: where that is x, or op::shifted, the shifts of all bases, or
/// null; without it signs are made by op::binarize alone, not behind what computes x.
template <class A> struct SignOf {
  template <class V, class T> RNX_SHARED static V value(V x, const T*, int, int) { return x; }
  template <class T> static const T* shifts(const T*, int) { return nullptr; }
};
template <int N> struct SignOf<MultiBitActivation<N>> {
  template <class V, class T>
  RNX_SHARED static V value(V x, const T* parameters, int n, int bases) {
    return op::shifted(x, parameters[bases + n]);
  }
  template <class T> static const T* shifts(const T* parameters, int bases) {
    return parameters + bases;
  }
};

/// The signs and scales of a weight map W, without the weights that they come from: what a packed
/// convolution is made of (rnx/deploy.hpp).
template <class W> struct Packed {
  using option = option::weight_map;
  using of = W;
  static constexpr int bases = W::bases, bits = W::bits;
  static constexpr bool identity = false, scaled = W::scaled, valid = W::valid;
};
template <class W>
  requires(quant::told<W> == Told::bases)
struct Packed<W> : detail::Bases<at_run_time, W::least, W::most> {
  using option = option::weight_map;
  using of = W;
  static constexpr bool identity = false, scaled = W::scaled;
};
template <class W> inline constexpr bool is_signs<Packed<W>> = is_signs<W>;
template <class Map> constexpr bool is_packed = false;
template <class W> inline constexpr bool is_packed<Packed<W>> = true;

/// The map computed by sums of floats, where Map's would be by bits: the same results, bit for bit.
/// What tests and measurements compare with.
template <class Map> struct Simulated : Map {};

}  // namespace quant

namespace op {

/// The signs of x in the bases of A, as bits.
template <class A, class T> struct binarize {
  Map<const T> x;
  const T* parameters;
  geometry::BitMap to;
  std::uint32_t* bits;
  bool alone = false;  ///< nobody else reads x
  auto pointers() { return std::tie(x.data, parameters, bits); }
};

}  // namespace op
}  // namespace rnx::inline RNX_ABI

namespace rnx::inline RNX_ISA {

/// Devices that compute with bits.
template <class Device>
constexpr bool has_binary =
    std::is_same_v<Device, cpu> || std::is_same_v<Device, loopback> || std::is_same_v<Device, cuda>;

template <class A, class T> struct kernel<cpu, op::binarize<A, T>> {
  static_assert(quant::is_signs<A> && A::pad_value == 1,
                "rnx: bits stand for activation maps of signs that pad with +1");

  static void run(Stream, const op::binarize<A, T>& a) {
    const geometry::BitMap& m = a.to;
    host::parallel_for(
        long(m.n) * m.h,
        [&](long row) {
          const long n = row / m.h, h = row % m.h;
          std::uint32_t* const sample = a.bits + n * m.sample_words();
          std::uint32_t* const marks = sample + m.bases * m.base_words() + h * (1 + m.w);
          std::memset(marks, 0, (1 + m.w) * sizeof(std::uint32_t));
          const T* const x = a.x.data + row * m.w * a.x.stride;
          for (int k = 0; k < m.bases; ++k)
            signs_of_row(a, x, k, sample + k * m.base_words() + h * m.row_words(), marks);
        },
        double(m.rows()) * m.c * m.bases);
  }

 private:
  static void signs_of_row(const op::binarize<A, T>& a, const T* x, int k, std::uint32_t* to,
                           std::uint32_t* marks) {
    using namespace host;
    constexpr int L = vector_lanes<T>;
    const geometry::BitMap& m = a.to;
    std::uint32_t* const end = to + m.row_words();
    BitWriter writer(to, [](std::uint32_t word) { return word; });
    writer.put_zeros(long(m.pad) * m.c);
    for (int w = 0; w < m.w; ++w, x += a.x.stride) {
      decltype(vec<T>{} != vec<T>{}) nan = {};
      for (int c = 0; c < m.c; c += L) {
        const int count = smaller(L, m.c - c);
        const vec<T> v =
            quant::SignOf<A>::value(load_first<L>(x + c, count), a.parameters, k, m.bases);
        nan |= v != v;
        writer.put(mask_bits(v < T(0)) & ((2u << (count - 1)) - 1), count);
      }
      if (mask_bits(nan)) marks[0] = marks[1 + w] = ~0u;
    }
    for (to = writer.finish(); to < end; ++to) *to = 0;
  }
};

// Simulated maps run the kernels of the maps that they stand for.
template <class M, class T> struct kernel<cpu, op::weight_bases<quant::Simulated<M>, T>> {
  static void run(Stream s, const op::weight_bases<quant::Simulated<M>, T>& a) {
    kernel<cpu, op::weight_bases<M, T>>::run(s, {.g = a.g,
                                                 .theta = a.theta,
                                                 .bases = a.bases,
                                                 .scales = a.scales,
                                                 .parameters = a.parameters,
                                                 .filters = a.filters,
                                                 .told = a.told});
  }
};
template <class M, class T> struct kernel<cpu, op::weight_bases_backward<quant::Simulated<M>, T>> {
  static void run(Stream s, const op::weight_bases_backward<quant::Simulated<M>, T>& a) {
    kernel<cpu, op::weight_bases_backward<M, T>>::run(s, {.g = a.g,
                                                          .theta = a.theta,
                                                          .bases = a.bases,
                                                          .scales = a.scales,
                                                          .dsum = a.dsum,
                                                          .dtheta = a.dtheta,
                                                          .parameters = a.parameters,
                                                          .dparameters = a.dparameters,
                                                          .filters = a.filters,
                                                          .told = a.told});
  }
};
template <class A, class T> struct kernel<cpu, op::activation_bases<quant::Simulated<A>, T>> {
  static void run(Stream s, const op::activation_bases<quant::Simulated<A>, T>& a) {
    kernel<cpu, op::activation_bases<A, T>>::run(s, {.x = a.x,
                                                     .parameters = a.parameters,
                                                     .bases = a.bases,
                                                     .sum = a.sum,
                                                     .pad = a.pad,
                                                     .channels = a.channels,
                                                     .told = a.told});
  }
};
template <class A, class T>
struct kernel<cpu, op::activation_bases_backward<quant::Simulated<A>, T>> {
  static void run(Stream s, const op::activation_bases_backward<quant::Simulated<A>, T>& a) {
    kernel<cpu, op::activation_bases_backward<A, T>>::run(s, {.x = a.x,
                                                              .dx = a.dx,
                                                              .parameters = a.parameters,
                                                              .dsum = a.dsum,
                                                              .dparameters = a.dparameters,
                                                              .pad = a.pad,
                                                              .channels = a.channels,
                                                              .told = a.told});
  }
};

}  // namespace rnx::inline RNX_ISA

// Convolution and linear layers. Weight map, activation map, width rule and kernel rule are
// policies (layers/bound_convolution.hpp says what is computed).
#pragma once

#include "rnx/layers/bound_convolution.hpp"
#include "rnx/layers/bound_packed.hpp"
#include "rnx/layers/classifier.hpp"

namespace rnx::inline RNX_ISA {

/// Whether a packed map stands where the packed kernel computes.
template <class W, class A> constexpr bool packs(int in, int out, int kh, int kw, int groups) {
  return !quant::is_packed<W> || (quant::is_signs<W> && quant::is_signs<A> && groups == 1 &&
                                  geometry::binary_wins(in, out, kh, kw));
}
/// The bound layer of a convolution, whose weights are numbers or bits.
template <ConvShape S, class W, class A, class Width, class Kernel, class T, class Device>
using bound_conv_t = std::conditional_t<quant::is_packed<W>, BoundPackedConv<S, W, A, T, Device>,
                                        BoundConv<S, W, A, Width, Kernel, T, Device>>;

/// Spec of a convolution. Prefer the aliases Conv and Depthwise.
///   Out      output channels (0: as the input, depthwise)
///   shapes   (C, H, W) -> (Out, (H + 2 pad - K) / stride + 1, ...)
template <int Out, int K, int S, int P, int G, bool B, class W, class A, class Width, class Kernel>
struct Convolution {
  static constexpr int sites = 1;
  static constexpr int channels(Dims in) { return Out ? Out : in.c; }
  static constexpr int groups(Dims in) { return G ? G : in.c; }
  static constexpr Dims out_dims(Dims in) {
    return {channels(in), window_out(in.h, K, S, P), window_out(in.w, K, S, P)};
  }
  static constexpr Fault fault(Dims in) {
    if (!in.valid()) return Fault::empty_input;
    if (!W::valid || !A::valid) return Fault::bits;
    if (in.c % groups(in) || channels(in) % groups(in)) return Fault::groups;
    if (!packs<W, A>(in.c, channels(in), K, K, groups(in))) return Fault::packed;
    return out_dims(in).valid() ? Fault::none : Fault::window;
  }
  template <class In, class Device, class T>
  using bind =
      bound_conv_t<ConvShape{In::dims, out_dims(In::dims), K, K, S, P, groups(In::dims), B, false},
                   W, A, Width, Kernel, T, Device>;
};

/// Conv<Out, K, options...>: Stride (1), Pad (K / 2), Groups (1), Bias (false), a weight map, an
/// activation map, a width rule.
template <int Out, int K, class... Os>
using Conv = Convolution<Out, K, option::find_t<option::stride, Stride<1>, Os...>::value,
                         option::find_t<option::pad, Pad<K / 2>, Os...>::value,
                         option::find_t<option::groups, Groups<1>, Os...>::value,
                         option::find_t<option::bias, Bias<false>, Os...>::value,
                         option::find_t<option::weight_map, quant::FullPrecision, Os...>,
                         option::find_t<option::activation_map, quant::FullActivation, Os...>,
                         option::find_t<option::width, width::Fixed, Os...>,
                         option::find_t<option::kernel, kernel_rule::Fixed, Os...>>;

/// Depthwise<K, options...>: one K x K kernel for each channel.
template <int K, class... Os>
using Depthwise =
    Convolution<0, K, option::find_t<option::stride, Stride<1>, Os...>::value,
                option::find_t<option::pad, Pad<K / 2>, Os...>::value, 0,
                option::find_t<option::bias, Bias<false>, Os...>::value,
                option::find_t<option::weight_map, quant::FullPrecision, Os...>,
                option::find_t<option::activation_map, quant::FullActivation, Os...>,
                width::AsInput, option::find_t<option::kernel, kernel_rule::Fixed, Os...>>;

/// Fully connected: y = W x + b over the whole sample; weight (Out, C H W) in PyTorch's flattening
/// order. In: declared inputs, 0 = any. Out: at_run_time for the classifier of a network that is
/// told its number of classes (layers/classifier.hpp). W, A: its maps.
template <int Out, bool B = true, class W = quant::FullPrecision, int In_ = 0,
          class A = quant::FullActivation>
struct Linear {
  static constexpr int sites = 1;
  static_assert(
      Out != at_run_time || (W::identity && A::identity),
      "rnx: a classifier that is told its classes at run time takes full-precision weights and "
      "activations");
  static constexpr Dims out_dims(Dims) { return {Out == at_run_time ? 0 : Out, 1, 1}; }
  static constexpr Fault fault(Dims in) {
    if (!in.valid()) return Fault::empty_input;
    if (!W::valid || !A::valid) return Fault::bits;
    if (!packs<W, A>(in.c, Out, in.h, in.w, 1)) return Fault::packed;
    return In_ && In_ != int(in.count()) ? Fault::linear_channels : Fault::none;
  }
  template <class In, class Device, class T>
  using bind = std::conditional_t<
      Out == at_run_time, BoundClassifier<In::dims, B, T, Device>,
      bound_conv_t<ConvShape{In::dims, {Out, 1, 1}, In::dims.h, In::dims.w, 1, 0, 1, B, true}, W, A,
                   width::Fixed, kernel_rule::Fixed, T, Device>>;
};

}  // namespace rnx::inline RNX_ISA

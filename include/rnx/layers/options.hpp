// Options of layers, found by kind: Conv<64, 3, Stride<2>, Bias<true>, quant::Sign>.
#pragma once

#include "rnx/layers/contract.hpp"

namespace rnx::inline RNX_ABI {

namespace option {
struct stride {};
struct pad {};
struct groups {};
struct bias {};
struct width {};
struct kernel {};
struct epsilon {};
struct momentum {};
struct gamma {};

/// The first of Os whose kind is Kind, or Default.
template <class Kind, class Default, class... Os> struct find { using type = Default; };
template <class Kind, class Default, class O, class... Os> struct find<Kind, Default, O, Os...> {
  using type = typename std::conditional_t<std::is_same_v<typename O::option, Kind>, find<Kind, O>,
                                           find<Kind, Default, Os...>>::type;
};
template <class Kind, class Default, class... Os>
using find_t = typename find<Kind, Default, Os...>::type;
}  // namespace option

template <int N> struct Stride {
  using option = option::stride;
  static constexpr int value = N;
};
template <int N> struct Pad {
  using option = option::pad;
  static constexpr int value = N;
};
template <int N> struct Groups {
  using option = option::groups;
  static constexpr int value = N;
};
template <bool B> struct Bias {
  using option = option::bias;
  static constexpr bool value = B;
};

/// How many output channels of a convolution are active, and whether a subnet slot decides.
namespace width {
/// All of them.
struct Fixed {
  using option = option::width;
  static constexpr int slot_count = 0;
  static constexpr const char* slot_name = "";
  static constexpr int active(int /*c_in*/, int maximum, int /*choice*/) { return maximum; }
};
/// The subnet's choice is the number of channels ("width").
struct Chosen {
  using option = option::width;
  static constexpr int slot_count = 1;
  static constexpr const char* slot_name = "width";
  static constexpr int active(int, int maximum, int choice) {
    return choice < maximum ? choice : maximum;
  }
};
/// The subnet's choice times the active input channels ("expansion"); its maximum is E.
template <int E> struct Expansion {
  using option = option::width;
  static constexpr int slot_count = 1;
  static constexpr const char* slot_name = "expansion";
  static constexpr int maximum_choice = E;
  static constexpr int active(int c_in, int maximum, int choice) {
    return c_in * choice < maximum ? c_in * choice : maximum;
  }
};
/// A fixed multiple of the active input channels: mid = 6 c_in.
template <int N> struct Times {
  using option = option::width;
  static constexpr int slot_count = 0;
  static constexpr const char* slot_name = "";
  static constexpr int active(int c_in, int maximum, int) {
    return c_in * N < maximum ? c_in * N : maximum;
  }
};
/// make_divisible(c_in / N, 8): the bottleneck of squeeze-excite.
template <int N> struct Fraction {
  using option = option::width;
  static constexpr int slot_count = 0;
  static constexpr const char* slot_name = "";
  static constexpr int active(int c_in, int maximum, int) {
    const int c = make_divisible(double(c_in) / N);
    return c < maximum ? c : maximum;
  }
};
/// The channels of the map that a join::Gate multiplies: the last layer of squeeze-excite.
struct AsGated {
  using option = option::width;
  static constexpr int slot_count = 0;
  static constexpr const char* slot_name = "";
  static constexpr bool gated = true;
  static constexpr int active(int, int maximum, int gated) {
    return gated < maximum ? gated : maximum;
  }
};
/// As many as the input has: depthwise.
struct AsInput {
  using option = option::width;
  static constexpr int slot_count = 0;
  static constexpr const char* slot_name = "";
  static constexpr int active(int c_in, int, int) { return c_in; }
};
}  // namespace width

/// The kernel size of a convolution: all of the weight, or what a rule derives from it under a
/// subnet (search/elastic_kernel.hpp).
///   slot_count          1 where the subnet's choice "kernel" decides
///   extra(kh)           elements of the rule's own parameters, which describe(node) names
///   active(choice)      the size that a choice asks for
///   forward, backward   op::derived_kernel<Rule>, op::derived_kernel_backward<Rule>; theta is the
///                       full-precision weight
namespace kernel_rule {
struct Fixed {
  using option = option::kernel;
  static constexpr int slot_count = 0;
  static constexpr int extra(int) { return 0; }
};
}  // namespace kernel_rule

namespace op {

/// theta (o, i, K, K), extra -> weights (o, i, kh, kw), dense
template <class Rule, class T> struct derived_kernel {
  geometry::Weights g;
  const T* theta;
  const T* extra;
  T* weights;
  auto pointers() { return std::tie(theta, extra, weights); }
};
/// dtheta += and dextra += from the gradient of the derived weights
template <class Rule, class T> struct derived_kernel_backward {
  geometry::Weights g;
  const T* theta;
  const T* extra;
  const T* dweights;
  T* dtheta;
  T* dextra;
  auto pointers() { return std::tie(theta, extra, dweights, dtheta, dextra); }
};

}  // namespace op

}  // namespace rnx::inline RNX_ABI

// The sentences of wrong programs: a composition that does not fit, tensors of two devices, a
// kernel that is missing. They stand in one header that every umbrella includes first, so that a
// compiler's list of includes stays short.
#pragma once

#include <type_traits>

#include "rnx/config.hpp"

namespace rnx::inline RNX_ABI {

/// What is wrong with a layer and its input.
enum class Fault {
  none,
  empty_input,
  groups,
  window,
  branches,
  repeat,
  linear_channels,
  bits,
  gate,
  paths,
  mask,
  packed,
  no_layer
};

/// Index, spec and input shape of the layer that was rejected.
template <Fault F, int Index, class Spec, class In> struct rejected {
  static_assert(F != Fault::empty_input,
                "rnx: a layer needs an input with at least one channel and one pixel");
  static_assert(F != Fault::groups,
                "rnx: the groups of a convolution must divide its input and output channels");
  static_assert(F != Fault::window,
                "rnx: the kernel or pooling window is larger than its padded input");
  static_assert(F != Fault::branches,
                "rnx: channel mismatch: the branches of a join must have equal shapes");
  static_assert(F != Fault::repeat,
                "rnx: channel mismatch: a repeated block must return the shape that it takes");
  static_assert(
      F != Fault::linear_channels,
      "rnx: channel mismatch: the layer was declared for another number of input channels");
  static_assert(F != Fault::bits,
                "rnx: bits out of range: a quantizer takes 1 to 16 bits and 1 to 8 bases");
  static_assert(F != Fault::gate, "rnx: a gate must have one value per channel: shape (c, 1, 1)");
  static_assert(F != Fault::paths, "rnx: batch norm needs at least one path");
  static_assert(
      F != Fault::mask,
      "rnx: a channel mask needs widths between 1 and its input's channels, the largest first");
  static_assert(F != Fault::packed,
                "rnx: no packed kernel for a convolution of this width: it needs one group, at "
                "least 64 and at most 2^20 bits of a patch and at least 16 outputs");
  static_assert(
      F != Fault::no_layer,
      "rnx: this type is no layer: a spec is an empty type with `static constexpr int sites`, "
      "`static constexpr Dims out_dims(Dims)` and `static constexpr Fault fault(Dims)`; see "
      "layers/contract.hpp");
};

/// Two tensors agree on their device, or the program does not compile.
template <class A, class B> constexpr void same_device() {
  static_assert(std::is_same_v<A, B>,
                "rnx: these tensors live on two devices; copy one of them first");
}

/// Base of launch<> for a device that has no kernel for an operation.
template <class Device, class Operation> struct missing_kernel {
  static_assert(sizeof(Operation) == 0,
                "rnx: this operation has no kernel for this device; include the device's header "
                "(rnx/cuda.hpp, rnx/kernels/loopback.hpp) or add one");
  template <class... As> static void run(As...) {}
};

}  // namespace rnx::inline RNX_ABI

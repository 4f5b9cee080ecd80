// The operations that a bound convolution runs: those of a dense convolution, or of one kernel for
// each channel. L: a ConvLayout.
#pragma once

#include "rnx/layers/convolution_layout.hpp"

namespace rnx::inline RNX_ISA {

template <class L> struct ConvOperations {
  using T = typename L::Scalar;

  /// theta to the forms that forward and input gradient read; null: unwanted.
  template <class P>
  static void pack(P& pass, const geometry::Weights& g, const T* theta, T* forward, T* backward) {
    if constexpr (L::depthwise) {
      if (forward) pass.run(op::pack_depthwise<T>{g, theta, forward});
      if (backward && !L::plain_weights) pass.run(op::pack_depthwise<T>{g, theta, backward});
    } else {
      pass.run(op::pack_weights<T>{.g = g,
                                   .theta = theta,
                                   .forward = forward,
                                   .backward = backward,
                                   .winograd_forward = L::winograd_forward,
                                   .winograd_backward = L::winograd_backward});
    }
  }

  template <class P> static void forward(P& pass, op::conv2d_forward<T> a) {
    if constexpr (L::depthwise) {
      pass.run(op::depthwise_forward<T>{.x = a.x,
                                        .w = a.w,
                                        .bias = a.bias,
                                        .scale = a.scale,
                                        .y = a.y,
                                        .filter = a.filter,
                                        .accumulate = a.accumulate});
    } else {
      a.filter.winograd = L::winograd_forward;
      pass.run(a);
    }
  }

  /// w: the weights' form for input gradients (backward_weights).
  template <class P>
  static void backward_input(P& pass, const op::Map<const T>& dy, const T* w, const op::Map<T>& dx,
                             geometry::Filter filter) {
    if constexpr (L::depthwise) {
      pass.run(op::depthwise_backward_input<T>{.dy = dy, .w = w, .dx = dx, .filter = filter});
    } else {
      filter.winograd = L::winograd_backward;
      pass.run(op::conv2d_backward_input<T>{.dy = dy, .w = w, .dx = dx, .filter = filter});
    }
  }

  template <class P> static const T* backward_weights(const P& pass, int site) {
    constexpr bool of_forward = L::depthwise && L::plain_weights;
    return pass.prepared(site, of_forward ? 0 : L::prepared(pass, site).backward.at);
  }

  /// dw: dense, in the order of kernels.
  template <class P>
  static void backward_weight(P& pass, const op::Map<const T>& x, const op::Map<const T>& dy, T* dw,
                              const geometry::Filter& filter) {
    if constexpr (L::depthwise)
      pass.run(op::depthwise_backward_weight<T>{.x = x, .dy = dy, .dw = dw, .filter = filter});
    else
      pass.run(op::conv2d_backward_weight<T>{.x = x, .dy = dy, .dw = dw, .filter = filter});
  }

  /// to += dw, in the order of theta.
  template <class P> static void unpack(P& pass, const geometry::Weights& g, const T* dw, T* to) {
    if constexpr (L::depthwise)
      pass.run(op::unpack_depthwise_gradient<T>{g, dw, to});
    else
      pass.run(op::unpack_gradient<T>{g, dw, to});
  }
};

}  // namespace rnx::inline RNX_ISA

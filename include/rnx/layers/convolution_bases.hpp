// The bases of a bound convolution's weights and activations: y = sum over m, n of alpha_m beta_n
// (A_n(x) * B_m(theta)), in that order of m, then n. Gradients go through the sums over bases. A
// kernel that a rule derives from theta counts as one base. L: a ConvLayout.
#pragma once

#include "rnx/layers/convolution_operations.hpp"

namespace rnx::inline RNX_ISA {

/// Memory of a pass, given in elements, that holds bits.
template <class T> std::uint32_t* words_at(T* elements) {
  return reinterpret_cast<std::uint32_t*>(elements);
}
template <class T> const std::uint32_t* words_at(const T* elements) {
  return reinterpret_cast<const std::uint32_t*>(elements);
}

template <class L> struct ConvWeightBases {
  using T = typename L::Scalar;
  using W = typename L::WeightMap;
  using Operations = ConvOperations<L>;
  using At = typename L::Prepared;
  using Parameters = typename L::Parameters;

  /// Bases, scales and sum of the active weights, packed.
  template <class P> static void prepare(P& pass, int site, const ActiveConv& a) {
    const geometry::Weights dense = dense_corner(a);
    const T* theta = pass.parameter(site);
    const auto M = L::bases(pass, site).weights;
    const At at = L::prepared(pass, site);
    T* p = pass.prepared(site);
    if constexpr (L::derived)
      pass.run(op::derived_kernel<typename L::KernelRule, T>{
          .g = a.w,
          .theta = theta,
          .extra = pass.parameter(site, Parameters::extra.at),
          .weights = p + at.bases.at});
    else
      pass.run(op::weight_bases<W, T>{.g = a.w,
                                      .theta = theta,
                                      .bases = p + at.bases.at,
                                      .scales = map_scales(p, at),
                                      .parameters = learned(pass, site),
                                      .filters = L::shape.out.c,
                                      .told = pass.sites[site].bits.weights});
    if constexpr (L::binary)
      pass.run(op::pack_binary<T>{
          .g = L::bit_weights(M, a.w.i, a.out), .base = p + at.bases.at, .words = words_at(p)});
    else
      for (int m = 0; m < M; ++m)
        Operations::pack(pass, dense, p + at.bases.at + m * dense.count(), p + m * L::pack_size,
                         nullptr);
    const int rows = dense.groups * dense.o;
    pass.run(op::sum_bases<T>{.bases = M,
                              .rows = rows,
                              .row = dense.count() / rows,
                              .base = p + at.bases.at,
                              .scale = scales(p, at),
                              .y = p + at.sum.at});
    Operations::pack(pass, dense, p + at.sum.at, nullptr, p + at.backward.at);
  }

  /// alpha_m beta_n for each pair of bases and output channel.
  template <class P> static void prepare_factors(P& pass, int site, const ActiveConv& a) {
    T* p = pass.prepared(site);
    const auto bases = L::bases(pass, site);
    const Parameters parameters = L::parameters(pass, site);
    const At at = L::prepared(pass, site);
    const T* alphas = scales(p, at);
    if constexpr (L::packed && W::scaled) alphas = pass.parameter(site, parameters.weight_map.at);
    pass.run(op::base_products<T>{.k = bases.weights,
                                  .n = bases.activations,
                                  .o = a.out,
                                  .scales = alphas,
                                  .betas = L::ActivationMap::scaled
                                               ? pass.parameter(site, parameters.activation.at)
                                               : nullptr,
                                  .products = p + at.factors.at});
  }

  /// Adds to theta's gradient (and the rule's) what dw, of the sum in the order of kernels, gives.
  /// dsum: scratch for it in theta's order.
  template <class P>
  static void backward(P& pass, int site, const ActiveConv& a, const T* dw, T* dsum, T* gradient) {
    const geometry::Weights dense = dense_corner(a);
    const T* theta = pass.parameter(site);
    pass.run(op::fill<T>{dense.count(), T(0), dsum});
    Operations::unpack(pass, dense, dw, dsum);
    if constexpr (L::derived) {
      pass.run(op::derived_kernel_backward<typename L::KernelRule, T>{
          .g = a.w,
          .theta = theta,
          .extra = pass.parameter(site, Parameters::extra.at),
          .dweights = dsum,
          .dtheta = gradient,
          .dextra = gradient + Parameters::extra.at});
    } else {
      const T* p = pass.prepared(site);
      const At at = L::prepared(pass, site);
      const Section section = L::parameters(pass, site).weight_map;
      pass.run(op::weight_bases_backward<W, T>{
          .g = a.w,
          .theta = theta,
          .bases = p + at.bases.at,
          .scales = map_scales(p, at),
          .dsum = dsum,
          .dtheta = gradient,
          .parameters = learned(pass, site),
          .dparameters = section.size ? gradient + section.at : nullptr,
          .filters = L::shape.out.c,
          .told = pass.sites[site].bits.weights});
    }
  }

 private:
  /// The active corner as a dense tensor of its own.
  static geometry::Weights dense_corner(const ActiveConv& a) {
    geometry::Weights d = a.w;
    d.sw = 1;
    d.sh = d.kw;
    d.si = long(d.kh) * d.kw;
    d.so = d.si * d.i;
    d.sg = d.so * d.o;
    return d;
  }
  /// What the weight map takes: a pointer, or nothing where it has no scales.
  template <class U> static op::scales_of<W, U*> map_scales(U* prepared, const At& at) {
    if constexpr (W::scaled)
      return prepared + at.scales.at;
    else
      return {};
  }
  /// Null: 1.
  static const T* scales(const T* prepared, const At& at) {
    return W::scaled ? prepared + at.scales.at : nullptr;
  }
  /// The map's parameters; null: it has none.
  template <class P> static const T* learned(const P& pass, int site) {
    const Section section = L::parameters(pass, site).weight_map;
    return section.size ? pass.parameter(site, section.at) : nullptr;
  }
};

template <class L> struct ConvActivationBases {
  using T = typename L::Scalar;
  using A = typename L::ActivationMap;

  /// bias: null where there is none. y is assigned.
  template <class P>
  static void forward(const op::Map<const T>& x, const op::Map<T>& y, const T* bias, P& pass,
                      int site, const ActiveConv& a) {
    if constexpr (L::binary)
      return forward_binary(x, y, bias, words_at(pass.prepared(site)), pass, site);
    const auto [M, N] = L::bases(pass, site);
    const T* p = pass.prepared(site);
    const T* const factors = p + L::prepared(pass, site).factors.at;
    op::Map<const T> from = x;
    int pad = a.pad;
    if constexpr (!L::plain_input) {
      T* bases = pass.work_forward(site);
      run(pass, site, a, x, bases, nullptr);
      from = {geometry::padded(x, a.pad), bases};
      pad = 0;
    }
    for (int m = 0; m < M; ++m)
      for (int n = 0; n < N; ++n) {
        const bool last = m + 1 == M && n + 1 == N;
        ConvOperations<L>::forward(pass,
                                   {.x = {from, from.data + n * from.n * from.sample()},
                                    .w = p + m * L::pack_size,
                                    .bias = last ? bias : nullptr,
                                    .scale = L::factored ? factors + (m * N + n) * a.out : nullptr,
                                    .y = y,
                                    .filter = L::filter(a, pad),
                                    .accumulate = m + n > 0});
      }
  }

  /// The sum over bases of beta_n A_n(x), padded.
  template <class P>
  static void sum(P& pass, int site, const ActiveConv& a, const op::Map<const T>& x, T* y) {
    run(pass, site, a, x, nullptr, y);
  }

  /// dx is assigned (empty: unwanted), the map's gradient (null: unwanted) added to. dsum: of sum's
  /// result.
  template <class P>
  static void backward(P& pass, int site, const ActiveConv& a, const op::Map<const T>& x,
                       const op::Map<T>& dx, const T* dsum, T* dparameters) {
    pass.run(op::activation_bases_backward<A, T>{.x = x,
                                                 .dx = dx,
                                                 .parameters = parameters(pass, site),
                                                 .dsum = dsum,
                                                 .dparameters = dparameters,
                                                 .pad = a.pad,
                                                 .channels = L::shape.in.c,
                                                 .told = pass.sites[site].bits.activations});
  }

  /// The same with bits. weights: their signs.
  template <class P>
  static void forward_binary(const op::Map<const T>& x, const op::Map<T>& y, const T* bias,
                             const std::uint32_t* weights, P& pass, int site) {
    const auto bases = L::bases(pass, site);
    const geometry::BitMap map = L::bit_map(x, bases.activations);
    std::uint32_t* bits = words_at(pass.work_forward(site));
    pass.run(op::binarize<A, T>{.x = x,
                                .parameters = parameters(pass, site),
                                .to = map,
                                .bits = bits,
                                .alone = pass.places[site].reads_alone});
    geometry::Filter filter = L::filter({.w = L::maxima}, 0);
    filter.winograd = L::winograd_forward;
    pass.run(op::binary_convolution<T>{
        .in = {.x = map, .bits = bits, .weights = weights, .weight_bases = bases.weights},
        .bias = bias,
        .scale = L::factored ? pass.prepared(site, L::prepared(pass, site).factors.at) : nullptr,
        .y = y,
        .filter = filter});
  }

 private:
  template <class P> static const T* parameters(const P& pass, int site) {
    const Section section = L::parameters(pass, site).activation;
    return section.size ? pass.parameter(site, section.at) : nullptr;
  }
  template <class P>
  static void run(P& pass, int site, const ActiveConv& a, const op::Map<const T>& x, T* bases,
                  T* sum) {
    pass.run(op::activation_bases<A, T>{.x = x,
                                        .parameters = parameters(pass, site),
                                        .bases = bases,
                                        .sum = sum,
                                        .pad = a.pad,
                                        .channels = L::shape.in.c,
                                        .told = pass.sites[site].bits.activations});
  }
};

}  // namespace rnx::inline RNX_ISA

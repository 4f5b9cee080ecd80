// Where a bound convolution keeps what it needs: sections of its parameters and of its prepared
// weights; and how much of them is active in one pass.
#pragma once

#include "rnx/layers/convolution_shape.hpp"
#include "rnx/layers/options.hpp"

namespace rnx::inline RNX_ISA {

/// Elements [at, end) of a flat array.
struct Section {
  std::size_t at = 0, size = 0;
  constexpr std::size_t end() const { return at + size; }
};

/// What is active in one pass. w: the active corner of theta. pad: of the active kernel.
struct ActiveConv {
  geometry::Weights w;
  int out = 0, pad = 0;
};

/// S: sizes. W: weight map. A: activation map. Width, Kernel: what a subnet may choose.
template <ConvShape S, class W, class A, class Width, class Kernel, class T, class Device>
struct ConvLayout {
  static constexpr ConvShape shape = S;
  using WeightMap = W;
  using ActivationMap = A;
  using KernelRule = Kernel;
  using Scalar = T;
  static constexpr bool depthwise = S.depthwise();
  static constexpr bool derived = Kernel::slot_count > 0;
  static constexpr bool plain_weights = W::identity && !derived, plain_input = A::identity;
  /// Each pair of bases has a factor.
  static constexpr bool factored = W::scaled || A::scaled || W::bases * A::bases > 1;

  /// Numbers of bases: constants, or what the network was told.
  struct Bases {
    quant::bases_t<W> weights;
    quant::bases_t<A> activations;
    constexpr int pairs() const { return weights * activations; }
  };
  static constexpr Bases bases_of(quant::Bits bits) {
    return {quant::bases_of<W>(bits.weights), quant::bases_of<A>(bits.activations)};
  }
  template <class P> static Bases bases(const P& pass, int site) {
    return bases_of(pass.sites[site].bits);
  }

  /// Of an activation map with scales: factors read them.
  static constexpr bool betas_first = [] {
    for (const quant::MapParameter& p : quant::parameters_of<A>())
      return p.count == A::bases && p.per == quant::Per::layer;
    return false;
  }();
  /// Computed with bits: both maps are signs.
  static constexpr bool binary = quant::is_signs<W> && quant::is_signs<A> && has_binary<Device> &&
                                 S.groups == 1 && !derived &&
                                 geometry::binary_wins(S.in.c, S.out.c, S.kh, S.kw);

  /// Its products are those of integers: every order of their sum gives the same, exact number.
  static constexpr bool whole_numbers = quant::whole_numbers<W> && quant::whole_numbers<A>;
  static constexpr bool exact =
      !whole_numbers ||
      long(S.in_group()) * S.kh * S.kw <= quant::exact_products(std::numeric_limits<T>::digits);

  /// Its weights are a buffer of words, and its scales parameters in the place of the map's.
  static constexpr bool packed = quant::is_packed<W>;

  struct Parameters {
    static constexpr Section weight{0, packed ? 0 : S.weights()},
        bias{weight.end(), std::size_t(S.bias ? S.out.c : 0)},
        extra{bias.end(), std::size_t(Kernel::extra(S.kh))};
    Section activation, weight_map;

    constexpr explicit Parameters(const Bases& k)
        : activation{extra.end(), quant::parameter_count<A>(S.in.c, k.activations)},
          weight_map{activation.end(), packed && W::scaled
                                           ? std::size_t(k.weights) * S.out.c
                                           : quant::parameter_count<W>(S.out.c, k.weights)} {}
  };
  template <class P> static Parameters parameters(const P& pass, int site) {
    return Parameters(bases(pass, site));
  }

  static constexpr long kernel_size = long(S.kh) * S.kw;
  static constexpr int out_group = S.out.c / S.groups;
  static constexpr geometry::Weights maxima{.groups = depthwise ? S.in.c : S.groups,
                                            .o = out_group,
                                            .i = S.in_group(),
                                            .kh = S.kh,
                                            .kw = S.kw,
                                            .so = S.in_group() * kernel_size,
                                            .si = kernel_size,
                                            .sh = S.kw,
                                            .sw = 1,
                                            .sg = out_group * S.in_group() * kernel_size};
  static constexpr bool winograd_shape = RNX_WINOGRAD && has_fusion<Device> && !S.linear &&
                                         S.kh == 3 && S.kw == 3 && S.stride == 1 && S.groups == 1 &&
                                         !derived && !whole_numbers;
  static constexpr bool winograd_forward =
      winograd_shape && geometry::winograd_wins(S.in.c, S.out.c, S.out.h, S.out.w);
  static constexpr bool winograd_backward =
      winograd_shape && geometry::winograd_wins(S.out.c, S.in.c, S.in.h, S.in.w);

  /// Elements of one base packed for forward.
  static constexpr std::size_t pack_size =
      round_up(depthwise          ? S.weights()
               : winograd_forward ? maxima.packed_winograd(S.in.c, S.out.c)
                                  : maxima.packed_forward(),
               16);
  static constexpr std::size_t backward_pack_size =
      round_up(depthwise           ? (plain_weights ? 0 : S.weights())
               : winograd_backward ? maxima.packed_winograd(S.out.c, S.in.c)
                                   : maxima.packed_backward(),
               16);

  /// Elements that hold words of 32 bits.
  static constexpr std::size_t elements_of(long words) {
    return round_up(words * sizeof(std::uint32_t), 64) / sizeof(T);
  }
  static constexpr geometry::BitWeights bit_weights(int bases, int in, int out) {
    return {.bases = bases, .o = out, .i = in, .kh = S.kh, .kw = S.kw};
  }
  /// Elements of the signs of so many weight bases: what a packed convolution has as a buffer.
  static constexpr std::size_t words(int bases) {
    return elements_of(bit_weights(bases, S.in.c, S.out.c).words());
  }
  static geometry::BitMap bit_map(const geometry::Map& x, int bases) { return {x, S.pad, bases}; }
  /// Elements of a sample's signs.
  static constexpr std::size_t bits_of_sample(int bases) {
    return elements_of(
        geometry::BitMap{{1, S.in.h, S.in.w, S.in.c, S.in.c}, S.pad, bases}.sample_words());
  }

  /// forward: a pack for each weight base, or the signs of all. backward: a pack of their sum.
  /// factors: alpha_m beta_n for each pair of bases. Packed convolutions have factors alone.
  struct Prepared {
    static constexpr std::size_t dense = plain_weights || packed ? 0 : S.weights();
    Section forward, backward, bases, scales, sum, factors;

    constexpr explicit Prepared(const Bases& k)
        : forward{0, packed   ? 0
                     : binary ? words(k.weights)
                              : k.weights * pack_size},
          backward{forward.end(), packed ? 0 : backward_pack_size},
          bases{backward.end(), k.weights * dense},
          scales{bases.end(), std::size_t(W::scaled && !packed ? k.weights * S.out.c : 0)},
          sum{scales.end(), dense},
          factors{sum.end(), std::size_t(factored ? k.pairs() * S.out.c : 0)} {}
    constexpr std::size_t size() const { return round_up(factors.end(), 16); }
  };
  template <class P> static Prepared prepared(const P& pass, int site) {
    return Prepared(bases(pass, site));
  }

  /// Elements of the input of n samples with its padding.
  static constexpr std::size_t padded_input(std::size_t n) {
    return n * (S.in.h + 2 * S.pad) * (S.in.w + 2 * S.pad) * S.in.c;
  }

  /// Given the active input channels. Throws UsageError where a subnet asks for what there is not.
  template <class P> static ActiveConv active(int c_in, const P& pass, int site) {
    ActiveConv a{.w = maxima,
                 .out = depthwise ? c_in : Width::active(c_in, S.out.c, choice(pass, site)),
                 .pad = S.pad};
    if constexpr (derived) {
      a.w.kh = a.w.kw = Kernel::active(pass.choice(site, Width::slot_count, S.kh));
      a.pad = a.w.kh / 2;
    }
    if (depthwise)
      a.w.groups = c_in;
    else if (S.groups == 1) {
      a.w.i = c_in;
      a.w.o = a.out;
    } else
      require<UsageError>(c_in == S.in.c && a.out == S.out.c, [&] {
        return "grouped convolution: it takes all of its " + std::to_string(S.in.c) +
               " channels, the subnet left " + std::to_string(c_in);
      });
    return a;
  }

  static constexpr geometry::Filter filter(const ActiveConv& a, int pad) {
    return {.kh = a.w.kh,
            .kw = a.w.kw,
            .stride = S.stride,
            .pad_h = pad,
            .pad_w = pad,
            .groups = a.w.groups};
  }

 private:
  /// Of the width rule.
  template <class P> static int choice(const P& pass, int site) {
    if constexpr (requires { Width::gated; })
      return pass.gated;
    else if constexpr (requires { Width::maximum_choice; })
      return std::min(pass.choice(site, 0, Width::maximum_choice), Width::maximum_choice);
    else
      return Width::slot_count ? pass.choice(site, 0, S.out.c) : 0;
  }
};

}  // namespace rnx::inline RNX_ISA

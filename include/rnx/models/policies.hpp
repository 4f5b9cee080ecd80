// Policies that the model families take: which convolution, norm and activation a network is made of.
#pragma once

#include "rnx/cost.hpp"

namespace rnx::inline RNX_ISA::models {

/// Convolutions of one kind. `stem` and `classifier` stay in full precision, as quantised networks keep their first and last layers.
template <class W = quant::FullPrecision, class A = quant::FullActivation>
struct Convolutions {
  template <int Out, int K, int S = 1> using conv = Conv<Out, K, Stride<S>, W, A>;
  template <int Out, int K, int S = 1> using stem = Conv<Out, K, Stride<S>>;
  template <int Out> using classifier = Linear<Out>;
};

/// Input normalisation, then the layers; the penultimate features carry a Tap.
template <class Convs, int Classes, class... Layers>
using Classifier = Sequential<Named<"normalize", Normalize>, Layers..., Named<"avgpool", Tap<Penultimate, GlobalAveragePool>>, Named<"fc", typename Convs::template classifier<Classes>>>;

}  // namespace rnx::inline RNX_ISA::models

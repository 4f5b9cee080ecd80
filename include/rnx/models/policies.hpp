// Policies that the model families take: which convolution, norm and activation a network is made
// of.
#pragma once

#include "rnx/cost.hpp"

namespace rnx::inline RNX_ISA::models {

/// Convolutions of one kind; Os are further options of Conv. `stem` and `classifier` stay in full
/// precision, as quantised networks keep their first and last layers (or Int8Ends).
template <class W = quant::FullPrecision, class A = quant::FullActivation> struct Convolutions {
  template <int Out, int K, int S = 1, class... Os>
  using conv = Conv<Out, K, Stride<S>, W, A, Os...>;
  template <int Out, int K, int S = 1, class... Os> using stem = Conv<Out, K, Stride<S>, Os...>;
  template <int Out> using classifier = Linear<Out>;
};

/// The same with a stem and a classifier of 8-bit integers, as paper 003 has them.
template <class Convs> struct Int8Ends : Convs {
  template <int Out, int K, int S = 1, class... Os>
  using stem = Conv<Out, K, Stride<S>, quant::Int8Weights, quant::Int8Activation, Os...>;
  template <int Out>
  using classifier = Linear<Out, true, quant::Int8Weights, 0, quant::Int8Activation>;
};

/// Layers whose names stay at the top. They are one bound type, which networks with other numbers
/// of classes share.
template <class... Layers> using Trunk = Transparent<Sequential<Layers...>>;

/// Input normalisation, the layers, the mean over all pixels (its features carry a Tap), and a
/// classifier called Fc.
template <fixed_string Fc, class Convs, int Classes, class... Layers>
using ClassifierNamed = Sequential<Named<"normalize", Normalize>, Trunk<Layers...>,
                                   Named<"avgpool", Tap<Penultimate, GlobalAveragePool>>,
                                   Named<Fc, typename Convs::template classifier<Classes>>>;

/// The same with torchvision's name of the classifier.
template <class Convs, int Classes, class... Layers>
using Classifier = ClassifierNamed<"fc", Convs, Classes, Layers...>;

namespace detail {
template <class Net, int Width> struct added_linear;
template <class In, class Layers, fixed_string Pool, class Features, class Fc, int Width>
struct added_linear<Sequential<In, Layers, Named<Pool, Tap<Penultimate, Features>>, Fc>, Width> {
  using type = Sequential<In, Layers, Named<Pool, Features>,
                          Named<"added_linear", Tap<Penultimate, Linear<Width>>>, Fc>;
};
}  // namespace detail

/// A network that ends as ClassifierNamed does, with a linear layer of paper 002 (RRM), without
/// activation, between its features and its classifier: a teacher and a student of other widths
/// then have Width penultimate features each.
template <class Net, int Width = 512>
using AddedLinear = typename detail::added_linear<Net, Width>::type;

}  // namespace rnx::inline RNX_ISA::models

// Inverted residual blocks (Sandler et al. 2018; Howard et al. 2019) with squeeze-excite, and
// multi-layer perceptrons.
#pragma once

#include "rnx/models/policies.hpp"

namespace rnx::inline RNX_ISA::models {

/// x g(x): global pool, 1x1 to make_divisible(c / Reduction), ReLU, 1x1 back, hard-sigmoid; names
/// fc1, fc2. MidMax: channels at the maximum; where they are a subnet's choice the bottleneck
/// follows the active ones.
template <int MidMax, int Reduction = 4>
using SqueezeExcite =
    Parallel<join::Gate, Identity,
             Transparent<Sequential<Named<"avgpool", GlobalAveragePool>,
                                    Named<"fc1", Conv<make_divisible(double(MidMax) / Reduction), 1,
                                                      Bias<true>, width::Fraction<Reduction>>>,
                                    Named<"relu", act::Relu>,
                                    Named<"fc2", Conv<MidMax, 1, Bias<true>, width::AsGated>>,
                                    Named<"gate", act::HardSigmoid>>>>;

/// Expand 1x1, depthwise K x K, squeeze-excite, project 1x1; identity shortcut where stride is 1
/// and widths agree. In: input channels, Mid: expanded channels, Out: output channels; WithSe:
/// squeeze-excite.
template <int In, int Mid, int Out, int K, int S, bool WithSe, class Act = act::HardSwish,
          class Norm = BatchNorm<>>
using InvertedResidual = std::conditional_t<
    In == Out && S == 1,
    Residual<
        Sequential<Named<"conv1", Conv<Mid, 1>>, Named<"bn1", Norm>, Named<"act1", Act>,
                   Named<"conv2", Depthwise<K, Stride<S>>>, Named<"bn2", Norm>, Named<"act2", Act>,
                   Named<"se", std::conditional_t<WithSe, SqueezeExcite<Mid>, Identity>>,
                   Named<"conv3", Conv<Out, 1>>, Named<"bn3", Norm>>>,
    Sequential<Named<"conv1", Conv<Mid, 1>>, Named<"bn1", Norm>, Named<"act1", Act>,
               Named<"conv2", Depthwise<K, Stride<S>>>, Named<"bn2", Norm>, Named<"act2", Act>,
               Named<"se", std::conditional_t<WithSe, SqueezeExcite<Mid>, Identity>>,
               Named<"conv3", Conv<Out, 1>>, Named<"bn3", Norm>>>;

/// A small MobileNetV3-style classifier for 32 x 32 images: stem 16, three stages of inverted
/// residuals, global pool, classifier.
template <int Classes = 10, class Norm = BatchNorm<>>
using MobileNetTiny = Classifier<
    Convolutions<>, Classes, Named<"conv1", Conv<16, 3>>, Named<"bn1", Norm>,
    Named<"act", act::HardSwish>,
    Named<"blocks", Sequential<InvertedResidual<16, 64, 24, 3, 2, false, act::Relu, Norm>,
                               InvertedResidual<24, 72, 24, 3, 1, false, act::Relu, Norm>,
                               InvertedResidual<24, 96, 40, 5, 2, true, act::HardSwish, Norm>,
                               InvertedResidual<40, 240, 40, 5, 1, true, act::HardSwish, Norm>>>>;

/// Linear layers of the given widths with an activation after each, and a classifier: names 0, 1,
/// ... and fc.
template <int Outputs, class Act, int... Widths>
using Mlp = Sequential<
    Named<"layers", Sequential<Sequential<Named<"linear", Linear<Widths>>, Named<"act", Act>>...>>,
    Named<"fc", Linear<Outputs>>>;

}  // namespace rnx::inline RNX_ISA::models

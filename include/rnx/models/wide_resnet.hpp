// Wide residual networks (Zagoruyko and Komodakis 2016): WRN-D-k has (D - 4) / 6 pre-activation
// blocks a group, of widths 16 k, 32 k, 64 k. For 32 x 32 images. Names are those of the usual
// PyTorch code: block1.layer.0.conv1, block1.layer.0.convShortcut, bn1, fc.
#pragma once

#include "rnx/models/policies.hpp"

namespace rnx::inline RNX_ISA::models {

/// y = x + body(x), body = conv2 relu2 bn2 conv1 relu1 bn1. Where channels change, relu1(bn1(x))
/// feeds conv1 and a 1 x 1 shortcut without norm.
template <int In, int Out, int S, class Convs, class Norm, class Act>
using WideBlock = std::conditional_t<
    In == Out && S == 1,
    Residual<
        Sequential<Named<"bn1", Norm>, Named<"relu1", Act>,
                   Named<"conv1", typename Convs::template conv<Out, 3>>, Named<"bn2", Norm>,
                   Named<"relu2", Act>, Named<"conv2", typename Convs::template conv<Out, 3>>>>,
    Sequential<
        Named<"bn1", Norm>, Named<"relu1", Act>,
        Transparent<Parallel<
            join::Add,
            Trunk<Named<"conv1", typename Convs::template conv<Out, 3, S>>, Named<"bn2", Norm>,
                  Named<"relu2", Act>, Named<"conv2", typename Convs::template conv<Out, 3>>>,
            Named<"convShortcut", typename Convs::template conv<Out, 1, S>>>>>>;

template <int N, int In, int Out, int S, class Convs, class Norm, class Act>
using WideGroup = Sequential<Named<"layer", Repeat<N, WideBlock<In, Out, S, Convs, Norm, Act>,
                                                   WideBlock<Out, Out, 1, Convs, Norm, Act>>>>;

/// Depth: 6 n + 4. Widen: k. The penultimate features are 64 k numbers.
template <int Depth, int Widen, int Classes = 10, class Convs = Convolutions<>,
          class Norm = BatchNorm<>, class Act = act::Relu>
  requires(Depth % 6 == 4 && Depth > 4 && Widen > 0)
using WideResNet = Classifier<
    Convs, Classes, Named<"conv1", typename Convs::template stem<16, 3>>,
    Named<"block1", WideGroup<(Depth - 4) / 6, 16, 16 * Widen, 1, Convs, Norm, Act>>,
    Named<"block2", WideGroup<(Depth - 4) / 6, 16 * Widen, 32 * Widen, 2, Convs, Norm, Act>>,
    Named<"block3", WideGroup<(Depth - 4) / 6, 32 * Widen, 64 * Widen, 2, Convs, Norm, Act>>,
    Named<"bn1", Norm>, Named<"relu", Act>>;

template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using Wrn22x8 = WideResNet<22, 8, Classes, Convs, Norm, Act>;
template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using Wrn34x10 = WideResNet<34, 10, Classes, Convs, Norm, Act>;

}  // namespace rnx::inline RNX_ISA::models

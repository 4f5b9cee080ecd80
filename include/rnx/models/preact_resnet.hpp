// Pre-activation ResNet-18 for 32 x 32 images (He et al. 2016, identity mappings), in the form of
// fast adversarial training (Wong et al. 2020): the shortcut's convolution reads the block's input
// before norm and activation, and a norm and an activation stand before the pooling.
#pragma once

#include "rnx/models/policies.hpp"

namespace rnx::inline RNX_ISA::models {

/// y = shortcut(x) + conv2 relu2 bn2 conv1 relu1 bn1 x; the shortcut is x, or a 1 x 1 convolution
/// of x where the shape changes.
template <int In, int Out, int S, class Convs, class Norm, class Act>
using PreActBlock = Parallel<
    join::Add,
    Trunk<Named<"bn1", Norm>, Named<"relu1", Act>,
          Named<"conv1", typename Convs::template conv<Out, 3, S>>, Named<"bn2", Norm>,
          Named<"relu2", Act>, Named<"conv2", typename Convs::template conv<Out, 3>>>,
    Named<"shortcut", std::conditional_t<In == Out && S == 1, Identity,
                                         Sequential<typename Convs::template conv<Out, 1, S>>>>>;

template <int N, int In, int Out, int S, class Convs, class Norm, class Act>
using PreActStage = Repeat<N, PreActBlock<In, Out, S, Convs, Norm, Act>,
                           PreActBlock<Out, Out, 1, Convs, Norm, Act>>;

/// Names of that code: layer2.0.shortcut.0, the last norm is bn, the classifier linear.
template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using PreActResNet18 =
    ClassifierNamed<"linear", Convs, Classes, Named<"conv1", typename Convs::template stem<64, 3>>,
                    Named<"layer1", PreActStage<2, 64, 64, 1, Convs, Norm, Act>>,
                    Named<"layer2", PreActStage<2, 64, 128, 2, Convs, Norm, Act>>,
                    Named<"layer3", PreActStage<2, 128, 256, 2, Convs, Norm, Act>>,
                    Named<"layer4", PreActStage<2, 256, 512, 2, Convs, Norm, Act>>,
                    Named<"bn", Norm>, Named<"relu", Act>>;

}  // namespace rnx::inline RNX_ISA::models

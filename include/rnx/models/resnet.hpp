// Residual networks (He et al. 2016), with torchvision's names.
//   ResNet20, ResNet56   6 n + 2 layers of widths 16, 32, 64 for 32 x 32 images; option A shortcuts (no parameters)
//   ResNet18             basic blocks [2, 2, 2, 2] of widths 64 .. 512; CIFAR stem: 3 x 3, stride 1, no max-pool
//   ResNet50             bottlenecks [3, 4, 6, 3], stride on the 3 x 3 convolution; CIFAR stem
#pragma once

#include "rnx/models/policies.hpp"

namespace rnx::inline RNX_ISA::models {

template <int Width, int S, class Shortcut, class Convs, class Norm, class Act>
using BasicBlock = Residual<Sequential<Named<"conv1", typename Convs::template conv<Width, 3, S>>, Named<"bn1", Norm>, Named<"relu1", Act>,
                                       Named<"conv2", typename Convs::template conv<Width, 3>>, Named<"bn2", Norm>>,
                            Shortcut, Named<"relu2", Act>>;

template <int Width, int S, class Shortcut, class Convs, class Norm, class Act>
using Bottleneck = Residual<Sequential<Named<"conv1", typename Convs::template conv<Width, 1>>, Named<"bn1", Norm>, Named<"relu1", Act>,
                                       Named<"conv2", typename Convs::template conv<Width, 3, S>>, Named<"bn2", Norm>, Named<"relu2", Act>,
                                       Named<"conv3", typename Convs::template conv<4 * Width, 1>>, Named<"bn3", Norm>>,
                            Shortcut, Named<"relu3", Act>>;

template <int Width, int S, class Convs, class Norm>
using ProjectionShortcut = Projection<typename Convs::template conv<Width, 1, S>, Norm>;

template <int N, int Classes, class Convs, class Norm, class Act>
using ResNetA =
    Classifier<Convs, Classes, Named<"conv1", typename Convs::template stem<16, 3>>, Named<"bn1", Norm>, Named<"relu", Act>,
               Named<"layer1", Repeat<N, BasicBlock<16, 1, Identity, Convs, Norm, Act>>>,
               Named<"layer2", Repeat<N, BasicBlock<32, 2, PadShortcut<32, 2>, Convs, Norm, Act>, BasicBlock<32, 1, Identity, Convs, Norm, Act>>>,
               Named<"layer3", Repeat<N, BasicBlock<64, 2, PadShortcut<64, 2>, Convs, Norm, Act>, BasicBlock<64, 1, Identity, Convs, Norm, Act>>>>;

template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>, class Act = act::Relu>
using ResNet20 = ResNetA<3, Classes, Convs, Norm, Act>;
template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>, class Act = act::Relu>
using ResNet56 = ResNetA<9, Classes, Convs, Norm, Act>;

template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>, class Act = act::Relu>
using ResNet18 =
    Classifier<Convs, Classes, Named<"conv1", typename Convs::template stem<64, 3>>, Named<"bn1", Norm>, Named<"relu", Act>,
               Named<"layer1", Repeat<2, BasicBlock<64, 1, Identity, Convs, Norm, Act>>>,
               Named<"layer2", Repeat<2, BasicBlock<128, 2, ProjectionShortcut<128, 2, Convs, Norm>, Convs, Norm, Act>, BasicBlock<128, 1, Identity, Convs, Norm, Act>>>,
               Named<"layer3", Repeat<2, BasicBlock<256, 2, ProjectionShortcut<256, 2, Convs, Norm>, Convs, Norm, Act>, BasicBlock<256, 1, Identity, Convs, Norm, Act>>>,
               Named<"layer4", Repeat<2, BasicBlock<512, 2, ProjectionShortcut<512, 2, Convs, Norm>, Convs, Norm, Act>, BasicBlock<512, 1, Identity, Convs, Norm, Act>>>>;

template <int N, int Width, int S, class Convs, class Norm, class Act>
using BottleneckStage = Repeat<N, Bottleneck<Width, S, ProjectionShortcut<4 * Width, S, Convs, Norm>, Convs, Norm, Act>, Bottleneck<Width, 1, Identity, Convs, Norm, Act>>;

template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>, class Act = act::Relu>
using ResNet50 = Classifier<Convs, Classes, Named<"conv1", typename Convs::template stem<64, 3>>, Named<"bn1", Norm>, Named<"relu", Act>,
                            Named<"layer1", BottleneckStage<3, 64, 1, Convs, Norm, Act>>, Named<"layer2", BottleneckStage<4, 128, 2, Convs, Norm, Act>>,
                            Named<"layer3", BottleneckStage<6, 256, 2, Convs, Norm, Act>>, Named<"layer4", BottleneckStage<3, 512, 2, Convs, Norm, Act>>>;

}  // namespace rnx::inline RNX_ISA::models

// Residual networks of few bits in the order batch norm, quantizer, convolution (Rastegari et al.
// 2016; paper 003), where the input of each convolution is normalised before it is quantized: the
// activation map of Convs stands in the convolution itself. The plain order, convolution, batch
// norm, ReLU, is that of models::ResNet20<Classes, Convs>; a sign after its ReLU would be +1
// everywhere.
//   BinaryResNet20, 56    widths 16, 32, 64 and option A shortcuts, as ResNet20 and ResNet56
//   BinaryResNet18        basic blocks [2, 2, 2, 2] of widths 64 .. 512, as ResNet18
//   ...ImageNet           the same behind ImageNet's stem
#pragma once

#include "rnx/models/resnet.hpp"

namespace rnx::inline RNX_ISA::models {

/// y = shortcut(x) + conv2 act2 bn2 conv1 act1 bn1 x. Act: Identity where the activation map is the
/// activation.
template <int Out, int S, class Shortcut, class Convs, class Norm, class Act>
using BinaryBlock =
    Parallel<join::Add,
             Trunk<Named<"bn1", Norm>, Named<"act1", Act>,
                   Named<"conv1", typename Convs::template conv<Out, 3, S>>, Named<"bn2", Norm>,
                   Named<"act2", Act>, Named<"conv2", typename Convs::template conv<Out, 3>>>,
             Named<"downsample", Shortcut>>;

/// N blocks; the first has stride S.
template <int N, int Out, int S, class Shortcut, class Convs, class Norm, class Act>
using BinaryStage = Repeat<N, BinaryBlock<Out, S, Shortcut, Convs, Norm, Act>,
                           BinaryBlock<Out, 1, Identity, Convs, Norm, Act>>;

/// Between the last block and the mean over pixels: a norm and a ReLU.
template <int N, int Classes, class Convs, class Norm, class Act>
using BinaryResNetA =
    Classifier<Convs, Classes, Named<"conv1", typename Convs::template stem<16, 3>>,
               Named<"layer1", BinaryStage<N, 16, 1, Identity, Convs, Norm, Act>>,
               Named<"layer2", BinaryStage<N, 32, 2, PadShortcut<32, 2>, Convs, Norm, Act>>,
               Named<"layer3", BinaryStage<N, 64, 2, PadShortcut<64, 2>, Convs, Norm, Act>>,
               Named<"bn", Norm>, Named<"relu", act::Relu>>;

template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = Identity>
using BinaryResNet20 = BinaryResNetA<3, Classes, Convs, Norm, Act>;
template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = Identity>
using BinaryResNet56 = BinaryResNetA<9, Classes, Convs, Norm, Act>;

template <class Stem, int Classes, class Convs, class Norm, class Act>
using BinaryResNetBasic = Classifier<
    Convs, Classes, typename Stem::template layers<Convs, Norm, act::Relu>,
    Named<"layer1", BinaryStage<2, 64, 1, Identity, Convs, Norm, Act>>,
    Named<"layer2",
          BinaryStage<2, 128, 2, ProjectionShortcut<128, 2, Convs, Norm>, Convs, Norm, Act>>,
    Named<"layer3",
          BinaryStage<2, 256, 2, ProjectionShortcut<256, 2, Convs, Norm>, Convs, Norm, Act>>,
    Named<"layer4",
          BinaryStage<2, 512, 2, ProjectionShortcut<512, 2, Convs, Norm>, Convs, Norm, Act>>,
    Named<"bn", Norm>, Named<"relu", act::Relu>>;

template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = Identity>
using BinaryResNet18 = BinaryResNetBasic<CifarStem, Classes, Convs, Norm, Act>;
template <int Classes = 1000, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = Identity>
using BinaryResNet18ImageNet = BinaryResNetBasic<ImageNetStem, Classes, Convs, Norm, Act>;

}  // namespace rnx::inline RNX_ISA::models

// Residual networks (He et al. 2016), with torchvision's names.
//   ResNet20, 32, 44, 56, 110    6 n + 2 layers of widths 16, 32, 64 for 32 x 32 images (also 28 x
//                                28); option A shortcuts (no parameters)
//   ResNet18, ResNet34           basic blocks [2, 2, 2, 2] or [3, 4, 6, 3] of widths 64 .. 512
//   ResNet50                     bottlenecks [3, 4, 6, 3], stride on the 3 x 3 convolution
//   ...ImageNet                  the same behind ImageNet's stem, for 224 x 224 images
//   ResNet50Rrm                  paper 002's ResNet-50: features of 512 numbers, the names of its
//                                code
//   ResNet20Rrm                  ResNet-20 with a linear layer to 512 features, as paper 002 has it
#pragma once

#include "rnx/models/policies.hpp"

namespace rnx::inline RNX_ISA::models {

/// Convolution 3 x 3: (3, H, W) -> (64, H, W). For images of 32 or 64 pixels.
struct CifarStem {
  template <class Convs, class Norm, class Act>
  using layers = Trunk<Named<"conv1", typename Convs::template stem<64, 3>>, Named<"bn1", Norm>,
                       Named<"relu", Act>>;
};
/// Convolution 7 x 7 with stride 2, max-pool 3 x 3 with stride 2: (3, H, W) -> (64, H / 4, W / 4).
struct ImageNetStem {
  template <class Convs, class Norm, class Act>
  using layers = Trunk<Named<"conv1", typename Convs::template stem<64, 7, 2>>, Named<"bn1", Norm>,
                       Named<"relu", Act>, Named<"maxpool", MaxPool<3, 2, 1>>>;
};

template <int Width, int S, class Shortcut, class Convs, class Norm, class Act>
using BasicBlock = Residual<
    Sequential<Named<"conv1", typename Convs::template conv<Width, 3, S>>, Named<"bn1", Norm>,
               Named<"relu1", Act>, Named<"conv2", typename Convs::template conv<Width, 3>>,
               Named<"bn2", Norm>>,
    Shortcut, Named<"relu2", Act>>;

/// ShortcutName: torchvision's, or that of another code whose files are to be read.
template <int Width, int S, class Shortcut, class Convs, class Norm, class Act,
          fixed_string ShortcutName = "downsample">
using Bottleneck = Sequential<
    Transparent<Parallel<
        join::Add,
        Trunk<Named<"conv1", typename Convs::template conv<Width, 1>>, Named<"bn1", Norm>,
              Named<"relu1", Act>, Named<"conv2", typename Convs::template conv<Width, 3, S>>,
              Named<"bn2", Norm>, Named<"relu2", Act>,
              Named<"conv3", typename Convs::template conv<4 * Width, 1>>, Named<"bn3", Norm>>,
        Named<ShortcutName, Shortcut>>>,
    Named<"relu3", Act>>;

template <int Width, int S, class Convs, class Norm>
using ProjectionShortcut = Projection<typename Convs::template conv<Width, 1, S>, Norm>;

/// N basic blocks; the first has stride S and, where it changes the shape, a projection.
template <int N, int In, int Width, int S, class Convs, class Norm, class Act>
using BasicStage = Repeat<N,
                          BasicBlock<Width, S,
                                     std::conditional_t<S == 1 && In == Width, Identity,
                                                        ProjectionShortcut<Width, S, Convs, Norm>>,
                                     Convs, Norm, Act>,
                          BasicBlock<Width, 1, Identity, Convs, Norm, Act>>;

/// N bottlenecks to 4 Width channels; the first has stride S and a projection.
template <int N, int Width, int S, class Convs, class Norm, class Act,
          fixed_string ShortcutName = "downsample">
using BottleneckStage = Repeat<N,
                               Bottleneck<Width, S, ProjectionShortcut<4 * Width, S, Convs, Norm>,
                                          Convs, Norm, Act, ShortcutName>,
                               Bottleneck<Width, 1, Identity, Convs, Norm, Act, ShortcutName>>;

template <int N, int Classes, class Convs, class Norm, class Act>
using ResNetA =
    Classifier<Convs, Classes, Named<"conv1", typename Convs::template stem<16, 3>>,
               Named<"bn1", Norm>, Named<"relu", Act>,
               Named<"layer1", Repeat<N, BasicBlock<16, 1, Identity, Convs, Norm, Act>>>,
               Named<"layer2", Repeat<N, BasicBlock<32, 2, PadShortcut<32, 2>, Convs, Norm, Act>,
                                      BasicBlock<32, 1, Identity, Convs, Norm, Act>>>,
               Named<"layer3", Repeat<N, BasicBlock<64, 2, PadShortcut<64, 2>, Convs, Norm, Act>,
                                      BasicBlock<64, 1, Identity, Convs, Norm, Act>>>>;

template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using ResNet20 = ResNetA<3, Classes, Convs, Norm, Act>;
template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using ResNet32 = ResNetA<5, Classes, Convs, Norm, Act>;
template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using ResNet44 = ResNetA<7, Classes, Convs, Norm, Act>;
template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using ResNet56 = ResNetA<9, Classes, Convs, Norm, Act>;
template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using ResNet110 = ResNetA<18, Classes, Convs, Norm, Act>;

/// D1 .. D4: basic blocks of the stages, of widths 64, 128, 256, 512 and strides 1, 2, 2, 2.
template <class Stem, int Classes, class Convs, class Norm, class Act, int D1, int D2, int D3,
          int D4>
using ResNetBasic = Classifier<Convs, Classes, typename Stem::template layers<Convs, Norm, Act>,
                               Named<"layer1", BasicStage<D1, 64, 64, 1, Convs, Norm, Act>>,
                               Named<"layer2", BasicStage<D2, 64, 128, 2, Convs, Norm, Act>>,
                               Named<"layer3", BasicStage<D3, 128, 256, 2, Convs, Norm, Act>>,
                               Named<"layer4", BasicStage<D4, 256, 512, 2, Convs, Norm, Act>>>;

/// Stem and stages of ResNet-50: (3, H, W) -> (2048, H / 8, W / 8) behind CIFAR's stem, H / 32
/// behind ImageNet's.
template <class Stem, class Convs, class Norm, class Act, fixed_string ShortcutName = "downsample">
using ResNet50Trunk =
    Trunk<typename Stem::template layers<Convs, Norm, Act>,
          Named<"layer1", BottleneckStage<3, 64, 1, Convs, Norm, Act, ShortcutName>>,
          Named<"layer2", BottleneckStage<4, 128, 2, Convs, Norm, Act, ShortcutName>>,
          Named<"layer3", BottleneckStage<6, 256, 2, Convs, Norm, Act, ShortcutName>>,
          Named<"layer4", BottleneckStage<3, 512, 2, Convs, Norm, Act, ShortcutName>>>;

template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using ResNet18 = ResNetBasic<CifarStem, Classes, Convs, Norm, Act, 2, 2, 2, 2>;
template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using ResNet34 = ResNetBasic<CifarStem, Classes, Convs, Norm, Act, 3, 4, 6, 3>;
template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using ResNet50 = Classifier<Convs, Classes, ResNet50Trunk<CifarStem, Convs, Norm, Act>>;

template <int Classes = 1000, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using ResNet18ImageNet = ResNetBasic<ImageNetStem, Classes, Convs, Norm, Act, 2, 2, 2, 2>;
template <int Classes = 1000, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using ResNet34ImageNet = ResNetBasic<ImageNetStem, Classes, Convs, Norm, Act, 3, 4, 6, 3>;
template <int Classes = 1000, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using ResNet50ImageNet = Classifier<Convs, Classes, ResNet50Trunk<ImageNetStem, Convs, Norm, Act>>;

/// Paper 002 (RRM): a linear layer without activation brings 2048 features to the 512 of its other
/// networks. Those are the penultimate features.
template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using ResNet50Rrm = Sequential<
    Named<"normalize", Normalize>, ResNet50Trunk<CifarStem, Convs, Norm, Act, "shortcut">,
    Named<"avgpool", GlobalAveragePool>, Named<"added_linear", Tap<Penultimate, Linear<512>>>,
    Named<"linear", typename Convs::template classifier<Classes>>>;

/// ResNet-20 whose 64 features an added linear layer brings to 512.
template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using ResNet20Rrm = AddedLinear<ResNet20<Classes, Convs, Norm, Act>>;

}  // namespace rnx::inline RNX_ISA::models

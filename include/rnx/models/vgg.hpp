// VGG networks (Simonyan and Zisserman 2015, columns A, D, E) with batch norm.
//   Vgg11, Vgg16, Vgg19    for 32 x 32 images: 512 features, one linear layer (paper 002)
//   Vgg11Narrow            a quarter of Vgg11's channels, an added linear layer to 512 features
//   VggImageNet            for 224 x 224 images: torchvision's three linear layers
//   Vgg16Rrm               the same as paper 002 has it for Restricted ImageNet
// Convolutions have biases. Names are positions, as in torchvision: features.0 is the first
// convolution, features.1 its norm.
#pragma once

#include "rnx/models/policies.hpp"

namespace rnx::inline RNX_ISA::models {

namespace vgg {
/// Output channels of the 3 x 3 convolutions, and 0 for a 2 x 2 max-pool.
template <int... Widths> struct Plan {};
using A = Plan<64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0>;
/// A quarter of A's channels.
using NarrowA = Plan<16, 0, 32, 0, 64, 64, 0, 128, 128, 0, 128, 128, 0>;
using D = Plan<64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0>;
using E = Plan<64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512, 512, 512,
               512, 0>;

/// The plan as one flat Sequential: positions are names. Norm Identity: no norm, and no position
/// for it.
template <class Plan, class Convs, class Norm, class Act, class... Built> struct features;
template <class Convs, class Norm, class Act, class... Built>
struct features<Plan<>, Convs, Norm, Act, Built...> {
  using type = Sequential<Built...>;
};
template <int... Rest, class Convs, class Norm, class Act, class... Built>
struct features<Plan<0, Rest...>, Convs, Norm, Act, Built...>
    : features<Plan<Rest...>, Convs, Norm, Act, Built..., MaxPool<2>> {};
template <int Width, int... Rest, class Convs, class Norm, class Act, class... Built>
  requires(Width > 0)
struct features<Plan<Width, Rest...>, Convs, Norm, Act, Built...>
    : features<Plan<Rest...>, Convs, Norm, Act, Built...,
               typename Convs::template conv<Width, 3, 1, Bias<true>>, Norm, Act> {};
template <int Width, int... Rest, class Convs, class Act, class... Built>
  requires(Width > 0)
struct features<Plan<Width, Rest...>, Convs, Identity, Act, Built...>
    : features<Plan<Rest...>, Convs, Identity, Act, Built...,
               typename Convs::template conv<Width, 3, 1, Bias<true>>, Act> {};
/// The first convolution is the stem.
template <class Plan, class Convs, class Norm, class Act> struct network;
template <int Width, int... Rest, class Convs, class Norm, class Act>
struct network<Plan<Width, Rest...>, Convs, Norm, Act>
    : features<Plan<Rest...>, Convs, Norm, Act,
               typename Convs::template stem<Width, 3, 1, Bias<true>>, Norm, Act> {};
template <int Width, int... Rest, class Convs, class Act>
struct network<Plan<Width, Rest...>, Convs, Identity, Act>
    : features<Plan<Rest...>, Convs, Identity, Act,
               typename Convs::template stem<Width, 3, 1, Bias<true>>, Act> {};
}  // namespace vgg

/// For images of at least 32 pixels; the penultimate features are the 512 means over what five
/// pools leave, which is one pixel of 32.
template <class Plan, int Classes, class Convs, class Norm, class Act>
using Vgg = ClassifierNamed<"classifier", Convs, Classes,
                            Named<"features", typename vgg::network<Plan, Convs, Norm, Act>::type>>;

template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using Vgg11 = Vgg<vgg::A, Classes, Convs, Norm, Act>;
template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using Vgg16 = Vgg<vgg::D, Classes, Convs, Norm, Act>;
template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using Vgg19 = Vgg<vgg::E, Classes, Convs, Norm, Act>;

/// VGG-11 of a quarter of the channels, with paper 002's added linear layer from 128 to 512
/// features.
template <int Classes = 10, class Convs = Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using Vgg11Narrow = AddedLinear<Vgg<vgg::NarrowA, Classes, Convs, Norm, Act>>;

/// Latent: width of the second linear layer, whose activation is tapped.
template <class Plan, int Classes = 1000, int Latent = 4096, class Convs = Convolutions<>,
          class Norm = BatchNorm<>, class Act = act::Relu>
using VggImageNet =
    Sequential<Named<"normalize", Normalize>,
               Named<"features", typename vgg::network<Plan, Convs, Norm, Act>::type>,
               Named<"classifier",
                     Sequential<Linear<4096>, Act, Dropout<>, Linear<Latent>, Tap<Penultimate, Act>,
                                Dropout<>, typename Convs::template classifier<Classes>>>>;
/// Paper 002's for Restricted ImageNet, without norms: 2048 penultimate features.
template <int Classes = 9>
using Vgg16Rrm = VggImageNet<vgg::D, Classes, 2048, Convolutions<>, Identity>;

}  // namespace rnx::inline RNX_ISA::models

// AlexNet in torchvision's form (Krizhevsky 2014), for 224 x 224 images: five convolutions with
// biases, three linear layers, no norm.
#pragma once

#include "rnx/models/policies.hpp"

namespace rnx::inline RNX_ISA::models {

/// (3, 224, 224) -> (256, 6, 6). Strides and pools leave nothing of an image below 63 pixels.
template <class Convs, class Act>
using AlexNetFeatures =
    Sequential<typename Convs::template stem<64, 11, 4, Pad<2>, Bias<true>>, Act, MaxPool<3, 2>,
               typename Convs::template conv<192, 5, 1, Bias<true>>, Act, MaxPool<3, 2>,
               typename Convs::template conv<384, 3, 1, Bias<true>>, Act,
               typename Convs::template conv<256, 3, 1, Bias<true>>, Act,
               typename Convs::template conv<256, 3, 1, Bias<true>>, Act, MaxPool<3, 2>>;

/// The penultimate features are the 4096 activations before the classifier.
template <int Classes = 1000, class Convs = Convolutions<>, class Act = act::Relu>
using AlexNet =
    Sequential<Named<"normalize", Normalize>, Named<"features", AlexNetFeatures<Convs, Act>>,
               Named<"classifier", Sequential<Dropout<>, Linear<4096>, Act, Dropout<>, Linear<4096>,
                                              Tap<Penultimate, Act>,
                                              typename Convs::template classifier<Classes>>>>;

/// Paper 002's for Restricted ImageNet: 2048 penultimate features, the names of its code.
template <int Classes = 9, class Convs = Convolutions<>, class Act = act::Relu>
using AlexNetRrm = Sequential<
    Named<"normalize", Normalize>, Named<"features", AlexNetFeatures<Convs, Act>>,
    Named<"classifier", Sequential<Dropout<>, Linear<4096>, Act, Dropout<>, Linear<2048>>>,
    Named<"last_relu", Tap<Penultimate, Act>>,
    Named<"last_layer", typename Convs::template classifier<Classes>>>;

}  // namespace rnx::inline RNX_ISA::models

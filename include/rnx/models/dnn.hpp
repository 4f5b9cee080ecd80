// Paper 002's small network: six 3 x 3 convolutions with biases and no norm, a pool after every
// second, 512 features.
#pragma once

#include "rnx/models/policies.hpp"

namespace rnx::inline RNX_ISA::models {

/// For images of at least 8 pixels, of any number of channels. Names are positions, as in its code:
/// features.15 there flattens, features.16 is the linear layer.
template <int Classes = 10, class Convs = Convolutions<>, class Act = act::Relu>
using Dnn = Sequential<
    Named<"normalize", Normalize>,
    Named<"features", Sequential<typename Convs::template stem<32, 3, 1, Bias<true>>, Act,
                                 typename Convs::template conv<32, 3, 1, Bias<true>>, Act,
                                 MaxPool<2>, typename Convs::template conv<64, 3, 1, Bias<true>>,
                                 Act, typename Convs::template conv<64, 3, 1, Bias<true>>, Act,
                                 MaxPool<2>, typename Convs::template conv<128, 3, 1, Bias<true>>,
                                 Act, typename Convs::template conv<128, 3, 1, Bias<true>>, Act,
                                 MaxPool<2>, Identity, Linear<512>, Tap<Penultimate, Act>>>,
    Named<"classifier", typename Convs::template classifier<Classes>>>;

}  // namespace rnx::inline RNX_ISA::models

// Paper 000's networks with trained slopes in place of masks, for SNL's search; weights go from one
// to the other by take_masks and take_slopes (snl.hpp).
#pragma once

#include "rnx/linearize/sloped_relu.hpp"
#include "rnx/models/rlnet.hpp"

namespace rnx::inline RNX_ISA::linearize {

template <int Classes = 10>
using ResNet18Snl =
    models::ResNet18<Classes, models::detail::Convs, models::detail::Dual, act::SlopedRelu>;
template <int Classes = 10>
using ResNet20Snl =
    models::ResNet20<Classes, models::detail::Convs, models::detail::Dual, act::SlopedRelu>;
template <int Classes = 10>
using TinySnl = models::detail::Tiny<Classes, models::detail::Dual, act::SlopedRelu>;

}  // namespace rnx::inline RNX_ISA::linearize

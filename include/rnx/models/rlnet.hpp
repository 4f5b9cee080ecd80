// Paper 000 (RLNet): networks whose ReLUs have masks and whose batch norms have two paths, for
// clean and for attacked images; of the paper's ablation, three.
//   ResNet18Rlnet, ResNet34Rlnet, Wrn22x8Rlnet    the paper's
//   ResNet20Rlnet, TinyRlnet                      small ones; the last for a moment's run
//   ResNet18Triple, ResNet20Triple, TinyTriple    a third path, for augmented images
#pragma once

#include "rnx/models/resnet.hpp"
#include "rnx/models/wide_resnet.hpp"

namespace rnx::inline RNX_ISA::models {

namespace detail {
using Dual = BatchNorm<paths::Dual>;
using Triple = BatchNorm<paths::Triple>;
using Convs = Convolutions<>;

/// A quarter of the image's sides at the first convolution, one basic block.
template <int Classes, class Norm, class Act>
using Tiny =
    Classifier<Convs, Classes, Named<"conv1", Conv<8, 3, Stride<4>>>, Named<"bn1", Norm>,
               Named<"relu", Act>, Named<"layer1", BasicStage<1, 8, 16, 2, Convs, Norm, Act>>>;
}  // namespace detail

template <int Classes = 10>
using ResNet18Rlnet = ResNet18<Classes, detail::Convs, detail::Dual, act::MaskedRelu>;
template <int Classes = 10>
using ResNet34Rlnet = ResNet34<Classes, detail::Convs, detail::Dual, act::MaskedRelu>;
template <int Classes = 10>
using Wrn22x8Rlnet = Wrn22x8<Classes, detail::Convs, detail::Dual, act::MaskedRelu>;
template <int Classes = 10>
using ResNet20Rlnet = ResNet20<Classes, detail::Convs, detail::Dual, act::MaskedRelu>;
template <int Classes = 10>
using ResNet18Triple = ResNet18<Classes, detail::Convs, detail::Triple, act::MaskedRelu>;
template <int Classes = 10>
using ResNet20Triple = ResNet20<Classes, detail::Convs, detail::Triple, act::MaskedRelu>;

template <int Classes = 10> using TinyRlnet = detail::Tiny<Classes, detail::Dual, act::MaskedRelu>;
template <int Classes = 10>
using TinyTriple = detail::Tiny<Classes, detail::Triple, act::MaskedRelu>;

}  // namespace rnx::inline RNX_ISA::models

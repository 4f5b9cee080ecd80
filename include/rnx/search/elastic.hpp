// Elastic networks (Cai et al. 2020): width, expansion, kernel size and depth are a subnet's
// choice; weights are shared by slicing.
//   names   conv1/expansion  conv2/kernel  conv3/width  <stage>/depth
// A subnet uses the first channels of every tensor. Gradients of what it leaves out are exactly
// zero; an optimizer's momentum and decay act on them as on all others.
#pragma once

#include "rnx/models/mobilenet.hpp"
#include "rnx/search/elastic_kernel.hpp"

namespace rnx::inline RNX_ISA::search {

/// 1x1 to e c_in, depthwise k x k, squeeze-excite, 1x1 to the chosen width; a norm after each, an
/// activation after the first two.
template <int In, int MaxWidth, int MaxExpansion, int S, bool WithSe, class Kernel, class Act,
          class Norm>
using ElasticBody = Sequential<
    Named<"conv1", Conv<In * MaxExpansion, 1, width::Expansion<MaxExpansion>>>, Named<"bn1", Norm>,
    Named<"act1", Act>, Named<"conv2", Depthwise<Kernel::maximum, Stride<S>, Kernel>>,
    Named<"bn2", Norm>, Named<"act2", Act>,
    Named<"se", std::conditional_t<WithSe, models::SqueezeExcite<In * MaxExpansion>, Identity>>,
    Named<"conv3", Conv<MaxWidth, 1, width::Chosen>>, Named<"bn3", Norm>>;

/// (In, H, W) -> (MaxWidth, H / S, W / S). With stride 1 the input is added where its active
/// channels equal the active width.
template <int In, int MaxWidth, int MaxExpansion, int S = 1, bool WithSe = true,
          class Kernel = ElasticKernel<7, 5, 3>, class Act = act::HardSwish,
          class Norm = BatchNorm<>>
using ElasticInvertedResidual = std::conditional_t<
    S == 1,
    Sequential<Transparent<
        Parallel<join::AddWhereEqual,
                 Transparent<ElasticBody<In, MaxWidth, MaxExpansion, S, WithSe, Kernel, Act, Norm>>,
                 Identity>>>,
    ElasticBody<In, MaxWidth, MaxExpansion, S, WithSe, Kernel, Act, Norm>>;

/// N blocks of one width, the first with stride S; the first MinDepth always run.
template <int N, int In, int MaxWidth, int MaxExpansion, int MinDepth = N, int S = 1,
          bool WithSe = true, class Kernel = ElasticKernel<7, 5, 3>, class Act = act::HardSwish,
          class Norm = BatchNorm<>>
using ElasticStage =
    Repeat<N, ElasticInvertedResidual<In, MaxWidth, MaxExpansion, S, WithSe, Kernel, Act, Norm>,
           ElasticInvertedResidual<MaxWidth, MaxWidth, MaxExpansion, 1, WithSe, Kernel, Act, Norm>,
           MinDepth>;

}  // namespace rnx::inline RNX_ISA::search

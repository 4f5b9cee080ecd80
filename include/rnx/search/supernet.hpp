// Blocks of width-searched networks (paper 001; Wan et al. 2020): the super-net, whose masks choose
// softly, and the same blocks with widths that a subnet chooses. Names agree, so that weights go
// from one to the other.
#pragma once

#include "rnx/models/mobilenet.hpp"
#include "rnx/search/gumbel.hpp"

namespace rnx::inline RNX_ISA::search {

/// 1x1 to E c_in, 3x3 depthwise, 1x1 to Out, biases; norms of momentum 0.003 after each, hard-swish
/// after the first two.
template <int In, int Out, int S, int E, class Width>
using WideBody = Sequential<
    Named<"conv1", Conv<In * E, 1, Bias<true>, width::Times<E>>>,
    Named<"bn1", BatchNorm<1, Momentum<Ratio<3, 1000>>>>, Named<"act1", act::HardSwish>,
    Named<"conv2", Depthwise<3, Stride<S>, Bias<true>>>,
    Named<"bn2", BatchNorm<1, Momentum<Ratio<3, 1000>>>>, Named<"act2", act::HardSwish>,
    Named<"conv3", Conv<Out, 1, Bias<true>, Width>>,
    Named<"bn3", BatchNorm<1, Momentum<Ratio<3, 1000>>,
                           std::conditional_t<In == Out && S == 1, ZeroGamma, OneGamma>>>>;

/// With the identity added where stride is 1 and the maxima agree; under a subnet, where the active
/// channels agree.
template <int In, int Out, int S, int E, class Width>
using WideBlock =
    std::conditional_t<In == Out && S == 1,
                       Transparent<Parallel<join::AddWhereEqual,
                                            Transparent<WideBody<In, Out, S, E, Width>>, Identity>>,
                       Transparent<WideBody<In, Out, S, E, Width>>>;

/// The block at its maximum, then the mask over all of it: widths W, Ws..., the largest first.
/// A mask silences channels and removes none: the next block expands the zeros too (its biases and
/// norms make something of them), and an identity is added also where the found network, whose
/// widths differ there, has none.
template <int In, int S, int E, int W, int... Ws>
using MaskedBlock =
    Sequential<WideBlock<In, W, S, E, width::Fixed>, Named<"mask", ChannelMask<W, Ws...>>>;
/// The block whose width is the subnet's choice: slot conv3/width. It takes the super-net's
/// weights; to train a found network from its start, write its static_type: the last norms here
/// start at zero, which a row of blocks that add no identity cannot leave.
template <int In, int S, int E, int W>
using FoundBlock = Sequential<WideBlock<In, W, S, E, width::Chosen>>;

/// N blocks, the first with stride S: (In, H, W) -> (W, H / S, W / S).
template <int N, int In, int S, int E, int W, int... Ws>
using MaskedStage = Repeat<N, MaskedBlock<In, S, E, W, Ws...>, MaskedBlock<W, 1, E, W, Ws...>>;
template <int N, int In, int S, int E, int W>
using FoundStage = Repeat<N, FoundBlock<In, S, E, W>, FoundBlock<W, 1, E, W>>;

}  // namespace rnx::inline RNX_ISA::search

// Written by rnx::search::static_type: the static type of a found architecture.
// Its input is (20, 8, 8).
#pragma once

#include "rnx/network.hpp"

namespace found {
using namespace rnx;

using SearchedStageInput = Shape<20, 8, 8>;
using SearchedStage = Sequential<
  Named<"stage", Sequential<
    Sequential<
      Named<"conv1", Conv<120, 1, Bias<true>>>,
      Named<"bn1", BatchNorm<1, Momentum<Ratio<3, 1000>>>>,
      Named<"act1", act::HardSwish>,
      Named<"conv2", Depthwise<3, Stride<2>, Bias<true>>>,
      Named<"bn2", BatchNorm<1, Momentum<Ratio<3, 1000>>>>,
      Named<"act2", act::HardSwish>,
      Named<"conv3", Conv<52, 1, Bias<true>>>,
      Named<"bn3", BatchNorm<1, Momentum<Ratio<3, 1000>>>>>,
    Sequential<
      Named<"conv1", Conv<312, 1, Bias<true>>>,
      Named<"bn1", BatchNorm<1, Momentum<Ratio<3, 1000>>>>,
      Named<"act1", act::HardSwish>,
      Named<"conv2", Depthwise<3, Bias<true>>>,
      Named<"bn2", BatchNorm<1, Momentum<Ratio<3, 1000>>>>,
      Named<"act2", act::HardSwish>,
      Named<"conv3", Conv<56, 1, Bias<true>>>,
      Named<"bn3", BatchNorm<1, Momentum<Ratio<3, 1000>>>>>,
    Sequential<
      Named<"conv1", Conv<336, 1, Bias<true>>>,
      Named<"bn1", BatchNorm<1, Momentum<Ratio<3, 1000>>>>,
      Named<"act1", act::HardSwish>,
      Named<"conv2", Depthwise<3, Bias<true>>>,
      Named<"bn2", BatchNorm<1, Momentum<Ratio<3, 1000>>>>,
      Named<"act2", act::HardSwish>,
      Named<"conv3", Conv<52, 1, Bias<true>>>,
      Named<"bn3", BatchNorm<1, Momentum<Ratio<3, 1000>>>>>,
    Sequential<
      Transparent<Parallel<
        join::Add,
        Transparent<Sequential<
          Named<"conv1", Conv<312, 1, Bias<true>>>,
          Named<"bn1", BatchNorm<1, Momentum<Ratio<3, 1000>>>>,
          Named<"act1", act::HardSwish>,
          Named<"conv2", Depthwise<3, Bias<true>>>,
          Named<"bn2", BatchNorm<1, Momentum<Ratio<3, 1000>>>>,
          Named<"act2", act::HardSwish>,
          Named<"conv3", Conv<52, 1, Bias<true>>>,
          Named<"bn3", BatchNorm<1, Momentum<Ratio<3, 1000>>, ZeroGamma>>>>,
        Identity>>>>>,
  Named<"pool", GlobalAveragePool>,
  Named<"fc", Linear<5>>>;

}  // namespace found

// The predicted class.
#pragma once

#include "rnx/config.hpp"

namespace rnx::inline RNX_ABI {

/// The class of the largest logit: the first one where several are equal, the first NaN where there
/// is one, as in PyTorch.
template <class T> int argmax(const T* row, int classes) {
  int best = 0;
  for (int c = 1; c < classes; ++c)
    if (row[best] == row[best] && !(row[c] <= row[best])) best = c;
  return best;
}

}  // namespace rnx::inline RNX_ABI

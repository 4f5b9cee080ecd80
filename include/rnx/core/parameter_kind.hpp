// What a parameter is to optimizers, and how it starts: layers and quantizer maps say it of theirs.
#pragma once

#include "rnx/config.hpp"

namespace rnx::inline RNX_ABI {

/// Groups of parameters that optimizers treat alike. bits: a buffer whose memory holds words of 32
/// bits, no numbers (quant::Packed).
enum class ParameterKind {
  weight,
  bias,
  norm_weight,
  norm_bias,
  scale,
  transform,
  architecture,
  bits
};

/// How a parameter or buffer starts.
///   kaiming_normal   N(0, 2 / fan_out), fan_out = shape[0] kh kw     (He et al. 2015)
///   spread           (i + 1/2) / n - 1/2: equally spaced shifts of multi-bit activations
///   uniform_fan_in   U(-1/sqrt(fan_in), 1/sqrt(fan_in))              (PyTorch's Linear)
enum class Init { zeros, ones, constant, kaiming_normal, uniform_fan_in, identity_matrix, spread };

}  // namespace rnx::inline RNX_ABI

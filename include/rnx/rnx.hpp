// Everything for host code.
#pragma once

#include "rnx/net.hpp"
#include "rnx/io.hpp"
#include "rnx/data.hpp"
#include "rnx/distill.hpp"
#include "rnx/eval.hpp"
#include "rnx/train.hpp"
#include "rnx/search.hpp"
#include "rnx/tensor/eigen.hpp"
#include "rnx/tensor/xtensor.hpp"
#if RNX_DEVICE_IS(cuda)
#include "rnx/cuda.hpp"
#elif RNX_DEVICE_IS(loopback)
#include "rnx/kernels/loopback.hpp"
#endif

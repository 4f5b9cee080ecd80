// The kernels of networks on CUDA devices, declared. Programs include rnx/cuda.hpp.
#pragma once

#include "rnx/device/cuda.hpp"
#include "rnx/kernels/cuda/batch_norm.hpp"
#include "rnx/kernels/cuda/binary.hpp"
#include "rnx/kernels/cuda/convolution.hpp"
#include "rnx/kernels/cuda/convolution_weight.hpp"
#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/kernels/cuda/depthwise.hpp"
#include "rnx/kernels/cuda/memory.hpp"
#include "rnx/kernels/cuda/pointwise.hpp"
#include "rnx/kernels/cuda/pooling.hpp"
#include "rnx/kernels/cuda/weights.hpp"

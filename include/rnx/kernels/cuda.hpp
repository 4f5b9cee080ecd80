// The kernels of CUDA devices, declared: include it beside the network that runs on cuda, and link
// rnx::cuda. Float and double of every operation listed here are defined there. Elementwise
// functors of your own: kernels/cuda/pointwise.cuh.
#pragma once

#include "rnx/device/cuda.hpp"
#include "rnx/kernels/cuda/attack.hpp"
#include "rnx/kernels/cuda/batch_norm.hpp"
#include "rnx/kernels/cuda/convolution.hpp"
#include "rnx/kernels/cuda/convolution_weight.hpp"
#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/kernels/cuda/depthwise.hpp"
#include "rnx/kernels/cuda/loss.hpp"
#include "rnx/kernels/cuda/memory.hpp"
#include "rnx/kernels/cuda/optimizer.hpp"
#include "rnx/kernels/cuda/pointwise.hpp"
#include "rnx/kernels/cuda/pooling.hpp"
#include "rnx/kernels/cuda/weights.hpp"

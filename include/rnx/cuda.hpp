// The kernels of CUDA devices, declared: include it beside the network that runs on cuda, and link
// rnx::cuda. Float and double of every operation listed in these headers are defined there.
// Elementwise functors of your own: kernels/cuda/pointwise.cuh.
#pragma once

#include "rnx/attack/cuda.hpp"
#include "rnx/distill/cuda.hpp"
#include "rnx/kernels/cuda.hpp"
#include "rnx/linearize/cuda.hpp"
#include "rnx/loss/cuda.hpp"
#include "rnx/optim/cuda.hpp"
#include "rnx/quant/cuda.hpp"
#include "rnx/search/cuda.hpp"
#include "rnx/train/cuda.hpp"

// Every CUDA definition of rnx, float and double: for exactly one .cu file of a program that does
// not link rnx::cuda.
#pragma once

#pragma nv_diagnostic push
#pragma nv_diag_suppress 1675  // unrolling hints of the CPU kernels
#include "rnx/layers/activation.hpp"
#pragma nv_diagnostic pop

#include "rnx/attack/cuda.cuh"
#include "rnx/cuda.hpp"
#include "rnx/device/cuda.cuh"
#include "rnx/distill/cuda.cuh"
#include "rnx/kernels/cuda/batch_norm.cuh"
#include "rnx/kernels/cuda/convolution.cuh"
#include "rnx/kernels/cuda/convolution_weight.cuh"
#include "rnx/kernels/cuda/depthwise.cuh"
#include "rnx/kernels/cuda/execute.cuh"
#include "rnx/kernels/cuda/memory.cuh"
#include "rnx/kernels/cuda/pointwise.cuh"
#include "rnx/kernels/cuda/pooling.cuh"
#include "rnx/kernels/cuda/reduce.cuh"
#include "rnx/kernels/cuda/weights.cuh"
#include "rnx/linearize/cuda.cuh"
#include "rnx/loss/cuda.cuh"
#include "rnx/optim/cuda.cuh"
#include "rnx/search/cuda.cuh"
#include "rnx/train/cuda.cuh"

#define RNX_CUDA_INSTANTIATE(operation)                              \
  template struct rnx::launch<rnx::cuda, rnx::op::operation<float>>; \
  template struct rnx::launch<rnx::cuda, rnx::op::operation<double>>;

RNX_CUDA_ATTACK(RNX_CUDA_INSTANTIATE)
RNX_CUDA_BATCH_NORM(RNX_CUDA_INSTANTIATE)
RNX_CUDA_CONVOLUTION(RNX_CUDA_INSTANTIATE)
RNX_CUDA_CONVOLUTION_WEIGHT(RNX_CUDA_INSTANTIATE)
RNX_CUDA_DEPTHWISE(RNX_CUDA_INSTANTIATE)
RNX_CUDA_DISTILL(RNX_CUDA_INSTANTIATE)
RNX_CUDA_LINEARIZE(RNX_CUDA_INSTANTIATE)
RNX_CUDA_LOSS(RNX_CUDA_INSTANTIATE)
RNX_CUDA_MEMORY(RNX_CUDA_INSTANTIATE)
RNX_CUDA_OPTIM(RNX_CUDA_INSTANTIATE)
RNX_CUDA_POINTWISE(RNX_CUDA_INSTANTIATE)
RNX_CUDA_POOLING(RNX_CUDA_INSTANTIATE)
RNX_CUDA_SEARCH(RNX_CUDA_INSTANTIATE)
RNX_CUDA_TRAIN(RNX_CUDA_INSTANTIATE)
RNX_CUDA_WEIGHTS(RNX_CUDA_INSTANTIATE)

RNX_CUDA_FUNCTOR(rnx::functor::Relu)
RNX_CUDA_FUNCTOR(rnx::functor::Relu6)
RNX_CUDA_FUNCTOR(rnx::functor::HardSwish)
RNX_CUDA_FUNCTOR(rnx::functor::HardSigmoid)

RNX_CUDA_KERNEL_RULE(rnx::kernel_rule::Elastic<7, 5, 3>)

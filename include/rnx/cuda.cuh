// Every CUDA definition of rnx, float and double: for exactly one .cu file of a program that does
// not link rnx::cuda.
#pragma once

#pragma nv_diagnostic push
#pragma nv_diag_suppress 1675  // unrolling hints of the CPU kernels
#include "rnx/layers/activation.hpp"
#include "rnx/quant.hpp"
#pragma nv_diagnostic pop

#include "rnx/attack/cuda.cuh"
#include "rnx/cuda.hpp"
#include "rnx/device/cuda.cuh"
#include "rnx/distill/cuda.cuh"
#include "rnx/kernels/cuda/batch_norm.cuh"
#include "rnx/kernels/cuda/binary.cuh"
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
#include "rnx/quant/cuda.cuh"
#include "rnx/search/cuda.cuh"
#include "rnx/train/cuda.cuh"

#define RNX_CUDA_INSTANTIATE(operation)                              \
  template struct rnx::launch<rnx::cuda, rnx::op::operation<float>>; \
  template struct rnx::launch<rnx::cuda, rnx::op::operation<double>>;

RNX_CUDA_ATTACK(RNX_CUDA_INSTANTIATE)
RNX_CUDA_BATCH_NORM(RNX_CUDA_INSTANTIATE)
RNX_CUDA_BINARY(RNX_CUDA_INSTANTIATE)
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
RNX_CUDA_QUANT(RNX_CUDA_INSTANTIATE)
RNX_CUDA_SEARCH(RNX_CUDA_INSTANTIATE)
RNX_CUDA_TRAIN(RNX_CUDA_INSTANTIATE)
RNX_CUDA_WEIGHTS(RNX_CUDA_INSTANTIATE)

RNX_CUDA_FUNCTOR(rnx::functor::Relu)
RNX_CUDA_FUNCTOR(rnx::functor::Relu6)
RNX_CUDA_FUNCTOR(rnx::functor::HardSwish)
RNX_CUDA_FUNCTOR(rnx::functor::HardSigmoid)

RNX_CUDA_KERNEL_RULE(rnx::kernel_rule::Elastic<7, 5, 3>)

RNX_CUDA_WEIGHT_MAP(rnx::quant::Sign)
RNX_CUDA_WEIGHT_MAP(rnx::quant::Round<2>)
RNX_CUDA_WEIGHT_MAP(rnx::quant::Round<4>)
RNX_CUDA_WEIGHT_MAP(rnx::quant::Round<8>)
RNX_CUDA_WEIGHT_MAP(rnx::quant::DoReFaWeights<1>)
RNX_CUDA_WEIGHT_MAP(rnx::quant::DoReFaWeights<rnx::at_run_time>)
RNX_CUDA_WEIGHT_MAP(rnx::quant::XnorWeights)
RNX_CUDA_WEIGHT_MAP(rnx::quant::BiRealWeights)
RNX_CUDA_WEIGHT_MAP(rnx::quant::Int8Weights)
RNX_CUDA_WEIGHT_MAP(rnx::quant::TernaryWeights<rnx::quant::Per::layer>)
RNX_CUDA_WEIGHT_MAP(rnx::quant::TernaryWeights<rnx::quant::Per::channel>)
RNX_CUDA_WEIGHT_MAP(rnx::quant::MultiBit<1>)
RNX_CUDA_WEIGHT_MAP(rnx::quant::MultiBit<2>)
RNX_CUDA_WEIGHT_MAP(rnx::quant::MultiBit<3>)
RNX_CUDA_WEIGHT_MAP(rnx::quant::MultiBit<rnx::at_run_time>)

RNX_CUDA_ACTIVATION_MAP(rnx::quant::SignActivation)
RNX_CUDA_ACTIVATION_MAP(rnx::quant::BinaryActivation<rnx::quant::surrogate::ApproxSign>)
RNX_CUDA_ACTIVATION_MAP(rnx::quant::RoundActivation<rnx::at_run_time>)
RNX_CUDA_ACTIVATION_MAP(rnx::quant::PactActivation<rnx::at_run_time>)
RNX_CUDA_ACTIVATION_MAP(rnx::quant::Int8Activation)
RNX_CUDA_ACTIVATION_MAP(rnx::quant::MultiBitActivation<1>)
RNX_CUDA_ACTIVATION_MAP(rnx::quant::MultiBitActivation<2>)
RNX_CUDA_ACTIVATION_MAP(rnx::quant::MultiBitActivation<3>)
RNX_CUDA_ACTIVATION_MAP(rnx::quant::MultiBitActivation<rnx::at_run_time>)

RNX_CUDA_BINARIZE(rnx::quant::SignActivation)
RNX_CUDA_BINARIZE(rnx::quant::BinaryActivation<rnx::quant::surrogate::ApproxSign>)
RNX_CUDA_BINARIZE(rnx::quant::MultiBitActivation<1>)
RNX_CUDA_BINARIZE(rnx::quant::MultiBitActivation<2>)
RNX_CUDA_BINARIZE(rnx::quant::MultiBitActivation<3>)
RNX_CUDA_BINARIZE(rnx::quant::MultiBitActivation<rnx::at_run_time>)

// Maps that only the tests use, as a program brings its own.
#pragma nv_diag_suppress 1675  // unrolling hints of the CPU kernels
#include "rnx/quant/cuda.cuh"

RNX_CUDA_WEIGHT_MAP(rnx::quant::DoReFaWeights<3>)
RNX_CUDA_WEIGHT_MAP(rnx::quant::MultiBit<2, rnx::quant::LeastSquares<rnx::quant::Per::channel>>)
RNX_CUDA_WEIGHT_MAP(rnx::quant::MultiBit<2, rnx::quant::Learned<rnx::quant::Per::layer>>)
RNX_CUDA_WEIGHT_MAP(rnx::quant::MultiBit<3, rnx::quant::Learned<rnx::quant::Per::channel>>)

RNX_CUDA_ACTIVATION_MAP(rnx::quant::RoundActivation<2>)
RNX_CUDA_ACTIVATION_MAP(rnx::quant::PactActivation<4>)

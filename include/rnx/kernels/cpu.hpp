// The kernels of the CPU, for this translation unit's instruction set.
#pragma once

#include "rnx/kernels/cpu/batch_norm.hpp"
#include "rnx/kernels/cpu/convolution/fused.hpp"
#include "rnx/kernels/cpu/convolution/depthwise.hpp"
#include "rnx/kernels/cpu/convolution/direct.hpp"
#include "rnx/kernels/cpu/convolution/epilogue.hpp"
#include "rnx/kernels/cpu/convolution/tile.hpp"
#include "rnx/kernels/cpu/convolution/weight_gradient.hpp"
#include "rnx/kernels/cpu/convolution/weights.hpp"
#include "rnx/kernels/cpu/convolution/window.hpp"
#include "rnx/kernels/cpu/memory.hpp"
#include "rnx/kernels/cpu/parallel.hpp"
#include "rnx/kernels/cpu/pointwise.hpp"
#include "rnx/kernels/cpu/pooling.hpp"
#include "rnx/kernels/cpu/random.hpp"
#include "rnx/kernels/cpu/reduce.hpp"
#include "rnx/kernels/cpu/vector.hpp"

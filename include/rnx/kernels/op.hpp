// One struct per operation: formula, shapes, source. It is what a kernel receives.
#pragma once

#include "rnx/kernels/op/batch_norm.hpp"
#include "rnx/kernels/op/binary.hpp"
#include "rnx/kernels/op/fused.hpp"
#include "rnx/kernels/op/convolution.hpp"
#include "rnx/kernels/op/memory.hpp"
#include "rnx/kernels/op/pointwise.hpp"
#include "rnx/kernels/op/pooling.hpp"

// Room layers: what a layer is (layers/contract.hpp) and the layers themselves.
#pragma once

#include "rnx/core.hpp"
#include "rnx/device.hpp"
#include "rnx/tensor.hpp"
#include "rnx/kernels.hpp"
#include "rnx/quant.hpp"

#include "rnx/layers/node.hpp"
#include "rnx/layers/pass.hpp"
#include "rnx/layers/contract.hpp"
#include "rnx/layers/options.hpp"
#include "rnx/layers/activation.hpp"
#include "rnx/layers/batch_norm.hpp"
#include "rnx/layers/bound_convolution.hpp"
#include "rnx/layers/classifier.hpp"
#include "rnx/layers/convolution.hpp"
#include "rnx/layers/pooling.hpp"
#include "rnx/layers/simple.hpp"

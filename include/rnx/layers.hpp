// Room layers: the layer contract and the layers themselves.
//
//   forward (x, y, pass, site)              y = f(x; theta)
//   backward(dy, dx, sink, pass, site)      dx = (df/dx)^T dy (assigned; null: unwanted), sink +=
//   (df/dtheta)^T dy (NoGrads: not instantiated)
//   prepare (c_in, pass, site) -> c_out     weight maps, once per version of the parameters
//   describe(graph, input) -> node          what planning, cost and names need to know; cold:
//   set-up code is not worth optimising
#pragma once

#include "rnx/core.hpp"
#include "rnx/device.hpp"
#include "rnx/tensor.hpp"
#include "rnx/kernels.hpp"
#include "rnx/quant.hpp"

#include "rnx/layers/node.hpp"
#include "rnx/layers/pass.hpp"
#include "rnx/layers/options.hpp"
#include "rnx/layers/activation.hpp"
#include "rnx/layers/batch_norm.hpp"
#include "rnx/layers/bound_convolution.hpp"
#include "rnx/layers/classifier.hpp"
#include "rnx/layers/convolution.hpp"
#include "rnx/layers/pooling.hpp"
#include "rnx/layers/simple.hpp"

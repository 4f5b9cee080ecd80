// Room network: Network, Trace, Grads, Graph, AnyNetwork.
#pragma once

#include "rnx/core.hpp"
#include "rnx/device.hpp"
#include "rnx/tensor.hpp"
#include "rnx/kernels.hpp"
#include "rnx/quant.hpp"
#include "rnx/layers.hpp"
#include "rnx/compose.hpp"

#include "rnx/network/graph.hpp"
#include "rnx/network/keep.hpp"
#include "rnx/network/trace.hpp"
#include "rnx/network/parameter.hpp"
#include "rnx/network/base.hpp"
#include "rnx/network/network.hpp"
#include "rnx/network/any_network.hpp"

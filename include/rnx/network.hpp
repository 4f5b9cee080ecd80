// Room network: Network, Trace, Grads, Graph, AnyNetwork.
#pragma once

#include "rnx/network/any_network.hpp"
#include "rnx/network/base.hpp"
#include "rnx/network/graph.hpp"
#include "rnx/network/keep.hpp"
#include "rnx/network/network.hpp"
#include "rnx/network/parameter.hpp"
#include "rnx/network/trace.hpp"

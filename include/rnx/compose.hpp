// Room compose: how layers become networks.
#pragma once

#include "rnx/core.hpp"
#include "rnx/device.hpp"
#include "rnx/tensor.hpp"
#include "rnx/kernels.hpp"
#include "rnx/quant.hpp"
#include "rnx/layers.hpp"

#include "rnx/compose/named.hpp"
#include "rnx/compose/sequential.hpp"
#include "rnx/compose/parallel.hpp"
#include "rnx/compose/fork.hpp"
#include "rnx/compose/repeat.hpp"

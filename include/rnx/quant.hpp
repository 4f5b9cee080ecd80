// Room quant: weight maps and activation maps.
#pragma once

#include "rnx/core.hpp"
#include "rnx/device.hpp"
#include "rnx/tensor.hpp"
#include "rnx/kernels.hpp"

#include "rnx/quant/told.hpp"
#include "rnx/quant/maps.hpp"
#include "rnx/quant/map_parameter.hpp"
#include "rnx/quant/surrogate.hpp"
#include "rnx/quant/ste.hpp"
#include "rnx/quant/weights.hpp"
#include "rnx/quant/int8.hpp"
#include "rnx/quant/multi_bit.hpp"
#include "rnx/quant/cpu.hpp"
#include "rnx/quant/binarize.hpp"

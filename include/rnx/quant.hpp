// Room quant: weight maps and activation maps.
#pragma once

#include "rnx/quant/cpu.hpp"
#include "rnx/quant/maps.hpp"
#include "rnx/quant/multi_bit.hpp"
#include "rnx/quant/ste.hpp"

// Room core: shapes, errors, exact numbers, random numbers, the context of a pass.
#pragma once

#include "rnx/core/argmax.hpp"
#include "rnx/core/fault.hpp"
#include "rnx/core/error.hpp"
#include "rnx/core/dims.hpp"
#include "rnx/core/parameter_kind.hpp"
#include "rnx/core/ratio.hpp"
#include "rnx/core/rng.hpp"
#include "rnx/core/context.hpp"
#include "rnx/core/fixed_string.hpp"
#include "rnx/core/text.hpp"

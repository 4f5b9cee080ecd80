// Room tensor: views, owning memory, the arena planner.
#pragma once

#include "rnx/core.hpp"
#include "rnx/device.hpp"

#include "rnx/tensor/view.hpp"
#include "rnx/tensor/tensor.hpp"
#include "rnx/tensor/selection.hpp"
#include "rnx/tensor/arena.hpp"

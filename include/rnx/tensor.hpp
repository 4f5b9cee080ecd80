// Room tensor: views, owning memory, the arena planner.
#pragma once

#include "rnx/tensor/arena.hpp"
#include "rnx/tensor/tensor.hpp"
#include "rnx/tensor/view.hpp"

// The lean part: compose, train, attack. No xtensor, no JSON; also compiles under nvcc.
#pragma once

#include "rnx/attack.hpp"
#include "rnx/models.hpp"
#include "rnx/optim.hpp"

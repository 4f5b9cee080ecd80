// The lean part: compose, train, attack. No xtensor, no JSON; also compiles under nvcc.
#pragma once

#include "rnx/network.hpp"
#include "rnx/models.hpp"
#include "rnx/loss.hpp"
#include "rnx/optim.hpp"
#include "rnx/attack.hpp"

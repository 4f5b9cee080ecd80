// Room cost: what a network costs.
#pragma once

#include "rnx/cost/cost.hpp"

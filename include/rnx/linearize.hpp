// Room linearize: how many ReLUs each layer keeps, and which.
#pragma once

#include "rnx/linearize/budget.hpp"
#include "rnx/linearize/masks.hpp"
#include "rnx/linearize/published.hpp"
#include "rnx/linearize/scores.hpp"

// Room train: objectives, steps, the loop.
#pragma once

#include "rnx/train/fit.hpp"
#include "rnx/train/free.hpp"
#include "rnx/train/step.hpp"

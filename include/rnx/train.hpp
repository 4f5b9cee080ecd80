// Room train: objectives, steps, the loop, checkpoints, logs.
#pragma once

#include "rnx/train/objective.hpp"
#include "rnx/train/free.hpp"
#include "rnx/train/trades.hpp"
#include "rnx/train/step.hpp"
#include "rnx/train/progress.hpp"
#include "rnx/train/log.hpp"
#include "rnx/train/checkpoint.hpp"
#include "rnx/train/fit.hpp"

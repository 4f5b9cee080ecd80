// Room train: objectives, steps, the loop. Checkpoints and logs are included by name
// (rnx/train/checkpoint.hpp, rnx/train/log.hpp): their JSON costs a translation unit more than
// everything else here.
#pragma once

#include "rnx/train/objective.hpp"
#include "rnx/train/passes.hpp"
#include "rnx/train/adversary.hpp"
#include "rnx/train/terms.hpp"
#include "rnx/train/recipes.hpp"
#include "rnx/train/free.hpp"
#include "rnx/train/step.hpp"
#include "rnx/train/progress.hpp"
#include "rnx/train/state.hpp"
#include "rnx/train/store.hpp"
#include "rnx/train/fit.hpp"

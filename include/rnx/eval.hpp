// Room eval: accuracy, clean and attacked, and how sure it is.
#pragma once

#include "rnx/eval/accuracy.hpp"
#include "rnx/eval/audit.hpp"
#include "rnx/eval/interval.hpp"
#include "rnx/eval/lattice.hpp"
#include "rnx/eval/mean.hpp"
#include "rnx/eval/paired.hpp"

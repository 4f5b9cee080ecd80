// Room eval: accuracy, clean and attacked.
#pragma once

#include "rnx/eval/accuracy.hpp"

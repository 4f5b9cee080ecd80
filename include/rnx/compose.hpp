// Room compose: how layers become networks.
#pragma once

#include "rnx/compose/fork.hpp"
#include "rnx/compose/named.hpp"
#include "rnx/compose/parallel.hpp"
#include "rnx/compose/repeat.hpp"
#include "rnx/compose/sequential.hpp"

// Packed networks: made from trained ones, in files of their own, by name.
#pragma once

#include "rnx/deploy/file.hpp"
#include "rnx/deploy/registry.hpp"

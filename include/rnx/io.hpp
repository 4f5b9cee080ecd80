// Room io: files. Models and optimizer state are safetensors, arrays are .npy.
#pragma once

#include "rnx/io/bytes.hpp"
#include "rnx/io/file.hpp"
#include "rnx/io/model.hpp"
#include "rnx/io/npy.hpp"
#include "rnx/io/safetensors.hpp"

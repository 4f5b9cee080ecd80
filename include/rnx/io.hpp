// Room io: files. Models and optimizer state are safetensors.
#pragma once

#include "rnx/io/file.hpp"
#include "rnx/io/model.hpp"
#include "rnx/io/safetensors.hpp"

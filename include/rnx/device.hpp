// Room device: tags, memory, streams.
#pragma once

#include "rnx/core.hpp"

#include "rnx/device/tags.hpp"
#include "rnx/device/cpu.hpp"
#include "rnx/device/loopback.hpp"

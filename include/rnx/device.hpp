// Room device: tags, memory, streams.
#pragma once

#include "rnx/device/cpu.hpp"
#include "rnx/device/loopback.hpp"
#include "rnx/device/tags.hpp"

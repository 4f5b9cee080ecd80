// Room data: data sets in memory, CIFAR, batches with augmentation.
#pragma once

#include "rnx/data/batch.hpp"
#include "rnx/data/cifar.hpp"
#include "rnx/data/images.hpp"

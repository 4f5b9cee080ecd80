// Room data: data sets in memory, CIFAR, idx, .npy; batches with augmentation, prepared ahead.
// Folders of JPEG and PNG files are apart, as they need libraries: rnx/data/image_folder.hpp.
#pragma once

#include "rnx/data/augment.hpp"
#include "rnx/data/augmix.hpp"
#include "rnx/data/batch.hpp"
#include "rnx/data/batch_tensor.hpp"
#include "rnx/data/cifar.hpp"
#include "rnx/data/grouped.hpp"
#include "rnx/data/idx.hpp"
#include "rnx/data/images.hpp"
#include "rnx/data/loader.hpp"
#include "rnx/data/npy.hpp"
#include "rnx/data/operations.hpp"
#include "rnx/data/selection.hpp"
#include "rnx/data/shuffled.hpp"
#include "rnx/data/source.hpp"
#include "rnx/data/statistics.hpp"
#include "rnx/data/synthetic.hpp"

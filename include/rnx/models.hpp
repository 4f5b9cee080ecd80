// Room models: families over convolution, norm and activation policies; the registry by name.
#pragma once

#include "rnx/network.hpp"
#include "rnx/cost.hpp"

#include "rnx/models/policies.hpp"
#include "rnx/models/resnet.hpp"
#include "rnx/models/binary_resnet.hpp"
#include "rnx/models/wide_resnet.hpp"
#include "rnx/models/preact_resnet.hpp"
#include "rnx/models/vgg.hpp"
#include "rnx/models/alexnet.hpp"
#include "rnx/models/dnn.hpp"
#include "rnx/models/mobilenet.hpp"
#include "rnx/models/rlnet.hpp"
#include "rnx/models/told_name.hpp"
#include "rnx/models/registry.hpp"

// Room search: elastic subnets, Gumbel supernets, differentiable cost, found architectures as
// types.
#pragma once

#include "rnx/search/active.hpp"
#include "rnx/search/cost.hpp"
#include "rnx/search/elastic.hpp"
#include "rnx/search/elastic_kernel.hpp"
#include "rnx/search/static_type.hpp"
#include "rnx/search/gumbel.hpp"
#include "rnx/search/permute.hpp"
#include "rnx/search/prune.hpp"
#include "rnx/search/spelling.hpp"
#include "rnx/search/supernet.hpp"
#include "rnx/search/transfer.hpp"

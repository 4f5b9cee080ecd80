// Room attack: norms, the input gradient, first-order attacks.
#pragma once

#include "rnx/network.hpp"
#include "rnx/loss.hpp"

#include "rnx/attack/norm.hpp"
#include "rnx/attack/input_gradient.hpp"
#include "rnx/attack/contract.hpp"
#include "rnx/attack/pgd.hpp"
#include "rnx/attack/ensemble.hpp"

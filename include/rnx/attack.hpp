// Room attack: norms, the input gradient, first-order attacks.
#pragma once

#include "rnx/network.hpp"
#include "rnx/loss.hpp"

#include "rnx/attack/norm.hpp"
#include "rnx/attack/input_gradient.hpp"
#include "rnx/attack/contract.hpp"
#include "rnx/attack/pgd.hpp"
#include "rnx/attack/momentum.hpp"
#include "rnx/attack/inversion.hpp"
#include "rnx/attack/auto_pgd.hpp"
#include "rnx/attack/auto_pgd_targeted.hpp"
#include "rnx/attack/fab.hpp"
#include "rnx/attack/deep_fool.hpp"
#include "rnx/attack/carlini_wagner.hpp"
#include "rnx/attack/square.hpp"
#include "rnx/attack/auto_attack.hpp"
#include "rnx/attack/ensemble.hpp"
#include "rnx/attack/transfer.hpp"

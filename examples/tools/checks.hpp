// Checks of an evaluation, in a norm that is named at run time.
#pragma once

#include <string>
#include <vector>

#include <rnx/data/source.hpp>
#include <rnx/eval/check.hpp>
#include <rnx/network/base.hpp>

#include "progress.hpp"

namespace tools {

/// eval::run_checks of a network on the first images of a set. Whether its gradients are declared
/// ones, and how many batch-norm paths it has, is found out; `label` is shown with each check's
/// name. Errors: UsageError, NumericError, Stopped.
std::vector<rnx::eval::Check> run_checks(const std::string& norm,
                                         const rnx::NetworkBase<float>& net,
                                         const rnx::data::Source& images,
                                         rnx::eval::CheckOptions<> options,
                                         const std::string& label, Display& display);

}  // namespace tools

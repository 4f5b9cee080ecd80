// The paper's tables and figures out of a folder of runs.
#pragma once

#include <filesystem>

#include "plan.hpp"

namespace mbn {

/// Tables 2 and 3 beside their printed values, with what the runs have otherwise, as
/// tables/table-N.md, .csv and .html, and both with the flow of gradients and the figures as
/// report.md. Errors: UsageError (rows of different data), FileError.
void write_tables(const Plan& plan, const std::filesystem::path& out);

/// figures/figure-2.svg to figure-4.svg. Errors: FileError.
void write_figures(const Plan& plan, const std::filesystem::path& out);

}  // namespace mbn

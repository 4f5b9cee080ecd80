// The paper's tables and figures out of a folder of runs.
#pragma once

#include <filesystem>
#include <string>

#include "plan.hpp"

namespace rrm {

/// The folder of a row's run.
std::filesystem::path folder_of(const std::filesystem::path& out, const std::string& row, int seed);

/// Tables 1 to 10 beside their printed values, with what the runs have otherwise, as
/// tables/table-N.md, .csv and .html, and all of them with figures and checks as report.md. Errors:
/// UsageError (rows of different data), FileError.
void write_tables(const Plan& plan, const std::filesystem::path& out);

/// What preset small is held to, each as a mean over seeds with its interval: a list for
/// report.md. Accuracies are those under ART's AutoPGD. Errors: UsageError (rows of different data
/// or attacks), FileError.
std::string claims_text(const Plan& plan, const std::filesystem::path& out);

/// figures/figure-2.svg to figure-5.svg, and figure-eps.svg. Errors: FileError.
void write_figures(const Plan& plan, const std::filesystem::path& out);

}  // namespace rrm

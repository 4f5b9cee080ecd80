// What paper 000 prints, and where its numbers are found in a run.
#pragma once

#include "plan.hpp"

namespace rlnet {

/// Tables 1 to 6: the paper's rows, and those of the plan that it has not.
std::vector<paper::PaperTable> paper_tables(const Plan& plan);

/// Columns, in percent but for the counts.
rnx::report::TableColumn of_eval(const std::string& name, const std::string& path,
                                 double scale = 100);
rnx::report::TableColumn of_switch(const std::string& name, const std::string& path);
/// CA, NPA, mCE, AdvA under PGD-7 on the robust path, thousands of ReLUs.
std::vector<rnx::report::TableColumn> usual_columns();

/// What must hold of `small` and `small-ablation`, and what the paper lets expect. Errors:
/// UsageError (rows of different images), FileError.
std::string claims_text(const Plan& plan, const std::filesystem::path& out);
/// tables/table-N.md, .csv and .html with the plan's differences, the switch, and all of them as
/// report.md. Errors: UsageError (rows of different images), FileError.
void write_tables(const Plan& plan, const std::filesystem::path& out);
/// figures/figure-1.svg, 2, 4, 5 and 6. Errors: FileError.
void write_figures(const Plan& plan, const std::filesystem::path& out);

}  // namespace rlnet

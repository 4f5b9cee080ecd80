// What paper 002 prints, and where its numbers are found in a run.
#pragma once

#include <rnx/report/table.hpp>

#include "../tools/paper.hpp"
#include "plan.hpp"

namespace rrm {

using paper::Line, paper::PaperTable, paper::Printed;

/// Tables 1 to 10; table 8 is two, of CIFAR-10 and of Restricted ImageNet.
std::vector<PaperTable> paper_tables();

/// The report of evaluate() in a run's folder.
inline constexpr const char* attacks_file = "attacks/report.json";

/// Columns: clean accuracy; accuracy under ART's AutoPGD, of tables 1 and 2, of the others; a value
/// of time.json.
rnx::report::TableColumn natural();
rnx::report::TableColumn art();
rnx::report::TableColumn short_art();
/// As art(), of KD through logits over its temperature.
rnx::report::TableColumn art_at_temperature();
rnx::report::TableColumn timed(const std::string& name, const std::string& key, double scale = 1);

/// The folders of a row's runs, of all seeds.
std::vector<std::filesystem::path> runs_of(const Plan& plan, const std::filesystem::path& out,
                                           const std::string& row);
/// The mean over those that have the value.
std::optional<double> mean_of(const Plan& plan, const std::filesystem::path& out,
                              const std::string& row, const rnx::report::TableColumn& column);

}  // namespace rrm

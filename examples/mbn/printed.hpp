// The numbers of paper 003's tables.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "../tools/paper.hpp"

namespace mbn {

/// A block of a table: BOPs in 1e8, Top-1, PGD-20 and, of table 2, PGD-50 in percent, by method.
struct PrintedBlock {
  int number;
  std::string prefix;  ///< of its rows' names
  std::string file, title;
  std::vector<std::pair<std::string, paper::Printed>> lines;
};
/// DoReFa is not in the paper. Pruned rows stand beside AMC's (He et al. 2018). 3x3's 3.98 is a
/// misprint: its counts give 3.89.
const std::vector<PrintedBlock>& printed_blocks();

}  // namespace mbn

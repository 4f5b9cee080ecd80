// The verb `table`: run directories as rows of one table.
#pragma once

#include "app.hpp"

namespace tools {

/// Adds `table DIR ... --format md|csv|html`: DIR is a run, a sweep, or a folder of runs.
void add_table_verb(App& app);

}  // namespace tools

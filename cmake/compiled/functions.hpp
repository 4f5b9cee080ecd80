// What one instruction set's copy of rnx::compiled gives to the other side.
#pragma once

#include "rnx/compiled.hpp"

namespace rnx_compiled {

struct Functions {
  std::vector<std::string> (*names)();
  std::unique_ptr<rnx::compiled::Model> (*make)(const std::string&,
                                                const rnx::compiled::ModelOptions&);
};

}  // namespace rnx_compiled

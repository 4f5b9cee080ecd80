// The part of rnx::compiled that is there once: it chooses the copy.
#include "chosen.hpp"
#include "functions.hpp"

#define RNX_DECLARE(isa)                                                           \
  extern "C" const rnx_compiled::Functions* rnx_compiled_models_##isa();           \
  extern "C" const rnx_chosen::Initialiser __start_rnx_init_##isa[] [[gnu::weak]], \
      __stop_rnx_init_##isa[] [[gnu::weak]];
RNX_EACH_INSTRUCTION_SET(RNX_DECLARE)

namespace {

struct Chosen {
  std::string name;
  const rnx_compiled::Functions* functions = nullptr;

  Chosen() {
    const std::optional<std::string> wanted = rnx_chosen::instruction_set();
    rnx::require<rnx::UsageError>(wanted.has_value(), rnx_chosen::refusal);
    name = *wanted;
#define RNX_CHOOSE(isa)                                                    \
  if (name == #isa) {                                                      \
    rnx_chosen::initialise(__start_rnx_init_##isa, __stop_rnx_init_##isa); \
    functions = rnx_compiled_models_##isa();                               \
  }
    RNX_EACH_INSTRUCTION_SET(RNX_CHOOSE)
  }
};

const Chosen& chosen() {
  static const Chosen once;
  return once;
}

}  // namespace

namespace rnx::inline RNX_ABI::compiled {

std::string instruction_set() { return chosen().name; }
std::vector<std::string> names() { return chosen().functions->names(); }
std::unique_ptr<Model> make(const std::string& name, const ModelOptions& options) {
  return chosen().functions->make(name, options);
}

}  // namespace rnx::inline RNX_ABI::compiled

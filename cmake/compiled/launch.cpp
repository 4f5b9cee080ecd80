// main of a portable executable: runs the copy that was compiled for the widest vectors this
// processor has.
#include <unistd.h>

#include <cstdio>

#include "chosen.hpp"

#define RNX_DECLARE(isa)                                                           \
  int rnx_main_##isa(int argc, char** argv);                                       \
  extern "C" const rnx_chosen::Initialiser __start_rnx_init_##isa[] [[gnu::weak]], \
      __stop_rnx_init_##isa[] [[gnu::weak]];
RNX_EACH_INSTRUCTION_SET(RNX_DECLARE)

int main(int argc, char** argv) {
  const std::optional<std::string> chosen = rnx_chosen::instruction_set();
#define RNX_RUN(isa)                                                                            \
  if (chosen == #isa) {                                                                         \
    rnx_chosen::initialise(__start_rnx_init_##isa, __stop_rnx_init_##isa, argc, argv, environ); \
    return rnx_main_##isa(argc, argv);                                                          \
  }
  RNX_EACH_INSTRUCTION_SET(RNX_RUN)
  std::fprintf(stderr, "%s\n", rnx_chosen::refusal().c_str());
  return 2;
}

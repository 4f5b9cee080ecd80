// Which of the copies in this binary runs: cmake/RnxInstructionSets.cmake compiles one for each
// instruction set.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>

namespace rnx_chosen {

/// Initialisers of a copy: the linker gives their section's ends.
using Initialiser = void (*)(int, char**, char**);
inline void initialise(const Initialiser* first, const Initialiser* last, int argc = 0,
                       char** argv = nullptr, char** environment = nullptr) {
  for (; first != last; ++first)
    if (*first) (*first)(argc, argv, environment);
}

#if defined(__x86_64__)
#define RNX_EACH_INSTRUCTION_SET(X) X(plain) X(avx2) X(avx512)
inline bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}
inline bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}
#else
#define RNX_EACH_INSTRUCTION_SET(X) X(plain)
inline bool has_avx2() { return false; }
inline bool has_avx512() { return false; }
#endif

/// The widest that the processor has, or what the environment variable RNX_INSTRUCTION_SET names;
/// nothing where it names one that is unknown or that the processor lacks.
inline std::optional<std::string> instruction_set() {
  const char* wish = std::getenv("RNX_INSTRUCTION_SET");
  const std::string name = wish ? wish : "";
  if (name.empty()) return has_avx512() ? "avx512" : has_avx2() ? "avx2" : "plain";
  const bool there =
      name == "plain" || (name == "avx2" && has_avx2()) || (name == "avx512" && has_avx512());
  return there ? std::optional(name) : std::nullopt;
}
/// What to say then.
inline std::string refusal() {
  return std::string(
             "RNX_INSTRUCTION_SET takes plain, avx2 or avx512, and what the processor has; "
             "found '") +
         std::getenv("RNX_INSTRUCTION_SET") + "'";
}

}  // namespace rnx_chosen

// Everything that can go wrong at run time: one class per kind, one sentence that says what, where,
// expected and found.
#pragma once

#include <stdexcept>
#include <string>

#include "rnx/config.hpp"

namespace rnx::inline RNX_ABI {

/// Base of every exception the library throws. `exit_code()` is what an executable returns for it.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& sentence, int code = 1)
      : std::runtime_error(sentence),
        code_(code) {}
  int exit_code() const noexcept { return code_; }

 private:
  int code_;
};

struct UsageError : Error {
  explicit UsageError(const std::string& s) : Error(s, 2) {}
};  ///< an argument or option is out of its range
struct FileError : Error {
  explicit FileError(const std::string& s) : Error(s, 3) {}
};  ///< a file is missing, malformed or belongs to something else
struct ShapeError : Error {
  explicit ShapeError(const std::string& s) : Error(s, 2) {}
};  ///< sizes of tensors do not fit
struct NameError : Error {
  explicit NameError(const std::string& s) : Error(s, 3) {}
};  ///< parameter names are missing or unexpected
struct StateError : Error {
  explicit StateError(const std::string& s) : Error(s, 1) {}
};  ///< calls in an order that has no meaning
struct NumericError : Error {
  explicit NumericError(const std::string& s) : Error(s, 1) {}
};  ///< a value that must be finite is not
struct DeviceError : Error {
  explicit DeviceError(const std::string& s) : Error(s, 1) {}
};  ///< the device reported a failure

/// not a fault: somebody asked the call to end (Context::stop), and what it was computing is not
/// complete
struct Stopped : Error {
  explicit Stopped(const std::string& s) : Error(s, 75) {}
};

/// Throws `E` with the sentence when `condition` is false. The sentence is built only then.
template <class E = UsageError, class Sentence>
inline void require(bool condition, const Sentence& sentence) {
  if (!condition) [[unlikely]] {
    if constexpr (requires { sentence(); })
      throw E(sentence());
    else
      throw E(std::string(sentence));
  }
}

}  // namespace rnx::inline RNX_ABI

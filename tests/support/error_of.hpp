// The sentence of the error that a call throws.
#pragma once

#include <string>

namespace support {

/// f() must throw an E: its sentence. "no error" when it throws nothing; other exceptions pass.
template <class E, class F> std::string error_of(F&& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace support

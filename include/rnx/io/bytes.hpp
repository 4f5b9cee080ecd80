// Bytes in memory that are read as an InputFile is: what reads a format takes either, so that it
// can be fuzzed.
#pragma once

#include <cstring>
#include <span>

#include "rnx/io/file.hpp"

namespace rnx::inline RNX_ABI::io {

/// `what` names them in errors. The bytes are not copied. Errors: FileError (fewer bytes than are
/// asked for).
class InputBytes {
 public:
  InputBytes(std::span<const std::byte> bytes, std::string what)
      : what_(std::move(what)),
        bytes_(bytes) {}

  const std::string& what() const { return what_; }
  std::uint64_t size() const { return bytes_.size(); }

  void read(void* to, std::size_t count) {
    require<FileError>(count <= bytes_.size() - at_, [&] {
      return what_ + ": expected " + std::to_string(at_ + count) + " bytes, found " +
             std::to_string(bytes_.size());
    });
    if (count) std::memcpy(to, bytes_.data() + at_, count);
    at_ += count;
  }

 private:
  std::string what_;
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
};

}  // namespace rnx::inline RNX_ABI::io

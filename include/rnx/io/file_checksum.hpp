// What a file is recognised by.
#pragma once

#include <filesystem>
#include <string>

#include "rnx/core/checksum.hpp"
#include "rnx/io/file.hpp"

namespace rnx::inline RNX_ABI::io {

/// The checksum of a file's bytes, as text. Errors: FileError.
inline std::string file_checksum(const std::filesystem::path& path) {
  return Checksum().add(read_file(path, UINT64_MAX)).text();
}

}  // namespace rnx::inline RNX_ABI::io

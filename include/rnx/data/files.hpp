// What the readers of data sets share: is the file there, and the names of the classes.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "rnx/io/file.hpp"

namespace rnx::inline RNX_ISA::data::detail {

inline bool present(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

inline void require_folder(const std::filesystem::path& dir, const std::string& content) {
  std::error_code error;
  require<FileError>(std::filesystem::is_directory(dir, error), [&] {
    return dir.string() + ": expected a folder with " + content + ", found " +
           (present(dir) ? "a file" : "no such folder");
  });
}

inline void require_file(const std::filesystem::path& file, const std::string& content) {
  require<FileError>(present(file), [&] {
    return file.string() + ": expected " + content + ", found no such file";
  });
}

/// The lines of a text file; an absent file has none. Errors: FileError, if there are some, but not
/// one per class.
inline std::vector<std::string> class_names(const std::filesystem::path& path, int classes) {
  std::vector<std::string> names;
  if (!present(path)) return names;
  io::InputFile file(path);
  const auto expect = [&](bool condition, const std::string& what, std::size_t found,
                          const char* unit) {
    require<FileError>(condition, [&] {
      return file.what() + ": expected " + what + ", found " + std::to_string(found) + unit;
    });
  };
  expect(file.size() < 65536, "a few names", file.size(), " bytes");
  std::string text(file.size(), '\0'), line;
  file.read(text.data(), text.size());
  for (const char c : text + '\n') {
    if (c != '\n') {
      if (c != '\r') line += c;
      continue;
    }
    if (!line.empty()) names.push_back(std::exchange(line, {}));
  }
  expect(int(names.size()) == classes, std::to_string(classes) + " names, one in a line",
         names.size(), "");
  return names;
}

}  // namespace rnx::inline RNX_ISA::data::detail

// Where results go, looked at before the work that makes them.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>

#include <rnx/io/file.hpp>

namespace tools {

/// One line on stderr, or on `file`. Never throws: the disk that it goes to may be the full one.
void complain(const std::string& line) noexcept;
void print_line(std::FILE* file, const std::string& line) noexcept;
/// A program's result on stdout. A reader that has gone away is no error. Errors: FileError (a full
/// disk).
void write_out(const std::string& text);

/// Checks that a folder is there or can be made, and that files can be made in it; makes nothing.
/// Errors: FileError that begins with `option`.
void require_can_hold(const std::string& option, const std::filesystem::path& folder);
/// The same, and makes it.
void make_writable(const std::string& option, const std::filesystem::path& folder);
/// Checks that a file can be written, or replaced, here; makes nothing. Errors: FileError that
/// begins with `option`.
void require_writable_file(const std::string& option, const std::filesystem::path& file);
/// Checks that a data set's folder would not take what is written to `folder` for its own. Errors:
/// UsageError.
void require_apart(const std::string& option, const std::filesystem::path& folder,
                   const std::filesystem::path& data);

/// A folder that one process at a time writes to, until the lock is destroyed or the process ends,
/// however it ends.
class FolderLock {
 public:
  FolderLock() = default;
  /// Errors: UsageError (another process has it), FileError.
  FolderLock(const std::string& option, const std::filesystem::path& folder,
             const std::string& program);

 private:
  rnx::io::detail::Descriptor file_;
};

/// Opens /dev/null for those of stdin, stdout and stderr that are closed: a file that is opened
/// later would take its place and be given the words. Writes to a pipe without a reader, and beyond
/// a limit of a file's size, fail instead of ending the program.
void tame_system();

}  // namespace tools

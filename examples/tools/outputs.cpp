#include "outputs.hpp"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/file.h>

namespace tools {

using namespace rnx;
namespace fs = std::filesystem;

void print_line(std::FILE* file, const std::string& line) noexcept {
  ::flockfile(file);  // several threads write lines
  std::fwrite(line.data(), 1, line.size(), file);
  std::fputc('\n', file);
  std::fflush(file);
  ::funlockfile(file);
}
void complain(const std::string& line) noexcept { print_line(stderr, line); }

void write_out(const std::string& text) {
  errno = 0;
  const bool fine =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  const int code = errno;
  require<FileError>(fine || code == EPIPE,
                     [&] { return "stdout: cannot be written: " + io::detail::reason(code); });
}

namespace {
/// The folder itself, or else the nearest one above it that is there.
fs::path nearest_folder(const std::string& option, const fs::path& folder) {
  const auto refuse = [&](const std::string& why) {
    throw FileError(option + ": the folder " + folder.string() + " cannot be made: " + why);
  };
  require(!folder.empty(), [&] { return option + ": expected the name of a folder, found ''"; });
  for (fs::path at = fs::absolute(folder).lexically_normal();; at = at.parent_path()) {
    std::error_code error;
    const fs::file_type type = fs::status(at, error).type();
    if (type == fs::file_type::directory) return at;
    if (type == fs::file_type::none) refuse(error.message());
    if (type != fs::file_type::not_found) refuse(at.string() + " is not a folder");
    if (at == at.parent_path()) refuse("its disk is not there");
  }
}
}  // namespace

void require_can_hold(const std::string& option, const fs::path& folder) {
  const fs::path at = nearest_folder(option, folder);
  try {
    io::AtomicFile(at / ".rnx-probe").write(" ", 1);  // not committed: it leaves nothing
  } catch (const FileError& e) {
    const std::string sentence = e.what(), why = sentence.substr(sentence.rfind(": ") + 2);
    throw FileError(option + ": the folder " + folder.string() + " cannot be written: " + why);
  }
}

void make_writable(const std::string& option, const fs::path& folder) {
  require_can_hold(option, folder);
  std::error_code made, seen;
  fs::create_directories(folder, made);
  require<FileError>(fs::is_directory(folder, seen), [&] {
    return option + ": the folder " + folder.string() +
           " cannot be made: " + (made ? made : seen).message();
  });
}

void require_writable_file(const std::string& option, const fs::path& file) {
  require(file.has_filename(),
          [&] { return option + ": expected the name of a file, found '" + file.string() + "'"; });
  std::error_code error;
  const fs::file_type type = fs::status(file, error).type();
  const bool fine = type == fs::file_type::not_found || type == fs::file_type::regular;
  require<FileError>(fine, [&] {
    const bool folder = type == fs::file_type::directory;
    return option + ": expected a file to write, found " + file.string() +
           (folder  ? ", a folder"
            : error ? ": " + error.message()
                    : ", a device or pipe");
  });
  require_can_hold(option, file.has_parent_path() ? file.parent_path() : fs::path("."));
}

void require_apart(const std::string& option, const fs::path& folder, const fs::path& data) {
  if (data.empty()) return;
  std::error_code error;
  const auto same = [&](const fs::path& a, const fs::path& b) {
    return fs::equivalent(a, b, error) && !error;
  };
  fs::path taken;
  if (same(folder, data)) taken = data;
  for (fs::path at = fs::absolute(folder).lexically_normal(); at != at.parent_path();
       at = at.parent_path())
    for (const char* split : {"train", "test", "val"})
      if (same(at, data / split)) taken = data / split;
  require(taken.empty(), [&] {
    return option + ": " + folder.string() + " is a part of the data set (" + taken.string() +
           "); choose another folder";
  });
}

FolderLock::FolderLock(const std::string& option, const fs::path& folder,
                       const std::string& program) {
  const fs::path file = folder / ".lock";
  file_ = io::detail::Descriptor(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  const int code = errno;
  require<FileError>(file_.get() >= 0, [&] {
    return file.string() + ": cannot be opened: " + io::detail::reason(code);
  });
  // the kernel lets go of it when the process ends; a file system without locks is taken as it is
  const bool ours = ::flock(file_.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
  require(ours,
          [&] { return option + ": " + folder.string() + " is in use by another " + program; });
}

void tame_system() {
  for (const int fd : {0, 1, 2})
    if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF) [[maybe_unused]]
      const int null = ::open("/dev/null", O_RDWR);
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads our output may go before we do
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace tools

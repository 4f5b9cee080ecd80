// Reading a regular file of known size, and replacing a file as a whole (POSIX). The sentences of
// their errors.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rnx/core/error.hpp"

namespace rnx::inline RNX_ABI::io {

/// `text` in double quotes for an error sentence: control characters become \xNN, more than 80
/// bytes are cut. (Not "quoted": that would be std::quoted too.)
inline std::string in_quotes(std::string_view text) {
  std::size_t cut = text.size();
  if (cut > 80)
    for (cut = 80; cut > 76 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80;) --cut;
  std::string out = "\"";
  for (const char c : text.substr(0, cut)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F)
      (out += "\\x") += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
    else
      out += c;
  }
  return out += cut < text.size() ? "...\"" : "\"";
}

namespace detail {

/// What errno says, in words. Takes the number: building a sentence may change errno.
inline std::string reason(int code) { return std::generic_category().message(code); }

/// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_ = -1;
};

}  // namespace detail

/// An open regular file, read from front to back. Errors: FileError (missing, not a regular file,
/// shorter than it was when opened).
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path) : what_(path.string()) {
    // O_NONBLOCK: opening a pipe must fail below instead of waiting for a writer.
    file_ = detail::Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file_.get() < 0) fail("cannot be opened: " + detail::reason(errno));
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) fail("has no size: " + detail::reason(errno));
    if (S_ISDIR(status.st_mode)) fail("expected a file, found a folder");
    if (!S_ISREG(status.st_mode)) fail("expected a regular file, found a device or pipe");
    size_ = static_cast<std::uint64_t>(status.st_size);
  }

  const std::string& what() const { return what_; }
  std::uint64_t size() const { return size_; }

  /// The next `count` bytes.
  void read(void* to, std::size_t count) {
    for (std::size_t done = 0; done < count;) {
      const ::ssize_t got = ::read(file_.get(), static_cast<char*>(to) + done, count - done);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0)
        fail("cannot be read at byte " + std::to_string(at_ + done) + ": " + detail::reason(errno));
      if (got == 0)
        fail("expected " + std::to_string(size_) + " bytes, found its end at byte " +
             std::to_string(at_ + done));
      done += static_cast<std::size_t>(got);
    }
    at_ += count;
  }

 private:
  [[noreturn]] void fail(const std::string& sentence) const {
    throw FileError(what_ + ": " + sentence);
  }

  std::string what_;
  detail::Descriptor file_;
  std::uint64_t size_ = 0, at_ = 0;
};

/// Replaces a file as a whole: writes beside it (same folder), and commit() syncs, renames and
/// syncs the folder. Whatever fails before the rename, the old file stays as it was and the new one
/// is removed; so it is without commit(). A symbolic link is replaced, not followed. Errors:
/// FileError.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path)
      : path_(path),
        folder_(path.parent_path()) {
    if (folder_.empty()) folder_ = ".";
    if (path.filename().empty()) fail("expected the name of a file, found a folder");
    directory_ = detail::Descriptor(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory_.get() < 0) fail("its folder cannot be opened: " + detail::reason(errno));
    // The name does not contain the target's: that one may already be as long as a name can be. A
    // crash may have left one behind.
    for (int attempt = 0; attempt < 10000 && file_.get() < 0; ++attempt) {
      temporary_ =
          folder_ / (".rnx-" + std::to_string(::getpid()) + "-" + std::to_string(attempt) + ".tmp");
      file_ = detail::Descriptor(
          ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
      if (file_.get() < 0 && errno != EEXIST) break;
    }
    if (file_.get() < 0) {
      temporary_.clear();  // not ours
      fail("no file can be made beside it: " + detail::reason(errno));
    }
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }

  void write(const void* from, std::size_t count) {
    for (std::size_t done = 0; done < count;) {
      const ::ssize_t put =
          ::write(file_.get(), static_cast<const char*>(from) + done, count - done);
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) fail("cannot be written: " + detail::reason(put < 0 ? errno : ENOSPC));
      done += static_cast<std::size_t>(put);
    }
  }

  void commit() {
    if (::fsync(file_.get()) != 0) fail("cannot be written to the disk: " + detail::reason(errno));
    if (file_.close() != 0) fail("cannot be closed: " + detail::reason(errno));
    if (::rename(temporary_.c_str(), path_.c_str()) != 0)
      fail("cannot be replaced: " + detail::reason(errno));
    temporary_.clear();
    // EINVAL: a file system that cannot sync folders
    if (::fsync(directory_.get()) != 0 && errno != EINVAL)
      fail("is written, but its folder cannot be synced: " + detail::reason(errno));
  }

 private:
  [[noreturn]] void fail(const std::string& sentence) const {
    throw FileError(path_.string() + ": " + sentence);
  }

  std::filesystem::path path_, folder_, temporary_;
  detail::Descriptor directory_, file_;
};

/// A whole file of at most `limit` bytes, in a container of bytes. Errors: FileError.
template <class Bytes = std::string>
Bytes read_file(const std::filesystem::path& path, std::uint64_t limit = std::uint64_t(1) << 31) {
  InputFile file(path);
  require<FileError>(file.size() <= limit, [&] {
    return file.what() + ": expected at most " + std::to_string(limit) + " bytes, found " +
           std::to_string(file.size());
  });
  Bytes bytes(std::size_t(file.size()), typename Bytes::value_type{});
  file.read(bytes.data(), bytes.size());
  return bytes;
}

/// Replaces a file by this text, as a whole. Errors: FileError.
inline void write_file(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace rnx::inline RNX_ABI::io

// Running the executables as their users do.
#pragma once

#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace tools_test {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("rnx_tools_test_" + std::to_string(::getpid()) +
                                               "_" + std::to_string(counter()++));
  Folder() {
    fs::remove_all(path);
    fs::create_directories(path / "data");
  }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }

 private:
  static int& counter() {
    static int n = 0;
    return n;
  }
};

inline std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// n records in CIFAR-10's binary format.
inline void write_records(const std::string& file, int n, int label_of_last = -1, int cut = 0) {
  std::string bytes;
  for (int i = 0; i < n; ++i) {
    bytes += char(i + 1 == n && label_of_last >= 0 ? label_of_last : i % 10);
    for (int k = 0; k < 3072; ++k) bytes += char((k * (i % 10 + 1) + 31 * i) & 255);
  }
  bytes.resize(bytes.size() - cut);
  std::ofstream(file, std::ios::binary) << bytes;
}

struct Result {
  int code;
  std::string text;
};
/// Runs a shell command; text: stdout and stderr.
inline Result call(const Folder& f, const std::string& command) {
  const std::string out = f / "output.txt";
  const int status = std::system(("( " + command + " ) > " + out + " 2>&1").c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(out)};
}
inline void refused(const Result& r, int code, const std::string& fragment) {
  CHECK_MESSAGE(r.code == code, r.text);
  CHECK_MESSAGE(r.text.find(fragment) != std::string::npos, r.text);
}

/// Starts a command in a process of its own, sends `signal` after so many milliseconds; returns the
/// wait status.
inline int signalled(const std::string& command, int signal, int milliseconds) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/bin/sh", "sh", "-c", ("exec " + command + " > /dev/null 2>&1").c_str(), nullptr);
    ::_exit(127);
  }
  ::usleep(useconds_t(milliseconds) * 1000);
  ::kill(child, signal);
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

inline const std::string train = RNX_TRAIN, eval = RNX_EVAL, convert = RNX_CONVERT;

}  // namespace tools_test

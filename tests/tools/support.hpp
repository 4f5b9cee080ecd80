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

/// n images and labels in IDX format, files PREFIX-images..., PREFIX-labels... of the data folder.
inline void write_idx(const Folder& f, const std::string& prefix, int n, int height,
                      int label_of_last) {
  std::string images{0, 0, 8, 3, 0, 0, 0, char(n), 0, 0, 0, char(height), 0, 0, 0, 28},
      labels{0, 0, 8, 1, 0, 0, 0, char(n)};
  images.append(std::size_t(n) * height * 28, '\x40');
  for (int i = 0; i < n; ++i) labels += char(i + 1 == n ? label_of_last : i % 10);
  std::ofstream(f / ("data/" + prefix + "-images-idx3-ubyte"), std::ios::binary) << images;
  std::ofstream(f / ("data/" + prefix + "-labels-idx1-ubyte"), std::ios::binary) << labels;
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

/// Options of a run that takes a moment.
inline const std::string tiny =
    " --dataset synthetic --model dnn --n-train 16 --n-test 8 --epochs 1 --batch 8 --eval-n 0 "
    "--eval-pgd-n 0 --final-pgd-n 0 --progress plain";

/// One small run, in "run" of its folder.
struct TrainedTiny : Folder {
  TrainedTiny() { REQUIRE(call(*this, train + tiny + " --out " + (*this / "run")).code == 0); }
  std::string weights() const { return *this / "run/model.safetensors"; }
  std::string evaluate() const {
    return eval + " --dataset synthetic --model dnn --n-ex 8 --attack clean --weights " + weights();
  }
};

/// A data set in CIFAR-10's format, and the options of a run that takes seconds.
struct CifarFolder : Folder {
  const std::string data = " --data " + (*this / "data");
  const std::string small =
      " --epochs 1 --batch 12 --eval-n 8 --eval-pgd-n 4 --final-pgd-n 5 --seed 3 --progress plain";
  CifarFolder() {
    write_records(*this / "data/data_batch_1.bin", 24);
    write_records(*this / "data/test_batch.bin", 20);
  }
};

/// A finished run of rnx-train in the folder run.
struct TrainedResnet : CifarFolder {
  const std::string weights = *this / "run/model.safetensors";
  TrainedResnet() {
    const Result trained = call(
        *this, train + data + small + " --objective pgd --attack-steps 1 --out " + (*this / "run"));
    REQUIRE_MESSAGE(trained.code == 0, trained.text);
    REQUIRE(fs::exists(weights));
  }
  /// The command of an rnx-eval of two samples into the folder eval2.
  std::string evaluation() const {
    return eval + data + " --n-ex 2 --out " + (*this / "eval2") + " --weights " + weights;
  }
};

/// Everything of a run that must be equal however it was stopped: weights, optimizer state, and the
/// metrics but for times.
inline std::string result_of(const fs::path& run) {
  std::string text = read(run / "model.safetensors");
  const std::string latest = read(run / "ckpt/LATEST");
  text += latest + read(run / "ckpt" / latest.substr(0, 6) / "optim.safetensors");
  std::ifstream csv(run / "metrics.csv");
  for (std::string line; std::getline(csv, line);) {
    std::size_t comma = 0;
    for (int k = 0; k < 6 && comma != line.npos; ++k) comma = line.find(',', comma + 1);
    text += line.substr(0, comma) + "\n";
  }
  return text;
}

/// A program in the background; its stderr is in `errors`.
struct Process {
  pid_t id = 0;
  Process(const Folder& f, const std::string& command, int ignored = 0) {
    id = ::fork();
    if (id != 0) return;
    if (ignored) ::signal(ignored, SIG_IGN);
    ::execl("/bin/sh", "sh", "-c",
            ("exec " + command + " > /dev/null 2> " + (f / "errors")).c_str(), nullptr);
    ::_exit(127);
  }
  /// Until there is such a file, or for two minutes.
  void wait_for(const fs::path& file) const {
    for (int k = 0; k < 12000 && !fs::exists(file); ++k) ::usleep(10000);
  }
  /// The wait status, or -1 after two minutes.
  int wait() const {
    int status = 0;
    for (int k = 0; k < 12000; ++k, ::usleep(10000))
      if (::waitpid(id, &status, WNOHANG) == id) return status;
    ::kill(id, SIGKILL);
    ::waitpid(id, &status, 0);
    return -1;
  }
};
inline bool stopped_cleanly(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 75; }

}  // namespace tools_test

// Progress as files: log.jsonl (one JSON object a line, every few seconds and at the end of each
// epoch) and metrics.csv (one row an epoch). A resumed run continues them: what lies beyond the
// resumed step is dropped first, and so is a line that was cut.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>

#include <nlohmann/json.hpp>

#include "rnx/io/file.hpp"
#include "rnx/train/progress.hpp"

namespace rnx::inline RNX_ISA::train {

namespace detail {

/// A text file that grows by whole lines. Errors: FileError.
class Lines {
 public:
  /// Keeps the lines for which keep(line) is true.
  Lines(const std::filesystem::path& path, const std::function<bool(const std::string&)>& keep)
      : path_(path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (status.type() != std::filesystem::file_type::not_found) {
      const std::string text = io::read_file(path);
      std::string kept;
      for (std::size_t at = 0, end; (end = text.find('\n', at)) != text.npos; at = end + 1)
        if (const std::string line = text.substr(at, end - at); keep(line)) kept += line + '\n';
      if (kept != text) io::write_file(path, kept);
      empty_ = kept.empty();
    }
    open();
    const int code = errno;
    require<FileError>(file_->get() >= 0, [&] {
      return path.string() + ": cannot be written: " + io::detail::reason(code);
    });
  }
  bool empty() const { return empty_; }
  /// Whole lines or nothing: what a full disk refuses is tried again with the next line. False: it
  /// still waits; that must not end a training.
  bool add(const std::string& line) {
    pending_ += line + '\n';
    empty_ = false;
    const ::off_t end = ::lseek(file_->get(), 0, SEEK_END);
    for (std::size_t done = 0; done < pending_.size();) {
      const ::ssize_t put = ::write(file_->get(), pending_.data() + done, pending_.size() - done);
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) {
        [[maybe_unused]] const int cut = ::ftruncate(file_->get(), end);
        return false;
      }
      done += std::size_t(put);
    }
    pending_.clear();
    return true;
  }

  /// Begins the file anew where it was deleted; whether it did.
  bool begun_anew() {
    struct ::stat status {};
    if (::fstat(file_->get(), &status) == 0 && status.st_nlink > 0) return false;
    open();
    return true;
  }

 private:
  void open() {
    file_ = std::make_shared<io::detail::Descriptor>(
        ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  }

  std::filesystem::path path_;
  std::shared_ptr<io::detail::Descriptor> file_;  // callbacks are copied
  std::string pending_;
  bool empty_ = true;
};

}  // namespace detail

/// The object of a line of log.jsonl.
inline nlohmann::ordered_json progress_json(const Progress& p) {
  nlohmann::ordered_json line{{"epoch", p.epoch + 1},
                              {"step", p.step},
                              {"done", p.done},
                              {"loss", p.loss},
                              {"train_acc", p.accuracy},
                              {"lr", p.lr},
                              {"images_per_s", p.images_per_second},
                              {"seconds", p.seconds},
                              {"loader_wait_s", p.waited}};
  if (p.scores.clean) line["clean_acc"] = *p.scores.clean;
  if (p.scores.pgd) line["pgd_acc"] = *p.scores.pgd;
  return line;
}

/// A callback for fit. `resumed`: batches done before this process; `every`: seconds between lines.
/// Errors: FileError (the constructor).
class JsonLines {
 public:
  JsonLines(const std::filesystem::path& path, long resumed, double every = 10)
      : lines_(path,
               [resumed](const std::string& line) {
                 const auto object = nlohmann::json::parse(line, nullptr, false);
                 return object.is_object() && object.value("done", -1l) >= 0 &&
                        object.value("done", -1l) <= resumed;
               }),
        every_(every) {}

  void operator()(const Progress& p) {
    if (!p.epoch_end && p.seconds - shown_ < every_) return;
    shown_ = p.seconds;
    lines_.begun_anew();
    lines_.add(progress_json(p).dump());
  }

 private:
  detail::Lines lines_;
  double every_, shown_ = 0;
};

/// A callback for fit: epoch, train_loss, train_acc, clean_acc, pgd_acc, lr, images_per_s,
/// loader_wait_s, seconds; empty fields were not measured.
class CsvTable {
 public:
  CsvTable(const std::filesystem::path& path, int epochs_done)
      : lines_(path, [epochs_done](const std::string& line) {
          char* end = nullptr;
          const long epoch = std::strtol(line.c_str(), &end, 10);
          return line == header ||
                 (std::count(line.begin(), line.end(), ',') == 8 && end != line.c_str() &&
                  *end == ',' && epoch >= 1 && epoch <= epochs_done);
        }) {
    if (lines_.empty()) lines_.add(header);
  }

  void operator()(const Progress& p) {
    if (!p.epoch_end) return;
    if (lines_.begun_anew()) lines_.add(header);
    const auto optional = [](const std::optional<double>& v) {
      return v ? nlohmann::json(*v).dump() : std::string();
    };
    std::string line = std::to_string(p.epoch + 1);
    for (const std::string& field :
         {optional(p.loss), optional(p.accuracy), optional(p.scores.clean), optional(p.scores.pgd),
          optional(p.lr), optional(p.images_per_second), optional(p.waited), optional(p.seconds)})
      line += "," + field;
    lines_.add(line);
  }

 private:
  static constexpr const char* header =
      "epoch,train_loss,train_acc,clean_acc,pgd_acc,lr,images_per_s,loader_wait_s,seconds";
  detail::Lines lines_;
};

}  // namespace rnx::inline RNX_ISA::train

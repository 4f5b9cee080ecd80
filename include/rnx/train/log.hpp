// Progress as files: log.jsonl (one JSON object a line, every few seconds and at the end of each
// epoch) and metrics.csv (one row an epoch). A resumed run continues them: what lies beyond the
// resumed step is dropped first, and so is a line that was cut. What was not measured, and what is
// no number, is null in the one and an empty field in the other.
#pragma once

#include <algorithm>
#include <cmath>
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

  /// Replaces what is there.
  bool begin_with(const std::string& line) {
    [[maybe_unused]] const int cut = ::ftruncate(file_->get(), 0);
    pending_.clear();
    return add(line);
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

/// The object of a line of log.jsonl; "values" holds the objective's terms by name.
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
  for (const NamedValue& v : p.values) line["values"][v.name] = v.value;
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
    lines_.add(
        progress_json(p).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  }

 private:
  detail::Lines lines_;
  double every_, shown_ = 0;
};

/// A callback for fit: epoch, train_loss, train_acc, clean_acc, pgd_acc, lr, images_per_s,
/// loader_wait_s, seconds, then a column for each of the objective's terms, by name; empty fields
/// were not measured. The first row decides which terms there are, a resumed file's header too:
/// terms that come later are in log.jsonl alone. Errors: FileError (the constructor); UsageError,
/// in the first call: a resumed file's header does not have the terms, or a name cannot be a
/// column's.
class CsvTable {
 public:
  CsvTable(const std::filesystem::path& path, int epochs_done)
      : what_(path.string()),
        lines_(path, [this, epochs_done](const std::string& line) {
          if (header_.empty()) return read_header(line);
          const long epoch = row_epoch(line);
          const bool kept = epoch >= 1 && epoch <= epochs_done;
          rows_ |= kept;
          return kept;
        }) {
    if (rows_) return;
    names_.clear();
    lines_.begin_with(header_ = base);
  }

  void operator()(const Progress& p) {
    if (!called_ || !rows_)
      for (const NamedValue& v : p.values) know(v.name);
    called_ = true;
    if (!p.epoch_end) return;
    if (lines_.begun_anew()) lines_.add(header_);
    if (!rows_) begin();
    std::string line = std::to_string(p.epoch + 1);
    for (const std::optional<double>& field :
         {std::optional(p.loss), std::optional(p.accuracy), p.scores.clean, p.scores.pgd,
          std::optional(p.lr), std::optional(p.images_per_second), std::optional(p.waited),
          std::optional(p.seconds)})
      line += "," + text(field);
    for (const std::string& name : names_) line += "," + text(value_of(name, p.values));
    lines_.add(line);
  }

 private:
  static constexpr const char* base =
      "epoch,train_loss,train_acc,clean_acc,pgd_acc,lr,images_per_s,loader_wait_s,seconds";

  static std::string text(const std::optional<double>& v) {
    return v && std::isfinite(*v) ? nlohmann::json(*v).dump() : std::string();
  }
  static std::optional<double> value_of(const std::string& name,
                                        const std::vector<NamedValue>& values) {
    for (const NamedValue& v : values)
      if (v.name == name) return v.value;
    return {};
  }
  static std::vector<std::string> fields(std::string_view line) {
    std::vector<std::string> list;
    for (std::size_t comma; (comma = line.find(',')) != line.npos; line.remove_prefix(comma + 1))
      list.emplace_back(line.substr(0, comma));
    list.emplace_back(line);
    return list;
  }
  /// Whether it is a header; takes it up.
  bool read_header(const std::string& line) {
    if (line != base && !line.starts_with(base + std::string(","))) return false;
    header_ = line;
    names_ = fields(line);
    names_.erase(names_.begin(), names_.begin() + long(fields(base).size()));
    return true;
  }
  /// 0: not a row.
  long row_epoch(const std::string& line) const {
    char* end = nullptr;
    const long epoch = std::strtol(line.c_str(), &end, 10);
    const bool fits = std::count(line.begin(), line.end(), ',') ==
                      std::count(header_.begin(), header_.end(), ',');
    return fits && end != line.c_str() && *end == ',' ? epoch : 0;
  }
  void begin() {
    header_ = base;
    for (const std::string& name : names_) header_ += "," + name;
    lines_.begin_with(header_);
    rows_ = true;
  }
  /// Until there is a row a name that is new becomes a column.
  void know(const std::string& name) {
    if (std::find(names_.begin(), names_.end(), name) != names_.end()) return;
    require(!rows_, [&] {
      std::string had;
      for (const std::string& n : names_) had += (had.empty() ? "" : ", ") + n;
      return what_ + ": its columns are for an objective with " +
             (had.empty() ? "no values" : "the values " + had) + ", this one reports " +
             io::in_quotes(name) + " too; another objective needs another file";
    });
    const auto splits = [](char c) {
      return c == ',' || c == '"' || static_cast<unsigned char>(c) < 0x20;
    };
    const std::vector<std::string> taken = fields(base);
    require(!name.empty() && std::none_of(name.begin(), name.end(), splits) &&
                std::find(taken.begin(), taken.end(), name) == taken.end(),
            [&] {
              return what_ + ": a value of the objective cannot be called " + io::in_quotes(name) +
                     " here: expected a name without commas and quotes that is no other column's";
            });
    names_.push_back(name);
  }

  std::string what_, header_;
  std::vector<std::string> names_;
  bool rows_ = false, called_ = false;
  detail::Lines lines_;
};

}  // namespace rnx::inline RNX_ISA::train

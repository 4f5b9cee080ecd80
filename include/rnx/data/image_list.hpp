// The images of a folder and their classes, by names alone: no file is opened. dir/train/CLASS/...,
// dir/test/CLASS/... (or dir/val/CLASS/...).
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>

#include "rnx/data/files.hpp"
#include "rnx/data/images.hpp"

namespace rnx::inline RNX_ISA::data {

/// Files that end in .jpg, .jpeg or .png (in any case), in subfolders too, also behind symbolic
/// links, in the order of classes, then of paths. Everything else is passed over and counted.
class ImageList {
 public:
  struct File {
    std::string path;  ///< relative to the root
    int label = 0;
    std::uint64_t bytes = 0;  ///< 0 until somebody opens it
  };

  /// Classes are `class_names` where they are given (a folder of test images alone is then numbered
  /// as the model was trained), else the subfolders of train/, or of the split's folder where there
  /// is no train/, in the order of their names.
  /// Errors: FileError (a missing folder, a subfolder that is no class, a class folder without
  /// images); UsageError (a class name twice).
  ImageList(const std::filesystem::path& dir, Split split,
            const std::vector<std::string>& class_names = {})
      : names_(class_names) {
    detail::require_folder(dir, "train/CLASS/ and test/CLASS/ or val/CLASS/, images in each");
    const bool test = detail::present(dir / "test") || !detail::present(dir / "val");
    root_ = dir / (split == Split::train ? "train" : test ? "test" : "val");
    detail::require_folder(root_, "a subfolder of images for each class");
    find_classes(dir / "train");
    find_files();
  }

  const std::filesystem::path& root() const { return root_; }  ///< the folder of the split
  const std::vector<std::string>& class_names() const { return names_; }
  const std::vector<File>& files() const { return files_; }
  /// What was passed over, by kind: an extension (".webp"), "hidden", "outside a class folder",
  /// "without an extension", ...
  const std::map<std::string, std::size_t>& passed_over() const { return passed_over_; }

  /// "train: 12 files are passed over: 10 .webp, 2 hidden"; empty where nothing was passed over.
  std::string passed_over_text() const {
    std::size_t count = 0;
    std::string kinds;
    for (const auto& [kind, files] : passed_over_) {
      count += files;
      kinds += (kinds.empty() ? "" : ", ") + std::to_string(files) + " " + kind;
    }
    if (count == 0) return {};
    return root_.string() + ": " + std::to_string(count) +
           (count == 1 ? " file is" : " files are") + " passed over: " + kinds;
  }

 private:
  using Entry = std::filesystem::directory_entry;

  static bool hidden(const Entry& entry) {
    return entry.path().filename().string().starts_with('.');
  }
  static bool folder(const Entry& entry) {
    std::error_code unknown;
    return entry.is_directory(unknown);
  }
  static std::string extension(const Entry& entry) {
    std::string text = entry.path().extension().string();
    for (char& c : text)
      if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    return text;
  }

  static std::vector<Entry> entries(const std::filesystem::path& folder) {
    std::vector<Entry> found;
    std::error_code error;
    std::filesystem::directory_iterator entry(folder, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
      found.push_back(*entry);
    require<FileError>(!error,
                       [&] { return folder.string() + ": cannot be listed: " + error.message(); });
    return found;
  }

  static std::vector<std::string> subfolders(const std::filesystem::path& of) {
    std::vector<std::string> names;
    for (const Entry& entry : entries(of))
      if (folder(entry) && !hidden(entry)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  void find_classes(const std::filesystem::path& train) {
    const bool given = !names_.empty();
    if (!given) names_ = subfolders(detail::present(train) ? train : root_);
    const auto& from = detail::present(train) ? train : root_;
    require<FileError>(!names_.empty(), [&] {
      return from.string() + ": expected a subfolder of images for each class, found none";
    });
    std::vector<std::string> sorted = names_;
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    require(twice == sorted.end(), [&] {
      return "ImageList: expected each class name once, found " + io::in_quotes(*twice) + " twice";
    });
    const std::string expected =
        given ? "the " + std::to_string(names_.size()) + " classes that are given"
              : "the classes of " + train.string();
    for (const std::string& name : subfolders(root_))
      require<FileError>(std::binary_search(sorted.begin(), sorted.end(), name), [&] {
        return root_.string() + ": expected " + expected + ", found " + io::in_quotes(name);
      });
  }

  void find_files() {
    for (const Entry& entry : entries(root_))
      if (hidden(entry))
        ++passed_over_["hidden"];
      else if (!folder(entry))
        ++passed_over_["outside a class folder"];
    const std::vector<std::string> present = subfolders(root_);
    for (int label = 0; label < int(names_.size()); ++label) {
      if (!std::binary_search(present.begin(), present.end(), names_[label]))
        continue;  // test images need not have every class
      const auto folder = root_ / names_[label];
      const std::size_t before = files_.size();
      find_files(folder, label);
      require<FileError>(files_.size() > before, [&] {
        return folder.string() + ": expected images (.jpg, .jpeg, .png), found none";
      });
      std::sort(files_.begin() + long(before), files_.end(),
                [](const File& a, const File& b) { return a.path < b.path; });
    }
    require<FileError>(!files_.empty(), [&] {
      return root_.string() + ": expected a subfolder of images for each class, found none";
    });
    require<FileError>(files_.size() < UINT32_MAX, [&] {
      return root_.string() + ": expected fewer than 2^32 images, found " +
             std::to_string(files_.size());
    });
  }

  void find_files(const std::filesystem::path& in, int label) {
    for (const Entry& entry : entries(in)) {
      const std::string ending = extension(entry);
      if (hidden(entry))
        ++passed_over_["hidden"];
      else if (folder(entry) && leads_back(entry))
        ++passed_over_["links to a folder that holds them"];
      else if (folder(entry))
        find_files(entry.path(), label);
      else if (ending == ".jpg" || ending == ".jpeg" || ending == ".png")
        files_.push_back(
            {.path = entry.path().lexically_relative(root_).generic_string(), .label = label});
      else
        ++passed_over_[ending.empty() ? "without an extension" : ending];
    }
  }

  /// Whether a folder is a link to one of those that it lies in: to follow it would never end.
  static bool leads_back(const Entry& entry) {
    std::error_code error;
    if (!entry.is_symlink(error)) return false;
    const auto target = std::filesystem::canonical(entry.path(), error);
    const auto place = std::filesystem::canonical(entry.path().parent_path(), error);
    return error || std::mismatch(target.begin(), target.end(), place.begin(), place.end()).first ==
                        target.end();
  }

  std::filesystem::path root_;
  std::vector<std::string> names_;
  std::vector<File> files_;
  std::map<std::string, std::size_t> passed_over_;
};

}  // namespace rnx::inline RNX_ISA::data

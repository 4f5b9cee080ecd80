#include <algorithm>
#include <set>

#include <rnx/data/corruption.hpp>
#include <rnx/data/npy.hpp>

#include "../tools/run_json.hpp"
#include "measure.hpp"

namespace rlnet {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

constexpr int severities = 5;

/// The first test images as bytes.
data::Images bytes_of(const data::Source& source, int n) {
  data::Images images{.n = n, .dims = source.dims(), .classes = source.classes()};
  std::vector<float> pixels(source.dims().count());
  for (int i = 0; i < n; ++i) {
    images.labels.push_back(source.label(std::uint32_t(i)));
    source.sample(std::uint32_t(i), {}, {}, pixels.data());
    for (const float v : pixels) images.pixels.push_back(std::uint8_t(255 * v + 0.5f));
  }
  return images;
}
std::vector<data::Picture> photographs(const std::string& folder) {
  std::vector<data::Picture> list;
  std::error_code error;
  std::set<fs::path> files;  // in order
  for (const auto& entry : fs::directory_iterator(folder, error)) files.insert(entry.path());
  for (const fs::path& file : files)
    if (file.extension() == ".jpg" || file.extension() == ".png")
      list.push_back(
          data::decode_image(io::read_file<std::vector<std::byte>>(file), file.string()));
  require(!list.empty(),
          [&] { return "--frost: " + folder + " holds no photographs (.jpg, .png) of frost"; });
  return list;
}

}  // namespace

Corrupted::Corrupted(const CorruptionPlace& place, const data::Source& test, int images,
                     bool tiny_constants, tools::Display& display)
    : folder_(place.official.empty() ? place.own : fs::path(place.official)),
      origin_(!place.official.empty() ? "official"
              : place.frost.empty()   ? "computed frost"
                                      : "frost photographs"),
      images_(images ? std::min<int>(images, int(test.size())) : int(test.size())),
      classes_(test.classes()) {
  for (std::size_t i = 0; i < test.size(); ++i) labels_.push_back(test.label(std::uint32_t(i)));
  if (place.official.empty()) make(place, test, tiny_constants, display);
  check_labels();
}

void Corrupted::make(const CorruptionPlace& place, const data::Source& test, bool tiny_constants,
                     tools::Display& display) {
  const Json what{{"program", "rnx-rlnet"},
                  {"of", test.fingerprint()},
                  {"images", images_},
                  {"frost", place.frost},
                  {"constants", tiny_constants ? "tiny-imagenet" : "cifar"}};
  tools::make_writable("--out", folder_);
  if (paper::is_there(folder_ / "corrupted.json")) {
    const std::string difference =
        tools::first_difference(paper::read_json(folder_ / "corrupted.json"), what);
    require(difference.empty(), [&] {
      return folder_.string() + ": it holds corrupted images of something else: " + difference;
    });
  }
  io::write_file(folder_ / "corrupted.json", tools::text_of(what));
  labels_.resize(std::size_t(images_));
  const std::vector<data::Picture> frost =
      place.frost.empty() ? std::vector<data::Picture>() : photographs(place.frost);
  const data::CorruptionOptions options{.constants = tiny_constants
                                                         ? data::corruption::Set::tiny_imagenet
                                                         : data::corruption::Set::cifar,
                                        .frost = frost};
  std::optional<data::Images> clean;
  for (int k = 0; k < data::corruption::benchmark_count; ++k) {
    const fs::path file = folder_ / (std::string(data::corruption::names[std::size_t(k)]) + ".npy");
    if (paper::is_there(file)) continue;
    tools::check_stop();
    display.phase("corrupting: " + file.stem().string());
    if (!clean) clean = bytes_of(test, images_);
    std::vector<std::uint8_t> pixels;
    for (int severity = 1; severity <= severities; ++severity) {
      const data::Images version = data::corrupt(*clean, data::Corruption(k), severity, 0, options);
      pixels.insert(pixels.end(), version.pixels.begin(), version.pixels.end());
    }
    const Dims d = test.dims();
    io::write_npy(
        file,
        {std::size_t(severities * images_), std::size_t(d.h), std::size_t(d.w), std::size_t(d.c)},
        pixels.data());
  }
  std::vector<std::int32_t> labels;
  for (int severity = 1; severity <= severities; ++severity)
    labels.insert(labels.end(), labels_.begin(), labels_.end());
  io::write_npy(folder_ / "labels.npy", {labels.size()}, labels.data());
  display.done();
}

void Corrupted::check_labels() const {
  const io::NpyFile file = io::NpyFile::read(folder_ / "labels.npy");
  std::vector<std::int32_t> found;
  data::detail::npy_classes(file, found);
  require<FileError>(found.size() == severities * labels_.size(), [&] {
    return fmt::format("{}: expected {} labels, those of the {} test images five times, found {}",
                       file.what(), severities * labels_.size(), labels_.size(), found.size());
  });
  for (std::size_t i = 0; i < found.size(); ++i)
    require<FileError>(found[i] == labels_[i % labels_.size()], [&] {
      return fmt::format("{}: label {} is {}, that of the test image {}", file.what(), i, found[i],
                         labels_[i % labels_.size()]);
    });
}

data::Images Corrupted::version(data::Corruption kind, int severity) const {
  const std::string name(data::corruption::names[std::size_t(kind)]);
  if (read_ != name) {
    all_ = data::load_npy(folder_ / (name + ".npy"), folder_ / "labels.npy");
    read_ = name;
  }
  require<FileError>(all_->labels.size() == severities * labels_.size(), [&] {
    return fmt::format("{}.npy: expected {} images, found {}", (folder_ / name).string(),
                       severities * labels_.size(), all_->n);
  });
  const std::size_t size = all_->dims.count(), first = std::size_t(severity - 1) * labels_.size();
  data::Images part{.n = images_, .dims = all_->dims, .classes = classes_};
  part.labels.assign(labels_.begin(), labels_.begin() + images_);
  const auto from = all_->pixels.begin() + std::ptrdiff_t(first * size);
  part.pixels.assign(from, from + std::ptrdiff_t(std::size_t(images_) * size));
  return part;
}

}  // namespace rlnet

#include "data_set.hpp"

#include <rnx/data/image_folder.hpp>

namespace tools {
namespace {

using namespace rnx;

/// Owns its images.
class Owned final : public data::Source {
 public:
  explicit Owned(data::Images images) : images_(std::move(images)), memory_(images_) {}
  std::size_t size() const override { return memory_.size(); }
  Dims dims() const override { return memory_.dims(); }
  int classes() const override { return memory_.classes(); }
  const std::vector<std::string>& class_names() const override { return memory_.class_names(); }
  int label(std::uint32_t id) const override { return memory_.label(id); }
  void sample(std::uint32_t id, const data::Augment* augment, std::uint64_t seed, std::uint64_t epoch, float* out) const override { memory_.sample(id, augment, seed, epoch, out); }
  std::string fingerprint() const override { return memory_.fingerprint(); }

 private:
  data::Images images_;
  data::Memory memory_;
};
std::unique_ptr<data::Source> owned(data::Images images) { return std::make_unique<Owned>(std::move(images)); }

/// n samples of a source that it owns, shuffled once and for all: folders come sorted by class, and "the first" are to be a fair sample of them.
class Shuffled final : public data::Source {
 public:
  Shuffled(std::unique_ptr<data::Source> whole, std::size_t n) : whole_(std::move(whole)), order_(data::epoch_order(whole_->size(), 0, 0)) { order_.resize(std::min(n, order_.size())); }
  std::size_t size() const override { return order_.size(); }
  Dims dims() const override { return whole_->dims(); }
  int classes() const override { return whole_->classes(); }
  const std::vector<std::string>& class_names() const override { return whole_->class_names(); }
  int label(std::uint32_t id) const override { return whole_->label(order_.at(id)); }
  void sample(std::uint32_t id, const data::Augment* augment, std::uint64_t seed, std::uint64_t epoch, float* out) const override { whole_->sample(order_.at(id), augment, seed, epoch, out); }
  std::string fingerprint() const override { return whole_->fingerprint() + "[shuffled:" + std::to_string(order_.size()) + "]"; }

 private:
  std::unique_ptr<data::Source> whole_;
  std::vector<std::uint32_t> order_;
};

}  // namespace

void DataOptions::add_to(CLI::App& cli) {
  cli.add_option("--dataset", dataset, "cifar10 | cifar100 | idx (MNIST, Fashion-MNIST) | image-folder | npy | synthetic (embedded: no --data)");
  cli.add_option("--data", dir, "folder of the data set");
  cli.add_option("--image-size", image_size, "image-folder: height and width of the images that the network sees");
  cli.add_flag("--skip-unreadable,!--no-skip-unreadable", skip_unreadable, "image-folder: leave out files that cannot be decoded, and name them");
  cli.add_flag("--check-images,!--no-check-images", check_images, "image-folder: decode every image once at the start; else headers only");
}

DataSet open_data(const DataOptions& o, bool want_train, bool want_test) {
  require_known("--dataset", o.dataset, {"cifar10", "cifar100", "idx", "image-folder", "npy", "synthetic"});
  require(o.dataset == "synthetic" || !o.dir.empty(), [&] { return "--data: the folder of " + o.dataset + " is needed (--dataset synthetic needs none)"; });
  require(o.n_train >= 0 && o.n_test >= 0, "--n-train and --n-test must not be negative");
  DataSet set{.name = o.dataset, .train = nullptr, .test = nullptr, .statistics = {}, .skipped = {}};
  const auto read = [&](data::Split split) -> std::unique_ptr<data::Source> {
    const std::size_t n = std::size_t(split == data::Split::train ? o.n_train : o.n_test);
    if (o.dataset == "cifar10") return owned(data::load_cifar10(o.dir, split, n));
    if (o.dataset == "cifar100") return owned(data::load_cifar100(o.dir, split, n));
    if (o.dataset == "idx") return owned(data::load_idx(o.dir, split, n));
    if (o.dataset == "npy") return owned(data::load_npy(o.dir, split, n));
    if (o.dataset == "synthetic") return owned(data::synthetic(split, n));
    auto folder = std::make_unique<data::ImageFolder>(o.dir, split, data::ImageFolderOptions{.dims = {3, o.image_size, o.image_size}, .skip_unreadable = o.skip_unreadable, .decode_all = o.check_images});
    for (const auto& s : folder->skipped()) set.skipped.push_back(s);
    const std::size_t all = folder->size();
    return std::make_unique<Shuffled>(std::move(folder), n ? n : all);
  };
  if (want_train) set.train = read(data::Split::train);
  if (want_test) set.test = read(data::Split::test);

  if (o.dataset == "cifar10") set.statistics = {{.4914f, .4822f, .4465f}, {.2471f, .2435f, .2616f}};
  else if (o.dataset == "cifar100") set.statistics = {{.5071f, .4867f, .4408f}, {.2675f, .2565f, .2761f}};
  else if (set.train) set.statistics = data::statistics(*set.train);
  if (o.dataset == "idx") set.augment = {.pad = 2, .crop = true, .flip = false};  // digits and letters have a handedness
  if (o.dataset == "synthetic") set.augment = data::synthetic_augment();
  return set;
}

}  // namespace tools

#include "data_set.hpp"

#include <algorithm>
#include <numeric>

#include <rnx/data/grouped.hpp>
#include <rnx/data/image_folder.hpp>
#include <rnx/io.hpp>
#include <rnx/io/npy.hpp>

namespace tools {
namespace {

using namespace rnx;

std::string shown(const std::vector<std::string>& names) {
  const std::size_t few = std::min<std::size_t>(names.size(), 8);
  return fmt::format("{}{}", fmt::join(names.begin(), names.begin() + long(few), ", "),
                     few < names.size() ? ", ..." : "");
}

/// Labels of arrays mean what the weights' labels meant: names that contradict are refused, missing
/// ones are filled in.
void number_as(const std::vector<std::string>& names, const DataOptions& o, data::Images& images) {
  if (names.empty() || (o.dataset != "npy" && o.dataset != "idx")) return;
  require<FileError>(images.class_names.empty() || images.class_names == names, [&] {
    return fmt::format("{}: expected the classes of the weights ({}), found {} in class_names.txt",
                       o.dir, shown(names), shown(images.class_names));
  });
  const int greatest =
      images.labels.empty() ? 0 : *std::max_element(images.labels.begin(), images.labels.end());
  require<FileError>(greatest < int(names.size()), [&] {
    return fmt::format(
        "{}: expected labels below {}, as the weights have so many classes, found {}", o.dir,
        names.size(), greatest);
  });
  images.classes = int(names.size());
  images.class_names = names;
}

/// The super-classes that --groups names. Errors: FileError, UsageError.
std::vector<data::Group> groups_of(const DataOptions& o) {
  if (o.groups == "restricted-imagenet") return data::restricted_imagenet();
  std::vector<data::Group> groups;
  const Settings file = read_settings_file(o.groups);
  for (const auto& item : file.values.items()) {
    groups.push_back({item.key(), {}});
    for (const Json& c : item.value()) {
      require<FileError>(item.value().is_array() && c.is_number_integer(), [&] {
        return fmt::format("{}: expected lists of numbers of classes, found {} for {}", o.groups,
                           item.value().dump(), item.key());
      });
      groups.back().classes.push_back(c.get<int>());
    }
  }
  return groups;
}

data::Images load(const DataOptions& o, data::Split split) {
  if (o.dataset == "cifar10") return data::load_cifar10(o.dir, split);
  if (o.dataset == "cifar100") return data::load_cifar100(o.dir, split);
  return o.dataset == "idx" ? data::load_idx(o.dir, split) : data::load_npy(o.dir, split);
}

const char* name_of(data::Split split) { return split == data::Split::train ? "training" : "test"; }

/// The first n images of an array (0: all), in its order where that is mixed: then they are what
/// they are without a shuffle, bit for bit.
std::unique_ptr<data::Source> read_array(const DataOptions& o, data::Split split, std::size_t n,
                                         std::vector<std::string>& notes) {
  data::Images images = load(o, split);
  number_as(o.class_names, o, images);
  const std::size_t all = std::size_t(images.n), wanted = n ? std::min(n, all) : all;
  if (!data::is_mixed(images.labels, images.classes)) {
    notes.push_back(fmt::format(
        "{}: the {} images do not come in a mixed order of classes; they were shuffled once", o.dir,
        name_of(split)));
    return std::make_unique<data::Shuffled>(std::make_unique<data::Memory>(std::move(images)),
                                            wanted);
  }
  if (wanted < all) {
    images.n = int(wanted);
    images.labels.resize(wanted);
    images.pixels.resize(wanted * images.dims.count());
    images.pixels.shrink_to_fit();
  }
  return std::make_unique<data::Memory>(std::move(images));
}

std::unique_ptr<data::Source> read_folder(const DataOptions& o, data::Split split, std::size_t n,
                                          DataSet& set) {
  data::ImageFolderOptions options{.dims = {3, o.image_size, o.image_size},
                                   .resize = o.resize,
                                   .skip_unreadable = o.skip_unreadable,
                                   .decode_all = o.check_images};
  if (o.groups.empty()) options.class_names = o.class_names;
  auto folder = std::make_unique<data::ImageFolder>(o.dir, split, options);
  set.skipped.insert(set.skipped.end(), folder->skipped().begin(), folder->skipped().end());
  if (const std::string text = folder->list().passed_over_text(); !text.empty())
    set.notes.push_back(text);
  std::unique_ptr<data::Source> images = std::move(folder);
  if (!o.groups.empty()) images = std::make_unique<data::Grouped>(std::move(images), groups_of(o));
  const std::size_t all = images->size();
  return std::make_unique<data::Shuffled>(std::move(images), n ? n : all);
}

void check(const DataOptions& o) {
  require_known("--dataset", o.dataset,
                {"cifar10", "cifar100", "idx", "image-folder", "npy", "synthetic"});
  require(o.dataset == "synthetic" || !o.dir.empty(), [&] {
    return "--data: the folder of " + o.dataset + " is needed (--dataset synthetic needs none)";
  });
  require(o.n_train >= 0 && o.n_test >= 0, "--n-train and --n-test must not be negative");
  require(o.mean.size() == o.std.size(), [&] {
    return fmt::format("--mean and --std: expected as many numbers of both, found {} and {}",
                       o.mean.size(), o.std.size());
  });
  for (const double v : o.mean)
    require(v >= 0 && v <= 1, [&] {
      return fmt::format("--mean: expected numbers from 0 to 1, as pixels are, found {}", v);
    });
  for (const double v : o.std)
    require(float(v) > 0 && v <= 1,
            [&] { return fmt::format("--std: expected numbers above 0, up to 1, found {}", v); });
  require(o.groups.empty() || o.dataset == "image-folder",
          [&] { return "--groups: it is for image-folder, not for " + o.dataset; });
  require(o.resize == 0 || o.resize >= o.image_size, [&] {
    return fmt::format("--resize: expected at least --image-size, {} pixels, found {}",
                       o.image_size, o.resize);
  });
}

}  // namespace

void DataOptions::add_to(CLI::App& cli) {
  cli.add_option("--dataset", dataset,
                 "cifar10 | cifar100 | idx (MNIST, Fashion-MNIST) | image-folder | npy | synthetic "
                 "(embedded: no --data)");
  cli.add_option("--data", dir, "folder of the data set");
  cli.add_option("--groups", groups,
                 "image-folder: super-classes, whose images alone are taken: restricted-imagenet, "
                 "or a TOML or JSON file of lists of class numbers by name");
  add_reals(cli, "--mean", mean, {.most = 1},
            "of the channels in [0, 1], like 0.49,0.48,0.45, for weights without a normalisation "
            "and for training");
  add_reals(cli, "--std", std, {.most = 1}, "standard deviation of the channels, like --mean");
  add_whole(cli, "--image-size", image_size, {.least = 1, .most = 4096},
            "image-folder: height and width of the images that the network sees");
  add_whole(cli, "--resize", resize, {.most = 4096},
            "image-folder: pixels of the shorter side before the crop, like 256 for 224 of "
            "ImageNet (0: --image-size)");
  add_switch(cli, "skip-unreadable", skip_unreadable,
             "image-folder: leave out files that cannot be decoded, and name them");
  add_switch(cli, "check-images", check_images,
             "image-folder: decode every image once at the start; else headers only");
}

data::Augment Augmentation::operations() const {
  data::Augment list;
  if (crop) list.add(data::RandomCrop{.pad = pad});
  if (flip) list.add(data::HorizontalFlip{});
  return list;
}

DataFacts describe_data(const DataOptions& o, bool want_train, bool want_test) {
  check(o);
  DataFacts facts;
  const auto describe = [&](data::Split split) -> SplitFacts {
    if (o.dataset == "image-folder") {
      const bool grouped = !o.groups.empty();
      const data::ImageList list(o.dir, split,
                                 grouped ? std::vector<std::string>{} : o.class_names);
      if (grouped) {
        const std::vector<data::Group> groups = groups_of(o);
        data::Grouped::numbers(int(list.class_names().size()), groups);
        facts.class_names.clear();
        for (const data::Group& g : groups) facts.class_names.push_back(g.name);
        return {.n = 0, .dims = {3, o.image_size, o.image_size}, .classes = int(groups.size())};
      }
      facts.class_names = list.class_names();
      return {.n = list.files().size(),
              .dims = {3, o.image_size, o.image_size},
              .classes = int(list.class_names().size())};
    }
    if (o.dataset == "npy" || o.dataset == "idx") {
      data::Images images =
          o.dataset == "npy" ? data::describe_npy(o.dir, split) : data::describe_idx(o.dir, split);
      number_as(o.class_names, o, images);
      facts.class_names = images.class_names;
      return {.n = std::size_t(images.n), .dims = images.dims, .classes = images.classes};
    }
    return {.n = 0, .dims = {3, 32, 32}, .classes = o.dataset == "cifar100" ? 100 : 10};
  };
  if (want_train) facts.train = describe(data::Split::train);
  if (want_test) facts.test = describe(data::Split::test);
  return facts;
}

DataSet open_data(const DataOptions& o, bool want_train, bool want_test) {
  check(o);
  DataSet set{
      .name = o.dataset, .train = nullptr, .test = nullptr, .statistics = {}, .skipped = {}};
  const auto read = [&](data::Split split) -> std::unique_ptr<data::Source> {
    const auto n = std::size_t(split == data::Split::train ? o.n_train : o.n_test);
    if (o.dataset == "synthetic") return std::make_unique<data::Memory>(data::synthetic(split, n));
    return o.dataset == "image-folder" ? read_folder(o, split, n, set)
                                       : read_array(o, split, n, set.notes);
  };
  if (want_train) set.train = read(data::Split::train);
  if (want_test) set.test = read(data::Split::test);

  if (!o.mean.empty())
    set.statistics = {{o.mean.begin(), o.mean.end()}, {o.std.begin(), o.std.end()}};
  else if (o.dataset == "cifar10")
    set.statistics = {{.4914f, .4822f, .4465f}, {.2471f, .2435f, .2616f}};
  else if (o.dataset == "cifar100")
    set.statistics = {{.5071f, .4867f, .4408f}, {.2675f, .2565f, .2761f}};
  else if (set.train)
    set.statistics = data::statistics(*set.train);
  const auto channels = std::size_t((set.train ? *set.train : *set.test).dims().c);
  require(o.mean.empty() || o.mean.size() == channels, [&] {
    return fmt::format("--mean: expected {} numbers, one of each channel, found {}", channels,
                       o.mean.size());
  });
  if (o.dataset == "idx")
    set.augment = {.pad = 2, .crop = true, .flip = false};  // digits and letters have a handedness
  // shapes are drawn with shifts already, and a flip would turn half of the diagonals over
  if (o.dataset == "synthetic") set.augment = {.pad = 0, .crop = false, .flip = false};
  return set;
}

void write_logits(const std::string& path, const eval::Accuracy& accuracy) {
  const std::size_t n = accuracy.samples.size(), classes = n ? accuracy.logits.size() / n : 0;
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return accuracy.origin(a) < accuracy.origin(b); });
  std::vector<float> rows;
  for (const std::size_t i : order)
    rows.insert(rows.end(), accuracy.logits.begin() + long(i * classes),
                accuracy.logits.begin() + long((i + 1) * classes));
  io::write_npy(path, {n, classes}, rows.data());
}

void load_weights(const std::string& program, const std::string& file, NetworkBase<float>& net,
                  const data::Statistics& statistics) {
  const io::Loaded loaded =
      io::load_model(file, net, {.keep_normalization = !statistics.mean.empty()});
  if (!loaded.prefix.empty())
    complain(fmt::format("{}: {}: all names begin with {}, which is taken off", program, file,
                         loaded.prefix));
  if (loaded.kept_normalization)
    complain(fmt::format(
        "{}: {}: there is no normalisation in the file; taken are mean {} and std {}", program,
        file, fmt::join(statistics.mean, ","), fmt::join(statistics.std, ",")));
}

}  // namespace tools

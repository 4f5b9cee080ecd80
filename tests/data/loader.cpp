// The loader: the same batches as make_batch gives, for any number of threads and any place to
// start; errors; shutdown.
#include "rnx/data/loader.hpp"

#include <doctest/doctest.h>

#include <rnx/tensor/xtensor.hpp>

#include "rnx/data/selection.hpp"
#include "support/error_of.hpp"

namespace {

using namespace rnx;
using data::Batch;
using data::Images;
using data::Loader;
using data::LoaderOptions;
using data::Memory;

Images images_of(int n, Dims dims) {
  Images images{.n = n, .dims = dims, .classes = 7};
  for (std::size_t i = 0; i < n * dims.count(); ++i)
    images.pixels.push_back(std::uint8_t(1 + (i * 53 + i / 255) % 255));
  for (int i = 0; i < n; ++i) images.labels.push_back(i * 5 % 7);
  return images;
}

/// Refuses one sample from some epoch on; counts.
struct Broken final : data::Source {
  const Memory whole;
  std::uint32_t bad;
  std::uint64_t from;
  mutable std::atomic<int> read = 0;
  std::chrono::milliseconds pause{0};
  Broken(const Images& images, std::uint32_t id, std::uint64_t epoch = 0)
      : whole(images),
        bad(id),
        from(epoch) {}
  std::size_t size() const override { return whole.size(); }
  Dims dims() const override { return whole.dims(); }
  int classes() const override { return whole.classes(); }
  const std::vector<std::string>& class_names() const override { return whole.class_names(); }
  int label(std::uint32_t id) const override { return whole.label(id); }
  void sample(std::uint32_t id, const data::Augment& augment, const data::Key& key,
              float* out) const override {
    ++read;
    std::this_thread::sleep_for(pause);
    if (id == bad && key.epoch >= from) throw FileError("picture.png: cannot be opened");
    whole.sample(id, augment, key, out);
  }
  std::string fingerprint() const override { return whole.fingerprint(); }
};

}  // namespace

TEST_CASE(
    "batches are make_batch's, whatever the threads, the distance ahead and the place to start") {
  const Images images = images_of(23, {3, 6, 5});
  const Memory source(images);
  const data::Augment augment = data::crop_and_flip(2);
  for (const bool shuffle : {true, false})
    for (const bool augmented : {true, false})
      for (const int threads : {1, 2, 3})
        for (const int ahead : {1, 2, 7})
          for (const int start : {0, 3, 5, 6}) {  // 6 steps in an epoch
            LoaderOptions options{
                .batch = 4, .seed = 11, .shuffle = shuffle, .threads = threads, .ahead = ahead};
            options.views = {augmented ? augment : data::Augment{}};
            Loader loader(source, options, 2, start);
            REQUIRE(loader.steps_in_epoch() == 6);
            int wrong = 0;
            for (int k = start; k < start + 14; ++k) {
              const Batch& batch = loader.next();
              const long epoch = 2 + k / 6, step = k % 6;
              auto order = data::epoch_order(23, 11, epoch);
              for (std::uint32_t i = 0; i < 23 && !shuffle; ++i) order[i] = i;
              const std::vector<std::uint32_t> ids(order.begin() + 4 * step,
                                                   order.begin() + std::min(23L, 4 * step + 4));
              std::vector<float> pixels(ids.size() * 90);
              std::vector<std::int32_t> labels(ids.size());
              data::make_batch(images, ids, options.views[0], {11, std::uint64_t(epoch)},
                               pixels.data(), labels.data());
              wrong += batch.epoch != epoch || batch.step != step || batch.n != int(ids.size()) ||
                       batch.dims != images.dims;
              wrong += batch.ids != ids || batch.labels != labels || batch.views[0] != pixels;
            }
            CHECK(wrong == 0);
            CHECK(loader.waited() >= 0);
          }
}

TEST_CASE("views: each is what a loader of its own key gives, and leaves the first as it is") {
  const Images images = images_of(53, {3, 6, 5});
  const Memory source(images);
  const std::vector<data::Augment> views{data::crop_and_flip(2), data::crop_and_flip(2),
                                         data::Augment{}, data::Cutout{.size = 3}};
  for (const int threads : {1, 2, 500}) {  // 2000 are 1024
    Loader alone(source, {.batch = 40, .seed = 5, .views = {views[0]}}),
        together(source, {.batch = 40, .seed = 5, .views = views, .threads = threads});
    for (int k = 0; k < 6; ++k) {
      const Batch& one = alone.next();
      const Batch& all = together.next();
      REQUIRE(all.views.size() == 4);
      CHECK(all.ids == one.ids);
      CHECK(all.labels == one.labels);
      CHECK(all.views[0] == one.views[0]);
      CHECK(all.views[1] != all.views[0]);  // the same augmentation, drawn again
      for (std::uint32_t v = 0; v < 4; ++v) {
        std::vector<float> x(all.ids.size() * 90);
        data::make_batch(images, all.ids, views[v], {5, std::uint64_t(all.epoch), v}, x.data(),
                         nullptr);
        CHECK(all.views[v] == x);
        CHECK(all.view(v).data == all.views[v].data());
      }
    }
  }
}

TEST_CASE("a source that writes all views at once is asked once a sample") {
  struct Once final : data::Source {
    const Memory whole;
    mutable std::atomic<int> asked = 0;
    explicit Once(const Images& images) : whole(images) {}
    std::size_t size() const override { return whole.size(); }
    Dims dims() const override { return whole.dims(); }
    int classes() const override { return whole.classes(); }
    const std::vector<std::string>& class_names() const override { return whole.class_names(); }
    int label(std::uint32_t id) const override { return whole.label(id); }
    void sample(std::uint32_t, const data::Augment&, const data::Key&, float*) const override {
      throw UsageError("one view alone");
    }
    void views(std::uint32_t id, std::span<const data::Augment> augments, data::Key key,
               std::span<float* const> out) const override {
      ++asked;
      whole.views(id, augments, key, out);
    }
    std::string fingerprint() const override { return whole.fingerprint(); }
  };
  const Images images = images_of(10, {1, 2, 2});
  const Once source(images);
  const data::Part part(source, 0, 10);  // selections pass it on
  {
    Loader loader(part, {.batch = 10, .views = {data::Augment{}, data::Augment{}}, .ahead = 1});
    const Batch& batch = loader.next();
    CHECK(batch.views[0] == batch.views[1]);
  }
  CHECK(source.asked >= 10);
  CHECK(source.asked <= 20);
}

TEST_CASE("the last batch of an epoch has what is left") {
  for (const int n : {1, 7, 8, 9}) {
    const Images images = images_of(n, {1, 2, 2});
    const Memory source(images);
    Loader loader(source, {.batch = 8, .views = {data::Augment{}}, .threads = 2});
    CHECK(loader.steps_in_epoch() == (n > 8 ? 2 : 1));
    for (int epoch = 0; epoch < 3; ++epoch) {
      int seen = 0;
      for (long step = 0; step < loader.steps_in_epoch(); ++step) seen += loader.next().n;
      CHECK(seen == n);
    }
  }
}

TEST_CASE("a batch is a view, and an xtensor expression") {
  const Images images = images_of(5, {3, 4, 2});
  const Memory source(images);
  Loader loader(source, {.batch = 5, .views = {data::Augment{}}, .shuffle = false});
  const Batch& batch = loader.next();
  const View<const float, cpu> view = batch.view();
  CHECK(view.n == 5);
  CHECK(view.dims == Dims{3, 4, 2});
  CHECK(view.dense());
  const auto x = as_xtensor(view);  // (n, h, w, c)
  CHECK(x.shape()[0] == 5);
  CHECK(x.shape()[1] == 4);
  CHECK(x.shape()[3] == 3);
  CHECK(x(1, 2, 1, 0) == images.pixels[24 + 2 * 6 + 3] / 255.0f);
}

TEST_CASE("what a thread throws arrives at its batch, and stays") {
  const Images images = images_of(20, {1, 2, 2});
  for (const int threads : {1, 3}) {
    const Broken source(images, 9, 1);  // epoch 1, the third batch
    Loader loader(
        source,
        {.batch = 4, .views = {data::Augment{}}, .shuffle = false, .threads = threads, .ahead = 4});
    for (int k = 0; k < 7; ++k) CHECK(loader.next().step == k % 5);
    for (int k = 0; k < 3; ++k)
      CHECK(support::error_of<FileError>([&] { loader.next(); }) ==
            "picture.png: cannot be opened");
  }
}

TEST_CASE(
    "destroying a loader waits for samples, not for batches; threads do not run ahead further than "
    "asked") {
  const Images images = images_of(1000, {1, 4, 4});
  for (const int threads : {1, 3}) {
    Broken source(images, 1000);
    source.pause = std::chrono::milliseconds(5);
    {
      const Loader loader(source, {.batch = 1000, .threads = threads});
      std::this_thread::sleep_for(std::chrono::milliseconds(30));
    }
    CHECK(source.read < 500);  // a batch would be 1000
    Broken bounded(images, 1000);
    {
      Loader loader(bounded, {.batch = 10, .threads = threads, .ahead = 2});
      loader.next();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      CHECK(bounded.read <= 30);
      CHECK(loader.waited() >= 0);
    }
    const Broken broken(images, 0);  // the threads throw, nobody asks
    const Loader unused(
        broken, {.batch = 10, .views = {data::Augment{}}, .shuffle = false, .threads = threads});
  }
}

TEST_CASE("waiting is counted") {
  const Images images = images_of(4, {1, 4, 4});
  Broken source(images, 4);
  source.pause = std::chrono::milliseconds(20);
  Loader loader(source, {.batch = 1, .ahead = 1});
  for (int k = 0; k < 3; ++k) loader.next();
  CHECK(loader.waited() > 0.02);
}

TEST_CASE("a loader refuses what it cannot do") {
  const Images images = images_of(20, {1, 2, 2}), none = images_of(0, {1, 2, 2});
  const Memory source(images), empty(none);
  const auto refused = [](const data::Source& from, LoaderOptions options, long epoch = 0,
                          long step = 0) {
    return support::error_of<UsageError>([&] { Loader loader(from, options, epoch, step); });
  };
  CHECK(refused(empty, {}) == "Loader: expected from 1 to 2^32 - 1 samples, found 0");
  CHECK(refused(source, {.batch = 0}) == "Loader: expected a batch of at least 1, found 0");
  for (const int threads : {0, -5, 1025, 1'000'000})
    CHECK(refused(source, {.threads = threads}) ==
          "Loader: expected threads from 1 to 1024, found " + std::to_string(threads));
  CHECK(refused(source, {.ahead = -1}) == "Loader: expected ahead of at least 1, found -1");
  CHECK(refused(source, {}, -1) == "Loader: expected a first epoch of at least 0, found -1");
  CHECK(refused(source, {}, 0, -2) == "Loader: expected a first step of at least 0, found -2");
  CHECK(refused(source, {.batch = 4}, 0, 6) ==
        "Loader: expected a first step of at most 5, the steps of an epoch, found 6");
  CHECK(refused(source, {.views = {data::Augment{}, data::crop_and_flip(5)}}) ==
        "crop: expected a pad from 0 to 2, found 5");
  LoaderOptions blind;
  blind.views.clear();
  CHECK(refused(source, blind) == "Loader: expected a number of views of at least 1, found 0");
}

// A data set: a Source that makes its images on demand. It trains, is attacked, augmented and
// selected from like those of the library.
#include <rnx/rnx.hpp>

#include <cstdio>

using namespace rnx;

/// Grey images of 16 x 16, computed from their number: bars that stand, lie, or cross.
class Bars final : public data::Source {
 public:
  explicit Bars(std::size_t n) : n_(n) {}

  std::size_t size() const override { return n_; }
  Dims dims() const override { return {1, 16, 16}; }
  int classes() const override { return int(names_.size()); }
  const std::vector<std::string>& class_names() const override { return names_; }
  int label(std::uint32_t id) const override { return int(id % 3); }

  /// Called by several threads: nothing here changes. An id that is not there is refused.
  void sample(std::uint32_t id, const data::Augment& augment, const data::Key& key,
              float* out) const override {
    require(id < n_, [&] { return "Bars: expected ids below " + std::to_string(n_); });
    std::vector<std::uint8_t> bytes(dims().count());  // (h, w, c), channels innermost
    paint(id, bytes.data());
    // what an augmentation needs of a picture: here all of it, whatever part it asks for
    const auto read = [&](const data::Patch&) { return data::Patch{bytes.data(), 0, 0, 16, 16}; };
    data::make_sample({.h = 16, .w = 16, .sample = dims()}, augment, key, id, read, out);
  }
  /// Tells it from another one: checkpoints refuse to go on with other data.
  std::string fingerprint() const override {
    return Checksum().add("bars 1 " + std::to_string(n_)).text();
  }

 private:
  void paint(std::uint32_t id, std::uint8_t* out) const {
    const rng::Stream random(7, Purpose::data, 0, id);  // a value of (seed, id, index) alone
    const int kind = label(id), at = 3 + int(random.bits(256) % 10);
    for (int y = 0; y < 16; ++y)
      for (int x = 0; x < 16; ++x) {
        const bool bar = (kind != 1 && std::abs(x - at) < 2) || (kind != 0 && std::abs(y - at) < 2);
        out[16 * y + x] = std::uint8_t((bar ? 150 : 60) + random.bits(16 * y + x) % 60);
      }
  }
  std::size_t n_;
  std::vector<std::string> names_{"stands", "lies", "crosses"};
};

using Net = Network<
    Sequential<Named<"conv1", Conv<8, 3>>, Named<"bn1", BatchNorm<>>, Named<"relu1", act::Relu>,
               Named<"pool1", MaxPool<2>>, Named<"conv2", Conv<8, 3>>, Named<"bn2", BatchNorm<>>,
               Named<"relu2", act::Relu>, GlobalAveragePool, Named<"fc", Linear<3>>>,
    Shape<1, 16, 16>>;

int main() {
  const Bars bars(600);
  const data::Part train_set(bars, 0, 450), test_set(bars, 450, 150);  // selections are sources
  std::vector<float> one(256), two(256);
  bars.sample(455, data::crop_and_flip(2), {.seed = 1, .epoch = 3}, one.data());
  test_set.sample(5, data::crop_and_flip(2), {.seed = 1, .epoch = 3}, two.data());
  const bool same = one == two;  // a part draws what the whole does

  Net net(1);
  optim::Sgd sgd({.momentum = 0.9});
  train::fit(net, train_set, train::Natural{}, sgd,
             {.epochs = 4,
              .batch = 30,
              .seed = 1,
              .augment = data::crop_and_flip(2),
              .schedule = optim::Cosine{.base = 0.1}});
  const double clean = eval::accuracy(net, test_set).clean();
  std::printf("fingerprint %s, accuracy %.2f\n", bars.fingerprint().c_str(), clean);
  return same && clean > 0.8 ? 0 : 1;
}

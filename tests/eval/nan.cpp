// A network that is not finite has no accuracy.
#include <doctest/doctest.h>

#include "rnx/models.hpp"
#include "rnx/rnx.hpp"
#include "support/error_of.hpp"

using namespace rnx;

namespace {

using Net = Network<models::ResNet20<>, Shape<3, 32, 32>>;

/// Every element of a parameter or buffer becomes `value`.
void spoil(Net& net, const std::string& name, float value) {
  net.set(name, std::vector<float>(net.get(name).values.size(), value));
}

/// Its forward is finite, its gradient is not.
struct Broken {
  static constexpr const char* name = "broken";
  static constexpr functor::Reads reads = functor::Reads::input;
  static constexpr bool relu = false;
  template <class T> static T forward(T x) { return x; }
  template <class T> static T derivative(T x) { return x - x + T(NAN); }
};

}  // namespace

TEST_CASE("a network with a NaN or a negative variance has no accuracy") {
  const data::Images images = data::synthetic(data::Split::test, 6);
  const attack::Pgd<> pgd{.steps = 1};
  CHECK(eval::accuracy(Net(1), images, pgd).samples.size() == 6);
  struct Case {
    std::string name;
    float value;
  };
  for (const Case& bad : {Case{"conv1.weight", NAN}, Case{"layer3.2.conv2.weight", NAN},
                          Case{"bn1.weight", NAN}, Case{"layer1.0.bn1.bias", NAN},
                          Case{"layer2.0.bn1.running_mean", NAN}, Case{"bn1.running_var", NAN},
                          Case{"layer2.1.bn2.running_var", -1}, Case{"fc.bias", INFINITY}}) {
    CAPTURE(bad.name);
    Net net(1);
    spoil(net, bad.name, bad.value);
    const auto score = [&] { eval::accuracy(net, images); };
    CHECK(support::error_of<NumericError>(score) == "eval: the network's logits are not finite");
  }
}

TEST_CASE("samples without labels have predictions and logits, but no accuracy and no attack") {
  data::Images images = data::synthetic(data::Split::test, 6);
  const Net net(1);
  const eval::Accuracy known = eval::accuracy(net, images, {.batch = 4, .keep_logits = true});
  images.labels.clear();
  const eval::Accuracy unknown = eval::accuracy(net, images, {.batch = 4, .keep_logits = true});
  CHECK(unknown.logits == known.logits);
  REQUIRE(unknown.samples.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(unknown.samples[i].clean == known.samples[i].clean);
    CHECK(unknown.samples[i].label == data::no_label);
    CHECK_FALSE(unknown.samples[i].robust);
  }
  CHECK(std::isnan(unknown.clean()));
  CHECK(std::isnan(unknown.robust()));
  CHECK_FALSE(std::isnan(known.clean()));
  const attack::Pgd<> pgd{.steps = 1};
  CHECK(support::error_of<UsageError>([&] { eval::accuracy(net, images, pgd); }) ==
        "eval: an attack: expected samples with labels, found none of sample 0");
}

TEST_CASE("an attack whose gradient is NaN is an error, not a robust network") {
  using Small = Network<Sequential<Conv<4, 3>, Activation<Broken>, GlobalAveragePool, Linear<10>>,
                        Shape<3, 32, 32>>;
  const data::Images images = data::synthetic(data::Split::test, 2);
  const Small net(1);
  const attack::Pgd<norm::Linf> linf{.steps = 2};
  const attack::Pgd<norm::L2> l2{.eps = 0.5, .step = 0.1, .steps = 2};
  const auto with = [&](const auto& attack) {
    return support::error_of<NumericError>([&] { eval::accuracy(net, images, attack); });
  };
  CHECK(with(linf) == "attack: image 0 holds nan, outside [0, 1]");
  CHECK(with(l2) == "attack: image 0 holds nan, outside [0, 1]");
  const std::vector<float> moved(4, .5f), clean{.5f, NAN, .5f, .5f};
  CHECK(support::error_of<NumericError>([&] {
          attack::verify<norm::Linf, float>(clean, moved, 2, .1);
        }) == "attack: clean image 0 holds nan, expected finite pixels");
}

TEST_CASE("the largest logit is the first NaN where there is one") {
  const std::vector<float> finite{1, 3, 3, 2}, infinite{1, INFINITY, 3, -INFINITY},
      first{NAN, 3, 1, NAN}, later{1, 3, NAN, 5};
  CHECK(argmax(finite.data(), 4) == 1);
  CHECK(argmax(infinite.data(), 4) == 1);
  CHECK(argmax(first.data(), 4) == 0);
  CHECK(argmax(later.data(), 4) == 2);
}

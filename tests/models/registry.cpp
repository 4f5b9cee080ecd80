// The registry: a family under several shapes and numbers of classes, and the sentences where there
// is none.
#include "support/error_of.hpp"

#include <doctest/doctest.h>

#include <rnx/loss.hpp>
#include <rnx/models.hpp>

using namespace rnx;
template <int Classes, int Width = 4>
using Tiny = models::Classifier<models::Convolutions<>, Classes, Named<"conv1", Conv<Width, 3>>,
                                Named<"relu", act::Relu>>;
template <int Classes>
using OfBases = models::Classifier<models::Convolutions<>, Classes,
                                   Named<"conv1", Conv<4, 3, quant::MultiBit<at_run_time>,
                                                       quant::MultiBitActivation<at_run_time>>>>;
RNX_REGISTER_MODEL("told{M}x{N}", OfBases, (3, 8, 8));
#line 1000  // registry_other.cpp registers on the same line
RNX_REGISTER_MODEL("tiny", Tiny, (3, 8, 8), 2, 3);
RNX_REGISTER_MODEL("tiny", Tiny, (1, 6, 6), 2);
RNX_REGISTER_MODEL("any", Tiny, (3, 8, 8));
RNX_REGISTER_MODEL_WHERE_IT_FITS("any", Tiny, (2, 4, 4));
template <int Classes>
using Pooled = models::Classifier<models::Convolutions<>, Classes, MaxPool<5>>;
RNX_REGISTER_MODEL_WHERE_IT_FITS("pooled", Pooled, (3, 8, 8));
RNX_REGISTER_MODEL_WHERE_IT_FITS("pooled", Pooled, (3, 4, 4));  // smaller than its window: none

TEST_CASE("a family is made for the shape and the number of classes that are asked for") {
  const auto& registry = models::Registry<>::instance();
  CHECK(registry.names() ==
        std::vector<std::string>{"any", "other", "pooled", "tiny", "told{M}x{N}"});
  CHECK(registry.entries("tiny").size() == 3);
  const auto made = [&](int classes, Dims in) {
    return registry.make("tiny", {.classes = classes, .seed = 4, .in = in});
  };
  CHECK(made(2, {3, 8, 8})->classes() == 2);
  CHECK(made(3, {3, 8, 8})->classes() == 3);
  CHECK(made(2, {1, 6, 6})->input_dims() == Dims{1, 6, 6});
  CHECK(made(2, {1, 6, 6})->parameter_count() == 4 * 9 + 2 * 4 + 2);
  CHECK(registry.make("other", {.classes = 2, .in = {3, 8, 8}})->parameter_count() ==
        6 * 27 + 2 * 6 + 2);
  const auto net = made(2, {3, 8, 8});
  const Network<Tiny<2>, Shape<3, 8, 8>> same(4);  // the seed arrives
  CHECK(std::equal(same.parameters(), same.parameters() + same.parameter_storage(),
                   std::as_const(*net).parameters()));
}

TEST_CASE("a name says the bits of a family that has places for them") {
  using models::told_by;
  CHECK(told_by("net_3x1", "net_{M}x{N}") == quant::Bits{3, 1});
  CHECK(told_by("pact12", "pact{K}") == quant::Bits{12, 12});
  CHECK(told_by("net", "net") == quant::Bits{});
  CHECK(told_by("net_0x1", "net_{M}x{N}") == quant::Bits{0, 1});  // that a network refuses
  for (const char* none : {"net_3x", "net_x1", "net_3x1_", "net_03x1", "net_-3x1", "net_3x10000",
                           "net_{M}x{N}", "net_", ""})
    CHECK_MESSAGE(!told_by(none, "net_{M}x{N}"), none);
  const auto& registry = models::Registry<>::instance();
  const models::ModelOptions options{.classes = 2, .seed = 4, .in = {3, 8, 8}};
  CHECK(registry.make("told3x1", options)->graph().bits == quant::Bits{3, 1});
  CHECK(registry.make("told1x8", options)->get("conv1.activation.beta").shape ==
        std::vector<int>{8});
  CHECK(registry.knows("told9x1"));
  CHECK(!registry.knows("told9y1"));
  CHECK(support::error_of<UsageError>([&] { registry.find("told9x1", options); }) ==
        "network: its weights have a number of bases known at run time; Network(seed, classes, "
        "{.weights = M, .activations = N}) takes 1 to 8, found 9");
}

TEST_CASE("what is not there is refused with what is") {
  auto& registry = models::Registry<>::instance();
  CHECK(support::error_of<UsageError>([&] { registry.make("huge"); }) ==
        "model 'huge' is unknown; this program knows: any, other, pooled, tiny, told{M}x{N}");
  CHECK(support::error_of<UsageError>([&] {
          registry.make("tiny", {.classes = 5, .in = {3, 8, 8}});
        }) ==
        "model 'tiny' was not compiled for images of (3, 8, 8) and 5 classes; this program has it "
        "for (3, 8, 8): 2, 3 classes; for (1, 6, 6): 2 classes");
  CHECK(support::error_of<UsageError>([&] {
          registry.find("any", {.classes = 5, .in = {3, 9, 8}});
        }) ==
        "model 'any' was not compiled for images of (3, 9, 8) and 5 classes; this program has it "
        "for (3, 8, 8): any number of "
        "classes; for (2, 4, 4): any number of classes");
  CHECK(support::error_of<UsageError>([&] {
          registry.make("any", {.classes = 0, .in = {3, 8, 8}});
        }) == "model 'any' takes 1 to 1048576 classes, found 0");
  CHECK(registry.entries("pooled").size() == 1);
  CHECK(!registry.add("tiny", {3, 8, 8}, 2, {}));
  CHECK(registry.entries("tiny").size() == 3);
}

TEST_CASE("a network that is told its classes equals the type that has them, bit for bit") {
  using Told =
      Network<Sequential<Named<"conv", Conv<20, 3>>, act::Relu, Named<"fc", Linear<at_run_time>>>,
              Shape<3, 6, 5>>;
  using Typed = Network<Sequential<Named<"conv", Conv<20, 3>>, act::Relu, Named<"fc", Linear<37>>>,
                        Shape<3, 6, 5>>;
  Told told(9, 37);
  Typed typed(9);
  REQUIRE(told.classes() == 37);
  REQUIRE(told.parameter_storage() == typed.parameter_storage());
  const auto equal = [](const auto* a, const auto* b, std::size_t n) {
    return std::equal(a, a + n, b);
  };
  CHECK(equal(std::as_const(told).parameters(), std::as_const(typed).parameters(),
              told.parameter_storage()));
  for (std::size_t i = 0; i < told.parameter_list().size(); ++i) {
    CHECK(told.parameter_list()[i].name == typed.parameter_list()[i].name);
    CHECK(told.parameter_list()[i].shape == typed.parameter_list()[i].shape);
  }
  const auto run = [](auto& net) {
    std::vector<float> noise(std::size_t(5) * net.input_dims().count());
    const rng::Stream random(3, Purpose::test);
    for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = float(random.uniform(i));
    const auto x = Tensor<float>::from_nchw(5, net.input_dims(), noise);
    auto trace = net.make_trace({.use = Use::train, .capacity = 5});
    std::vector<float> result = to_host(net.forward(trace, x.view(), {.mode = Mode::train}));
    std::vector<std::int32_t> labels{0, 36, 7, 12, 30};
    loss::CrossEntropy{.labels = labels.data()}(trace, loss::Call<float>{});
    Tensor<float> dx(5, net.input_dims());
    auto grads = net.make_grads();
    net.backward(trace, dx.view(), &grads);
    const std::vector<float> moved = to_host(std::as_const(dx).view());
    result.insert(result.end(), moved.begin(), moved.end());
    result.insert(result.end(), grads.flat.data(), grads.flat.data() + grads.flat.size());
    return result;
  };
  CHECK(run(told) == run(typed));
  const Told copy = told;
  CHECK(copy.classes() == 37);
  CHECK(models::Registry<>::instance().make("any", {.classes = 11, .in = {3, 8, 8}})->classes() ==
        11);
}

TEST_CASE("a network that must be told its classes says so; a type that has them takes no others") {
  using Told = Network<Tiny<at_run_time>, Shape<3, 8, 8>>;
  CHECK(support::error_of<UsageError>([] { Told net(1); }) ==
        "network: its number of classes is known at run time; Network(seed, classes) takes 1 to "
        "1048576, found 0");
  using Typed = Network<Tiny<4>, Shape<3, 8, 8>>;
  CHECK(Typed(1, 4).classes() == 4);
  CHECK(support::error_of<UsageError>([] { Typed net(1, 5); }) ==
        "network: its type has 4 classes, found 5");
}

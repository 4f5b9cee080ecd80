// The registry: a family under several shapes and numbers of classes, and the sentences where there is none.
#include "support/error_of.hpp"

#include <doctest/doctest.h>

#include <rnx/models.hpp>

using namespace rnx;
template <int Classes, int Width = 4> using Tiny = models::Classifier<models::Convolutions<>, Classes, Named<"conv1", Conv<Width, 3>>, Named<"relu", act::Relu>>;
#line 1000  // registry_other.cpp registers on the same line
RNX_REGISTER_MODEL("tiny", Tiny, (3, 8, 8), 2, 3);
RNX_REGISTER_MODEL("tiny", Tiny, (1, 6, 6), 2);

TEST_CASE("a family is made for the shape and the number of classes that are asked for") {
  const auto& registry = models::Registry<>::instance();
  CHECK(registry.names() == std::vector<std::string>{"other", "tiny"});
  CHECK(registry.entries("tiny").size() == 3);
  const auto made = [&](int classes, Dims in) { return registry.make("tiny", {.classes = classes, .seed = 4, .in = in}); };
  CHECK(made(2, {3, 8, 8})->classes() == 2);
  CHECK(made(3, {3, 8, 8})->classes() == 3);
  CHECK(made(2, {1, 6, 6})->input_dims() == Dims{1, 6, 6});
  CHECK(made(2, {1, 6, 6})->parameter_count() == 4 * 9 + 2 * 4 + 2);
  CHECK(registry.make("other", {.classes = 2, .in = {3, 8, 8}})->parameter_count() == 6 * 27 + 2 * 6 + 2);
  const auto net = made(2, {3, 8, 8});
  const Network<Tiny<2>, Shape<3, 8, 8>> same(4);  // the seed arrives
  CHECK(std::equal(same.parameters(), same.parameters() + same.parameter_storage(), std::as_const(*net).parameters()));
}

TEST_CASE("what is not there is refused with what is") {
  auto& registry = models::Registry<>::instance();
  CHECK(support::error_of<UsageError>([&] { registry.make("huge"); }) == "model 'huge' is unknown; this program knows: other, tiny");
  CHECK(support::error_of<UsageError>([&] { registry.make("tiny", {.classes = 5, .in = {3, 8, 8}}); }) ==
        "model 'tiny' was not compiled for images of (3, 8, 8) and 5 classes; this program has it for (3, 8, 8): 2, 3; for (1, 6, 6): 2 classes");
  CHECK(!registry.add("tiny", {3, 8, 8}, 2, {}));
  CHECK(registry.entries("tiny").size() == 3);
}

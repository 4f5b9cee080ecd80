// Masks of ReLUs: as many as the budget says, the largest scores, into a network and out of it; its
// cost; scores against sums that are written out.
#include "rnx/linearize.hpp"

#include <doctest/doctest.h>

#include "rnx/cost.hpp"
#include "support/batch.hpp"
#include "support/error_of.hpp"

using namespace rnx;
using linearize::Masks;
using support::error_of;

namespace {

template <class Activation>
using Small = Network<Sequential<Named<"conv", Conv<4, 3>>, Named<"relu", Activation>,
                                 Named<"conv2", Conv<6, 3, Stride<2>>>, Named<"relu2", Activation>,
                                 GlobalAveragePool, Named<"fc", Linear<3>>>,
                      Shape<3, 6, 6>, cpu, precision::Double>;
using Net = Small<act::MaskedRelu>;

}  // namespace

TEST_CASE("masks: of a network, its cost, and of ones the bits of plain ReLU") {
  Net net(3);
  const auto layers = linearize::relu_layers(net.graph());
  REQUIRE(layers.size() == 2);
  CHECK(layers[0].path == "relu");
  CHECK(layers[1].count == 6 * 9);
  CHECK(linearize::budget_of(linearize::masks_of(net)) == linearize::Budget{144, 54});
  Small<act::Relu> plain(3);
  const auto x = support::images<double>(2, net.input_dims());
  auto trace = net.make_trace({.use = Use::infer, .capacity = 2});
  auto other = plain.make_trace({.use = Use::infer, .capacity = 2});
  CHECK(to_host(net.forward(trace, x.view(), {})) == to_host(plain.forward(other, x.view(), {})));
  const Masks masks = linearize::random_masks(layers, {100, 7}, 5);
  CHECK(linearize::budget_of(masks) == linearize::Budget{100, 7});
  CHECK(masks != linearize::random_masks(layers, {100, 7}, 6));
  linearize::set_masks(net, masks);
  CHECK(linearize::masks_of(net) == masks);
  CHECK(cost::table(net).total().relus == 107);
  CHECK(cost::table(net.graph()).total().relus == 144 + 54);
  CHECK(to_host(net.forward(trace, x.view(), {})) != to_host(plain.forward(other, x.view(), {})));
}

TEST_CASE(
    "masks: the largest scores, of equal ones the first; published, strictly above the last") {
  const std::vector<std::vector<double>> scores{{0.5, 2, 1, 2, 1, 1}, {0, 0, 0}};
  using linearize::Ties;
  CHECK(linearize::top_masks(scores, {3, 1}) == Masks{{0, 1, 1, 1, 0, 0}, {1, 0, 0}});
  CHECK(linearize::top_masks(scores, {3, 1}, Ties::strict) == Masks{{0, 1, 0, 1, 0, 0}, {0, 0, 0}});
  CHECK(linearize::top_masks(scores, {0, 3}) == Masks{{0, 0, 0, 0, 0, 0}, {1, 1, 1}});
}

TEST_CASE("masks: scores are sums of distances over samples, whatever the batches") {
  Net teacher(1), student(2);
  linearize::set_masks(
      student, linearize::random_masks(linearize::relu_layers(student.graph()), {90, 20}, 1));
  const auto keep = [](int n) {
    return TraceOptions{.use = Use::infer, .capacity = n, .keep = {Keep::every(Kind::activation)}};
  };
  auto a = teacher.make_trace(keep(4)), b = student.make_trace(keep(4));
  const auto x = support::images<double>(4, teacher.input_dims());
  const auto layers = linearize::relu_layers(student.graph());
  std::vector<double> together(2 * (144 + 54)), apart = together, expected(54);
  teacher.forward(a, x.view(), {});
  student.forward(b, x.view(), {});
  linearize::add_distances<double, cpu>(layers, a, 0, b, together.data());
  const auto theirs = a.activations()[1].value, ours = b.activations()[1].value;
  for (int i = 0; i < 4; ++i)
    for (int c = 0; c < 6; ++c)
      for (int p = 0; p < 9; ++p)
        expected[std::size_t(c * 9 + p)] += std::abs(theirs.data[(i * 9 + p) * theirs.stride + c] -
                                                     ours.data[(i * 9 + p) * ours.stride + c]);
  CHECK(std::equal(expected.begin(), expected.end(), together.begin() + 144));
  for (int first = 0; first < 4; ++first) {  // the teacher's trace holds the whole batch
    student.forward(b, x.view().samples(first, 1), {});
    linearize::add_distances<double, cpu>(layers, a, first, b, apart.data());
  }
  CHECK(apart == together);
  CHECK(error_of<ShapeError>(
            [&] { linearize::add_distances<double, cpu>(layers, a, 4, b, apart.data()); }) ==
        "linearize: relu: expected maps of (4, 6, 6), found 4 of (4, 6, 6) of the teacher and 1 of "
        "(4, 6, 6) of the student from sample 4 on");
}

TEST_CASE("masks: what does not fit is refused, before anything is set") {
  Net net(1);
  const auto layers = linearize::relu_layers(net.graph());
  const auto set = [&](const Masks& masks) {
    return error_of<UsageError>([&] { linearize::set_masks(net, masks); });
  };
  Masks masks = linearize::random_masks(layers, {10, 10}, 1);
  masks[1][3] = 2;
  CHECK(set(masks) == "linearize: relu2: expected a mask of zeros and ones");
  masks[1].pop_back();
  CHECK(set(masks) == "linearize: relu2: expected a mask of 54 values, found 53");
  masks.pop_back();
  CHECK(set(masks) == "linearize: expected masks of 2 ReLUs, as the network has, found 1");
  CHECK(linearize::budget_of(linearize::masks_of(net)) == linearize::Budget{144, 54});
  net.set("relu.mask", std::vector<double>(144, 0.5));
  CHECK(error_of<UsageError>([&] { linearize::masks_of(net); }) ==
        "linearize: relu: expected a mask of zeros and ones");
  CHECK(error_of<UsageError>([&] { linearize::random_masks(layers, {10}, 1); }) ==
        "linearize: expected a budget for each of the 2 masked ReLUs, found 1");
  CHECK(error_of<UsageError>([&] {
          linearize::random_masks(layers, {10, 55}, 1);
        }) == "linearize: relu2: expected 0 to 54 ReLUs, found 55");
  CHECK(error_of<NumericError>([&] {
          linearize::top_masks({{1, NAN}}, {1});
        }) == "linearize: expected finite scores of ReLUs");
  CHECK(error_of<UsageError>([] { linearize::relu_layers(Small<act::Relu>(1).graph()); }) ==
        "linearize: expected a network with act::MaskedRelu, found none in it");
}

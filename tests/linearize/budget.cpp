// Budgets of ReLUs: the published numbers, sums that are exact, what is refused.
#include "rnx/linearize/budget.hpp"

#include <doctest/doctest.h>

#include "rnx/linearize/published.hpp"
#include "support/error_of.hpp"

using namespace rnx;
using linearize::Budget;
using linearize::ReluLayer;
using support::error_of;

namespace {

/// Stages of equal layers: so many of so many values.
std::vector<ReluLayer> layers_of(std::initializer_list<std::pair<int, long>> stages) {
  std::vector<ReluLayer> layers;
  for (const auto& [n, count] : stages)
    for (int i = 0; i < n; ++i)
      layers.push_back({.path = "relu" + std::to_string(layers.size()), .count = count});
  return layers;
}
std::vector<ReluLayer> resnet18(long scale = 1) {
  return layers_of({{5, 65536 * scale}, {4, 32768 * scale}, {4, 16384 * scale}, {4, 8192 * scale}});
}
const std::vector<ReluLayer> resnet34 = layers_of({{7, 65536}, {8, 32768}, {12, 16384}, {6, 8192}});
const std::vector<ReluLayer> wrn22_8 = layers_of({{1, 16384}, {6, 131072}, {6, 65536}, {6, 32768}});

}  // namespace

TEST_CASE("budgets: paper 000's fractions at 100 thousand, levels at 100, 120 and 150 thousand") {
  const auto layers = resnet18();
  CHECK(linearize::total(layers) == 557056);
  CHECK(linearize::total(resnet34) == 966656);
  CHECK(linearize::total(wrn22_8) == 1392640);
  CHECK(linearize::total(resnet18(4)) == 2228224);
  const auto weights = linearize::resnet18_sensitivity(layers);
  const linearize::Filling f = linearize::fill(layers, weights, 100000);
  CHECK(std::lround(f.level) == 110757);
  CHECK(std::lround(linearize::fill(layers, weights, 120000).level) == 143705);
  CHECK(std::lround(linearize::fill(layers, weights, 150000).level) == 193645);
  const double expected[] = {.0097, .0313, .0360, .0424, .0466, .1199, .1651, .1724, .1882,
                             .4555, .5505, .5595, .5829, 1,     1,     1,     1};
  for (std::size_t i = 0; i < layers.size(); ++i)
    CHECK(std::abs(f.shares[i] / double(layers[i].count) - expected[i]) < 5.1e-5);
}

TEST_CASE("budgets: whole numbers have the sum that was asked for") {
  const auto layers = resnet18();
  const auto weights = linearize::resnet18_sensitivity(layers);
  for (const long budget : {1l, 17l, 49999l, 100000l, 150001l, 557055l, 557056l}) {
    CAPTURE(budget);
    const Budget b = linearize::water_fill(layers, weights, budget);
    CHECK(linearize::total(b) == budget);
    const linearize::Filling f = linearize::fill(layers, weights, budget);
    for (std::size_t i = 0; i < b.size(); ++i) {
      CHECK(b[i] <= layers[i].count);
      CHECK(std::abs(double(b[i]) - f.shares[i]) < 1);
    }
  }
}

TEST_CASE("budgets: the published lists and what they save") {
  const auto sum = [](std::string_view model, int side, int thousands,
                      const std::vector<ReluLayer>& layers) {
    return linearize::total(linearize::from_fractions(
        layers, linearize::published_list(model, side, thousands).fractions));
  };
  CHECK(sum("resnet18", 32, 82, resnet18()) == 82657);
  CHECK(sum("resnet18", 32, 50, resnet18()) == 49971);
  CHECK(sum("resnet18", 32, 150, resnet18()) == 148898);
  CHECK(sum("resnet18", 64, 150, resnet18(4)) == 150000);
  CHECK(sum("resnet18", 64, 300, resnet18(4)) == 300000);
  CHECK(sum("resnet34", 32, 200, resnet34) == 200153);
  CHECK(sum("resnet34", 32, 80, resnet34) == 79978);
  CHECK(sum("resnet34", 32, 50, resnet34) == 50116);
  CHECK(sum("resnet34", 32, 25, resnet34) == 25073);
  CHECK(sum("wrn-22-8", 32, 240, wrn22_8) == 239436);
  CHECK(sum("wrn-22-8", 32, 300, wrn22_8) == 299314);
  const auto saving = [](const std::vector<ReluLayer>& layers, long kept) {
    return std::round(linearize::communication_saving(layers, kept) * 100) / 100;
  };
  CHECK(saving(resnet18(), 50000) == 11.14);
  CHECK(saving(resnet18(), 82000) == 6.79);
  CHECK(saving(resnet18(), 120000) == 4.64);
  CHECK(saving(resnet18(), 150000) == 3.71);
}

TEST_CASE("budgets: what cannot be is refused") {
  const auto layers = layers_of({{2, 100}});
  const auto filled = [&](std::vector<double> weights, long budget) {
    return error_of<UsageError>([&] { linearize::water_fill(layers, weights, budget); });
  };
  CHECK(filled({1, 1}, 0) ==
        "linearize: expected a budget from 1 to the network's 200 ReLUs, found 0");
  CHECK(filled({1, 1}, 201) ==
        "linearize: expected a budget from 1 to the network's 200 ReLUs, found 201");
  CHECK(filled({1, 0}, 5) == "linearize: expected weights that are finite and above 0");
  CHECK(filled({1, NAN}, 5) == "linearize: expected weights that are finite and above 0");
  CHECK(filled({1}, 5) == "linearize: expected a number for each of the 2 masked ReLUs, found 1");
  const auto shared = [&](std::vector<double> fractions) {
    return error_of<UsageError>([&] { linearize::from_fractions(layers, fractions); });
  };
  CHECK(shared({0.5, 1.5}) == "linearize: expected shares of the layers from 0 to 1");
  CHECK(shared({0, 0}) == "linearize: expected a budget above 0, found 0");
  CHECK(error_of<UsageError>([&] { linearize::published_list("wrn-22-8", 32, 50); }) ==
        "linearize: no published list of wrn-22-8 with 50 thousand ReLUs at 32 pixels; there are: "
        "240 thousand at 32 pixels, 300 thousand at 32 pixels");
  CHECK(error_of<UsageError>([] { linearize::communication_saving({}, 0); }) ==
        "linearize: expected a budget above 0, found 0");
}

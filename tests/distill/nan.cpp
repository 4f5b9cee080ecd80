// A NaN among a tutor loss's logits, weights or distances reaches its value and gradients.
#include "kernels/support.hpp"
#include "rnx/distill.hpp"

using namespace rnx;

TEST_CASE("a NaN passes the tutor's kernels") {
  const std::vector<double> clean = test::numbers<double>(3, 1);
  for (const bool one_hot : {false, true})
    for (std::size_t bad : {3, 0, 1, 2}) {
      std::vector<double> logits = clean, g(3);
      if (bad < 3) logits[bad] = NAN;
      test::run(op::tutor_draw<double>{.layers = 1,
                                       .tutors = 3,
                                       .one_hot = one_hot,
                                       .draw = 0,
                                       .site = 0,
                                       .values = nullptr,
                                       .logits = logits.data(),
                                       .g = g.data()});
      for (const double weight : g) CHECK(std::isnan(weight) == (bad < 3));
    }
  const std::vector<double> g{.2, .3, .5}, d{1, NAN, 2};
  for (const bool joint : {false, true}) {
    std::vector<double> dg(3);
    test::run(op::tutor_weights_backward<double>{.layers = 1,
                                                 .tutors = 3,
                                                 .rows = 1,
                                                 .joint = joint,
                                                 .weight = 1,
                                                 .g = g.data(),
                                                 .d = d.data(),
                                                 .dg = dg.data()});
    CHECK(std::isnan(dg[1]));
    CHECK(std::isnan(dg[0]) == joint);
  }
}

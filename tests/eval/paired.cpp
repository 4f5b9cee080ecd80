// Paired comparisons: tests against sums written out, the interval's coverage and symmetry; the
// lattice of files and the audit of images.
#include <doctest/doctest.h>

#include "rnx/core/rng.hpp"
#include "rnx/eval.hpp"

using namespace rnx;

TEST_CASE("McNemar's exact and mid-p values") {
  // 2 and 8 discordant: (1 + 10 + 45) / 1024 on each side
  const eval::Paired ten{.both = 50, .only_first = 2, .only_second = 8, .neither = 40};
  CHECK(ten.exact_p() == doctest::Approx(2 * 56. / 1024).epsilon(1e-12));
  CHECK(ten.mid_p() == doctest::Approx((2 * 56. - 45) / 1024).epsilon(1e-12));
  const eval::Paired even{.both = 5, .only_first = 3, .only_second = 3};
  CHECK(even.exact_p() == 1);
  CHECK(even.mid_p() == doctest::Approx(1 - 0.5 * 20 / 64));
  CHECK(eval::Paired{.both = 9}.mid_p() == 1);
  CHECK(eval::Paired{.only_first = 2000}.exact_p() < 1e-300);
}

TEST_CASE("the interval of a paired difference is symmetric, holds the difference and covers") {
  const eval::Paired p{.both = 36, .only_first = 12, .only_second = 2, .neither = 0};
  const eval::Paired turned{.both = 36, .only_first = 2, .only_second = 12, .neither = 0};
  CHECK(p.difference() == doctest::Approx(0.2));
  CHECK(p.interval().low < 0.2);
  CHECK(p.interval().high > 0.2);
  CHECK(p.interval().low > 0);
  CHECK(turned.interval().low == doctest::Approx(-p.interval().high));
  CHECK(eval::Paired{}.interval() == eval::Interval{-1, 1});
  CHECK(eval::Paired{.both = 100}.interval().low == doctest::Approx(-eval::wilson(0, 100).high));
  const rng::Stream random(3, Purpose::test);
  long covered = 0;
  constexpr long rounds = 2000, n = 80;
  for (long r = 0; r < rounds; ++r) {
    eval::Paired drawn;
    for (long i = 0; i < n; ++i) {
      const double u = double(random.bits(std::uint64_t(r * n + i)) >> 8) / double(1 << 24);
      drawn.add(u < 0.6, u < 0.5 || (u >= 0.6 && u < 0.75));  // 0.6 and 0.65
    }
    covered += drawn.interval().low <= -0.05 && drawn.interval().high >= -0.05;
  }
  CHECK(double(covered) / rounds > 0.93);
  CHECK(double(covered) / rounds < 0.98);
}

TEST_CASE("images on the lattice stay in ball and box") {
  const rng::Stream random(4, Purpose::test);
  const auto uniform = [&](std::uint64_t k) { return double(random.bits(k) >> 8) / (1 << 24); };
  constexpr std::size_t n = 60;
  for (const bool on : {true, false})
    for (const auto& [norm, eps] : {std::pair{op::Norm::linf, 3.3 / 255},
                                    {op::Norm::linf, 0.2 / 255},
                                    {op::Norm::l2, 0.03},
                                    {op::Norm::l2, 0.002},
                                    {op::Norm::l1, 0.2}}) {
      std::vector<float> clean(n), image(n);
      double size = 0;
      for (std::size_t i = 0; i < n; ++i) {
        clean[i] = on ? eval::detail::level(double(int(256 * uniform(i)))) : float(uniform(i));
        image[i] = std::clamp(clean[i] + float(0.02 * (uniform(1000 + i) - 0.5)), 0.f, 1.f);
        size = eval::detail::length(norm, size, double(image[i]) - clean[i]);
      }
      if (norm == op::Norm::l2) size = std::sqrt(size);
      for (std::size_t i = 0; i < n; ++i)
        image[i] = float(clean[i] + (double(image[i]) - clean[i]) * std::min(1., eps / size));
      const std::vector<float> before = image;
      eval::project_to_lattice<float>(norm, eps, clean, std::span(image));
      if (norm == op::Norm::linf) attack::verify<norm::Linf>(clean, image, 1, eps);
      if (norm == op::Norm::l2) attack::verify<norm::L2>(clean, image, 1, eps);
      if (norm == op::Norm::l1) attack::verify<norm::L1>(clean, image, 1, eps);
      for (std::size_t i = 0; i < n; ++i) {
        CHECK((eval::detail::on_lattice(image[i]) || (!on && image[i] == clean[i])));
        CHECK(std::abs(image[i] - before[i]) < 1.01 / 255);
      }
      std::vector<float> again = image;
      eval::project_to_lattice<float>(norm, eps, clean, std::span(again));
      if (on) CHECK(again == image);
    }
}

TEST_CASE("an audit finds sizes, range, what is not finite, and images on the lattice") {
  eval::Audit audit;
  const std::vector<float> clean{0.f, eval::detail::level(7), 1.f},
      moved{eval::detail::level(3), eval::detail::level(3), 1.f}, off{0.f, 0.5f, 0.9f},
      broken{0.f, NAN, 1.f};
  audit.add<float>(clean, moved);
  CHECK(audit.on_lattice == 1);
  CHECK(audit.linf == doctest::Approx(4. / 255));
  CHECK(audit.l2 == doctest::Approx(5. / 255));
  CHECK(audit.l1 == doctest::Approx(7. / 255));
  audit.add<float>(clean, off);
  audit.add<float>(clean, broken);
  CHECK(audit.images == 3);
  CHECK(audit.on_lattice == 1);
  CHECK(audit.not_finite == 1);
  CHECK(audit.least == 0);
  CHECK(audit.most == 1);
  CHECK(audit.linf == doctest::Approx(0.5 - 7. / 255));
}

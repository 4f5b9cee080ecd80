// Exact numbers, shapes, random numbers, error classes.
#include <doctest/doctest.h>

#include <rnx/core.hpp>
#include <rnx/core/factorial.hpp>

#include <cmath>

using namespace rnx;

TEST_CASE("Rational: fractions stay exact, nonsense is refused") {
  CHECK(px(8).value() == 8.0 / 255);
  CHECK(Rational::parse("8/255").value() == 8.0 / 255);
  CHECK(Rational::parse("0.031").value() == 0.031);
  for (const char* text : {"", "8/", "/255", "8/0", "a", "1e", "8/255x", " 8"})
    CHECK_THROWS_AS(Rational::parse(text), UsageError);
  CHECK_THROWS_WITH_AS(Rational::parse("8/0", "--eps"), "--eps: '8/0' divides by zero", UsageError);
  for (const char* text :
       {"inf", "-inf", "nan", "1e999", "8/inf", "inf/255", "nan/1", "8/1e999", "1e308/1e-308"})
    CHECK_THROWS_WITH_AS(Rational::parse(text, "--eps"),
                         ("--eps: '" + std::string(text) + "' is not a finite number").c_str(),
                         UsageError);
}

TEST_CASE("Philox4x32-10 gives the published known answers") {
  const auto zero = rng::philox(0, 0, 0), ones = rng::philox(~0ull, ~0ull, ~0ull);
  const std::uint32_t first[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
                      second[] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
  for (int i = 0; i < 4; ++i) CHECK(zero.v[i] == first[i]);
  for (int i = 0; i < 4; ++i) CHECK(ones.v[i] == second[i]);
}

TEST_CASE("streams differ by seed, purpose, draw and site; moments are right") {
  const rng::Stream a(1, Purpose::init), b(2, Purpose::init), c(1, Purpose::dropout),
      d(1, Purpose::init, 1), e(1, Purpose::init, 0, 1);
  for (const auto& other : {b, c, d, e}) CHECK(a.bits(0) != other.bits(0));
  double mean = 0, square = 0, normal = 0, variance = 0, gumbel = 0;
  const int n = 100000;
  for (int i = 0; i < n; ++i) {
    const double u = a.uniform(i), g = a.normal(i);
    CHECK((u >= 0 && u < 1));
    mean += u / n;
    square += u * u / n;
    normal += g / n;
    variance += g * g / n;
    gumbel += a.gumbel(i) / n;
  }
  CHECK(mean == doctest::Approx(0.5).epsilon(0.01));
  CHECK(square == doctest::Approx(1.0 / 3).epsilon(0.01));
  CHECK(std::abs(normal) < 0.02);
  CHECK(variance == doctest::Approx(1).epsilon(0.02));
  CHECK(gumbel == doctest::Approx(0.5772).epsilon(0.03));
}

TEST_CASE("errors carry exit codes and one base") {
  CHECK(UsageError("x").exit_code() == 2);
  CHECK(FileError("x").exit_code() == 3);
  CHECK(StateError("x").exit_code() == 1);
  CHECK_THROWS_AS(require<ShapeError>(false, "sentence"), Error);
  CHECK(make_divisible(26) == 24);
  CHECK(make_divisible(27) == 32);  // never below 0.9 of the value
  CHECK(make_divisible(28) == 32);
  CHECK(make_divisible(3) == 8);
}

TEST_CASE("a row's id: its place behind the first sample, or that of the sample it is chosen as") {
  const std::int32_t chosen[] = {4, 0};
  Context ctx{.first_sample = 10};
  CHECK(ctx.sample(1) == 11);
  ctx.samples = {.data = chosen, .n = 2, .batch = 5};
  CHECK(ctx.sample(0) == 14);
  CHECK(ctx.sample(1) == 10);
  CHECK(ctx.part(1, 1).sample(0) == 10);
}

TEST_CASE("logarithms of factorials are sums of logarithms") {
  double sum = 0;
  for (int n = 0; n < 200; ++n) {
    if (n > 0) sum += std::log(n);
    CHECK(std::abs(log_factorial(n) - sum) < 1e-12 * std::max(sum, 1.0));
  }
}

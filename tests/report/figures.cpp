// Training curves from metrics.csv, ticks and charts.
#include <doctest/doctest.h>

#include <limits>

#include "report/markup.hpp"
#include "rnx/report/bar_chart.hpp"
#include "rnx/report/figure.hpp"
#include "rnx/report/line_chart.hpp"
#include "support/error_of.hpp"

using namespace rnx;

TEST_CASE("metrics.csv becomes a figure of losses and one of accuracies") {
  const auto figures = report::training_figures(
      "epoch,train_loss,train_acc,clean_acc,pgd_acc,lr,images_per_s\r\n1,2.25,0.1,0.125,,0.1,"
      "300\r\n2,null,0.2,0.25,0.0625,0.2,\n\n3,1e-1,0.3,nan,,0,300\n");
  REQUIRE(figures.size() == 2);
  CHECK(figures[0].title == "Loss");
  CHECK_FALSE(figures[0].percent);
  REQUIRE(figures[0].curves.size() == 1);
  CHECK(figures[0].curves[0].name == "train");
  CHECK(figures[0].curves[0].x == std::vector<double>{1, 2, 3});
  CHECK(figures[0].curves[0].y[0] == 2.25);
  CHECK(std::isnan(figures[0].curves[0].y[1]));
  CHECK(figures[0].curves[0].y[2] == 0.1);
  CHECK(figures[1].percent);
  REQUIRE(figures[1].curves.size() == 3);
  CHECK(figures[1].curves[1].name == "clean");
  CHECK(figures[1].curves[2].name == "pgd");
  CHECK(figures[1].curves[2].y[1] == 0.0625);

  CHECK(report::training_figures("epoch,train_loss\n").empty());
  CHECK(report::training_figures("epoch,train_loss,lr\n1,,0.1").empty());
  const auto plain = report::training_figures("step,loss,kl_term_loss\n10,3,1\n20,2,1");
  REQUIRE(plain.size() == 1);
  CHECK(plain[0].x_label == "step");
  CHECK(plain[0].curves[0].name == "loss");
  CHECK(plain[0].curves[1].name == "kl term");
}

TEST_CASE("a damaged metrics.csv gets one sentence") {
  const std::pair<std::string, std::string> cases[] = {
      {"", "metrics.csv: expected a line with the names of columns, found an empty file"},
      {"\n", "line 1: expected the names of 1 to 256 columns, found 0"},
      {"epoch,,x\n", "line 1: expected different names of columns, found \"\""},
      {"epoch,a_loss,a_loss\n", "found \"a_loss\" twice"},
      {"a_loss\n1\n", "line 1: expected a column epoch or step"},
      {"epoch,loss\n1,2\n1\n", "line 3: expected 2 fields, found 1"},
      {"epoch,loss\n1,2,3\n", "line 2: expected 2 fields, found 3"},
      {"epoch,loss\n1,2x\n", "line 2: expected a number, found \"2x\""},
      {"epoch,loss\n1, 2\n", "found \" 2\""},
      {"epoch,loss\n1,1e999\n", "found \"1e999\""},
      {std::string("epoch,loss\n1,2\0\n", 15), "found \"2\\x00\""},
      {"epoch,loss\n1,\"2\"\n", "expected a number"},
      {"epoch" + std::string(300, ',') + "\n", "found 301"},
      {"\x7F"
       "ELF\x02\x01",
       "expected a column epoch"}};
  for (const auto& damaged : cases) {
    const std::string found =
        support::error_of<FileError>([&] { report::training_figures(damaged.first); });
    CHECK_MESSAGE(found.find(damaged.second) != std::string::npos, found);
    CHECK(found.find('\n') == std::string::npos);
  }
  CHECK(support::error_of<FileError>([] {
          report::training_figures("", "run/metrics.csv");
        }).starts_with("run/metrics.csv: "));
}

TEST_CASE("ticks are round, ascending and cover the data") {
  using Ticks = std::vector<double>;
  CHECK(report::svg::nice_ticks(0, 1, 4) == Ticks{0, 0.5, 1});
  CHECK(report::svg::nice_ticks(1, 10, 6, true) == Ticks{0, 2, 4, 6, 8, 10});
  CHECK(report::svg::nice_ticks(1, 2, 6, true) == Ticks{1, 2});
  for (const auto& [low, high] : {std::pair{1.31, 1.97},
                                  {-3e-9, 2e-9},
                                  {5e30, 6e30},
                                  {0., 0.},
                                  {7., 7.},
                                  {-1e99, 1e99},
                                  {1., 1. + 1e-12}}) {
    const Ticks ticks = report::svg::nice_ticks(low, high, 4);
    REQUIRE(ticks.size() >= 2);
    CHECK(ticks.size() < 12);
    CHECK(ticks.front() <= low + 1e-6 * std::abs(low));
    CHECK(ticks.back() >= high - 1e-6 * std::abs(high));
    CHECK(std::is_sorted(ticks.begin(), ticks.end()));
  }
}

TEST_CASE("charts are well-formed whatever they are given") {
  const double nan = std::numeric_limits<double>::quiet_NaN(),
               inf = std::numeric_limits<double>::infinity();
  const std::vector<report::Figure> figures{
      {"empty", "x", "y", {}, false},
      {"<b>&\"'", "<x>", "</svg>", {{"</text><script>", {1, 2, 3}, {0.5, nan, 0.7}}}, true},
      {"one point", "epoch", "loss", {{"a", {3}, {2}}}, false},
      {"flat", "epoch", "loss", {{"a", {1, 2}, {0, 0}}, {"b", {1, 2}, {0, 0}}}, false},
      {"not finite", "epoch", "loss", {{"a", {1, inf, 3}, {inf, 1, -1e300}}}, false},
      {"close",
       "epoch",
       "loss",
       {{"a", {1, 2}, {1, 1 + 1e-16}}, {"b", {1, 2, 3}, {1, 1 + 4e-16}}},
       false},
      {"wide",
       "epoch",
       "loss",
       {{"a", {1, 2}, {-1e99, 1e99}}, {"b", {-1e99, 1e99}, {1, 2}}},
       false},
      {"many", "epoch", "loss",
       std::vector<report::Curve>(40, report::Curve{std::string(100, 'x'), {1, 2}, {1, 2}}),
       false}};
  for (const report::Figure& f : figures) {
    const std::string chart = report::svg::line_chart(f);
    CHECK_MESSAGE(markup::fault(chart) == "", f.title);
    CHECK_MESSAGE((chart.find("nan") == chart.npos && chart.find("inf") == chart.npos &&
                   chart.find("<script") == chart.npos),
                  f.title);
  }
  CHECK(report::svg::line_chart(figures[0]).find("no measurements") != std::string::npos);
  CHECK(report::svg::line_chart(figures[1]).find("<title>&lt;b&gt;&amp;&quot;&#39;: ") !=
        std::string::npos);

  const std::string bars = report::svg::bar_chart(
      "shares",
      {{"a < b", {{"none", {0, 0}}, {"some", {451, 1000}, 1}, {"all", {5, 5}, -3}}}, {"", {}}});
  CHECK(markup::fault(bars) == "");
  CHECK(bars.find("451 of 1,000") != std::string::npos);
  CHECK(bars.find("45.1\u00A0%") != std::string::npos);
  CHECK(bars.find("42.0\u201348.2\u00A0%") != std::string::npos);
}

TEST_CASE("numbers as text") {
  namespace text = report::text;
  CHECK(text::grouped(0) == "0");
  CHECK(text::grouped(-1234567) == "-1,234,567");
  CHECK(text::grouped(-123) == "-123");
  CHECK(text::grouped(1000) == "1,000");
  CHECK(text::with_prefix(950) == "950");
  CHECK(text::with_prefix(40551040) == "40.6\u00A0M");
  CHECK(text::with_prefix(999999) == "1.00\u00A0M");
  CHECK(text::with_prefix(1e30).ends_with("E"));
  CHECK(text::fixed(-0.04, 1) == "0.0");
  CHECK(text::fixed(-0.06, 1) == "-0.1");
  CHECK(text::fixed(std::numeric_limits<double>::quiet_NaN(), 2) == "-");
  CHECK(text::percent({1, 3}) == "33\u00A0%");
  CHECK(text::percent({333, 1000}) == "33.3\u00A0%");
  CHECK(text::percent({3333, 10000}) == "33.33\u00A0%");
  CHECK(text::percent({}) == "-");
  CHECK(text::cut("abc", 3) == "abc");
  CHECK(text::cut("abcd", 3) == "ab\u2026");
  CHECK(text::cut("\u00E4\u00F6\u00FC\u00DF", 3) == "\u00E4\u00F6\u2026");
  CHECK(text::html(std::string("a\0\x1B<", 4)) == "a\uFFFD\uFFFD&lt;");
}

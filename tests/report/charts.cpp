// Scatter with fronts, histogram, heat map, curves with bands: what they draw, what they leave out,
// and docs/pictures/charts.svg, which is drawn here.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "report/markup.hpp"
#include "rnx/core/rng.hpp"
#include "rnx/io/file.hpp"
#include "rnx/report/bar_chart.hpp"
#include "rnx/report/heat_map.hpp"
#include "rnx/report/histogram.hpp"
#include "rnx/report/line_chart.hpp"
#include "rnx/report/scatter.hpp"
#include "support/error_of.hpp"

using namespace rnx;
namespace svg = report::svg;

namespace {

const double absent = std::numeric_limits<double>::quiet_NaN(),
             inf = std::numeric_limits<double>::infinity();
const std::string evil = "<b>&\"'</svg><script>";

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++n;
  return n;
}
/// Well-formed, nothing unescaped, no number that is none.
void check_chart(const std::string& chart) {
  CHECK_MESSAGE(markup::fault(chart) == "", chart);
  for (const char* bad : {"nan", "inf", "<script", "<b>"})
    CHECK_MESSAGE(chart.find(bad) == chart.npos, chart);
}

}  // namespace

TEST_CASE("a Pareto front is what nothing dominates, in each direction") {
  using Indices = std::vector<std::size_t>;
  const svg::PointSet set{
      .name = "nets", .x = {1, 2, 2, 3, 4, 1, absent, 0}, .y = {5, 7, 6, 7, 9, 5, 99, absent}};
  using enum report::Better;
  CHECK(svg::pareto_front(set, {}) == Indices{0, 5, 1, 4});
  CHECK(svg::pareto_front(set, {.x = lower, .y = lower}) == Indices{0, 5});
  CHECK(svg::pareto_front(set, {.x = higher, .y = higher}) == Indices{4});
  CHECK(svg::pareto_front(set, {.x = higher, .y = lower}) == Indices{4, 3, 2, 0, 5});
  CHECK(svg::pareto_front({.name = "", .x = {absent}, .y = {1}}, {}).empty());
  CHECK(svg::pareto_front({.name = "", .x = {}, .y = {}}, {}).empty());
}

TEST_CASE("a scatter chart draws points that have values, and its front as a stair") {
  svg::Scatter s{.title = evil,
                 .x_label = evil,
                 .y_label = evil,
                 .sets = {{.name = evil,
                           .x = {1, 2, 3, inf, 5},
                           .y = {0.5, 0.25, 0.75, 0.5, absent},
                           .labels = {evil}}},
                 .front = svg::Front{},
                 .percent = true};
  const std::string chart = svg::scatter_chart(s);
  check_chart(chart);
  CHECK(count(chart, "<circle") == 3);
  CHECK(count(chart, "fill-opacity=\"0.35\"") == 1);  // (2, 0.25)
  CHECK(count(chart, "<path") == 1);
  CHECK(chart.find(">2 without a value<") != chart.npos);
  CHECK(chart.find("75.0\u00A0%") != chart.npos);
  s.front.reset();
  CHECK(count(svg::scatter_chart(s), "<path") == 0);

  check_chart(svg::scatter_chart({.title = "empty", .x_label = "x", .y_label = "y"}));
  const std::string none = svg::scatter_chart(
      {.title = "none", .x_label = "x", .y_label = "y", .sets = {{"a", {absent}, {absent}}}});
  check_chart(none);
  CHECK(none.find("no measurements") != none.npos);
  CHECK(none.find(">1 without a value<") != none.npos);
  for (const svg::PointSet& set :
       {svg::PointSet{"one", {3}, {4}}, svg::PointSet{"equal", {2, 2, 2}, {1, 1, 1}},
        svg::PointSet{"wide", {-1e99, 1e99}, {1, 1 + 1e-16}},
        svg::PointSet{"uneven", {1, 2, 3}, {1}}})
    check_chart(svg::scatter_chart(
        {.title = "t", .x_label = "x", .y_label = "y", .sets = {set}, .front = svg::Front{}}));
  const std::string many =
      svg::scatter_chart({.title = "many",
                          .x_label = "x",
                          .y_label = "y",
                          .sets = std::vector(40, svg::PointSet{evil, {1}, {1}})});
  check_chart(many);
  CHECK(many.find(">+29<") != many.npos);
}

TEST_CASE("a histogram counts each value once, between round edges") {
  const svg::Bins b =
      svg::bins({.title = "", .x_label = "", .values = {0, 1, 1, 2.5, 4, absent, inf}});
  CHECK(b.edges == std::vector<double>{0, 1, 2, 3, 4});
  CHECK(b.counts == std::vector<std::size_t>{1, 2, 1, 1});  // 4 is in the last bin
  CHECK(b.missing == 2);
  const auto total = [](const std::vector<double>& values, int bins) {
    std::size_t n = 0;
    for (const std::size_t c : svg::bins({"", "", values, bins}).counts) n += c;
    return n;
  };
  CHECK(total({7, 7, 7}, 0) == 3);
  CHECK(total({-1e99, 1e99}, 0) == 2);
  CHECK(total({0.1, 0.2, 0.3, 0.7}, 1000) == 4);
  CHECK(total({1, 1 + 1e-15}, -3) == 2);
  CHECK(svg::bins({"", "", {absent}}).edges.empty());

  const std::string chart = svg::histogram_chart({evil, evil, {0, 1, 1, 2.5, 4, absent, inf}});
  check_chart(chart);
  CHECK(count(chart, "<rect") == 4);
  CHECK(chart.find("<title>1 to 2: 2 of 5</title>") != chart.npos);
  CHECK(chart.find(">2 without a value<") != chart.npos);
  CHECK(chart.find("count of 5") != chart.npos);
  for (const std::vector<double>& values :
       {std::vector<double>{}, {absent}, {3}, {0, 0, 0}, {-1e99}})
    check_chart(svg::histogram_chart({"t", "x", values}));
  CHECK(svg::histogram_chart({"t", "x", {}}).find("no measurements") != std::string::npos);
}

TEST_CASE("a heat map shades values and frames what has none") {
  svg::HeatMap map{.title = evil,
                   .x_label = evil,
                   .y_label = evil,
                   .columns = {"a", evil, "c"},
                   .rows = {"r", evil},
                   .values = {0, 0.5, 1, absent, 0.25, inf}};
  const std::string chart = svg::heat_map(map);
  check_chart(chart);
  CHECK(count(chart, "stroke-dasharray") == 2);
  CHECK(count(chart, "fill-opacity=\"0.06\"") == 2);  // the lowest, and the scale's first shade
  CHECK(count(chart, "fill-opacity=\"0.72\"") == 2);
  CHECK(chart.find(">2 without a value<") != chart.npos);
  CHECK(chart.find(">0.25</text>") != chart.npos);
  CHECK(chart.find("r, c: 1</title>") != chart.npos);
  map.percent = true;
  CHECK(svg::heat_map(map).find("r, c: 100.0\u00A0%</title>") != std::string::npos);

  check_chart(svg::heat_map({.title = "empty", .x_label = "x", .y_label = "y"}));
  check_chart(svg::heat_map({"one", "x", "y", {"a"}, {"b"}, {3}}));
  check_chart(svg::heat_map({"nothing", "x", "y", {"a"}, {"b"}, {absent}}));
  check_chart(svg::heat_map({"wide", "x", "y", {"a", "b"}, {"c"}, {-1e99, 1e99}}));
  const std::string flat = svg::heat_map({"flat", "x", "y", {"a", "b"}, {"c"}, {2, 2}});
  check_chart(flat);
  CHECK(count(flat, "fill-opacity=\"0.39\"") == 2);
  const std::string large =
      svg::heat_map({"large", "x", "y", std::vector<std::string>(200, "class"),
                     std::vector<std::string>(200, "class"), std::vector<double>(40000, 0.5)});
  check_chart(large);
  CHECK(count(large, ">class</text>") < 60);  // as many as have room
  CHECK(support::error_of<ShapeError>([] {
          svg::heat_map({"", "", "", {"a", "b"}, {"c"}, {1}});
        }) == "heat map: expected 1 x 2 values, at most 65536, found 1");
}

TEST_CASE("curves carry bands where they have intervals") {
  const report::Curve curve{.name = "a",
                            .x = {1, 2, 3, 4, 5},
                            .y = {1, 2, absent, 2, 3},
                            .low = {0.5, 1, 1, 1, absent},
                            .high = {1.5, 3, 3, 9, 4}};
  const std::string chart = svg::line_chart({"t", "epoch", "loss", {curve}});
  check_chart(chart);
  CHECK(count(chart, "fill-opacity=\"0.18\"") == 1);  // points 1, 2, 4: the third is not there
  CHECK(chart.find("epoch 4: 2 (1 to 9)") != chart.npos);
  CHECK(chart.find("epoch 5: 3</title>") != chart.npos);
  CHECK(chart.find(">10</text>") != chart.npos);  // the axis holds the interval's end
  CHECK(chart.find(">1 without a value<") != chart.npos);
  const std::string alone = svg::line_chart({"t", "x", "y", {{"a", {1}, {2}, {1}, {3}}}});
  check_chart(alone);
  CHECK(count(alone, "stroke-width=\"1.5\"") == 1);  // a whisker
  check_chart(svg::line_chart({"t", "x", "y", {{"a", {1, 2}, {2, 2}, {}, {3}}}}));
  check_chart(svg::line_chart({"t", "x", "y", {{"a", {1, 2}, {2, 2}, {2, 2}, {2, 2}}}}));
}

namespace {

svg::Scatter costs() {
  svg::Scatter s{.title = "Networks of a search",
                 .x_label = "MACs [M]",
                 .y_label = "accuracy under attack",
                 .sets = {{"wide", {}, {}}, {"narrow", {}, {}}},
                 .front = svg::Front{},
                 .percent = true};
  const rng::Stream random(3, Purpose::test);
  for (std::uint32_t k = 0; k < 60; ++k) {
    svg::PointSet& set = s.sets[k % 2];
    const double x = 10 + 90 * random.uniform(2 * k);
    set.x.push_back(x);
    set.y.push_back((k % 2 ? 0.50 : 0.55) * (1 - std::exp(-x / 30)) -
                    0.12 * random.uniform(2 * k + 1));
  }
  return s;
}
report::Figure bands() {
  report::Figure f{.title = "Three seeds", .x_label = "epoch", .y_label = "accuracy", .curves = {}};
  f.percent = true;
  for (const double top : {0.9, 0.5}) {
    report::Curve c{.name = top > 0.6 ? "clean" : "PGD-10", .x = {}, .y = {}};
    for (int e = 1; e <= 30; ++e) {
      c.x.push_back(e);
      c.y.push_back(e == 12 ? absent : top * (1 - std::exp(-e / 8.0)));
      c.low.push_back(c.y.back() * (0.92 - 0.3 / e));
      c.high.push_back(c.y.back() * (1.05 + 0.3 / e));
    }
    f.curves.push_back(c);
  }
  return f;
}
svg::Histogram margins() {
  svg::Histogram h{.title = "Margins under attack",
                   .x_label = "logit of the class - largest other"};
  const rng::Stream random(4, Purpose::test);
  for (std::uint32_t k = 0; k < 400; ++k)
    h.values.push_back(
        6 * (random.uniform(3 * k) + random.uniform(3 * k + 1) + random.uniform(3 * k + 2)) - 7);
  h.values.push_back(absent);
  return h;
}
svg::HeatMap confusions() {
  svg::HeatMap m{.title = "Confusions",
                 .x_label = "predicted",
                 .y_label = "true class",
                 .columns = {"plane", "car", "bird", "cat", "deer", "dog"},
                 .percent = true};
  m.rows = m.columns;
  for (int r = 0; r < 6; ++r)
    for (int c = 0; c < 6; ++c)
      m.values.push_back(r == 4 && c == 4 ? absent
                         : r == c         ? 0.62 + 0.04 * r
                                          : 0.02 * ((r + 2 * c) % 5));
  return m;
}
std::string bars() {
  return svg::bar_chart("Share of images that are classified correctly",
                        {{"resnet20", {{"no attack", {912, 1000}, 5}, {"PGD-20", {451, 1000}}}}});
}
/// The chart at a place of a larger picture.
std::string placed(const std::string& chart, int x, int y, int width, int height) {
  const std::string at = "<svg x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) +
                         "\" width=\"" + std::to_string(width) + "\" height=\"" +
                         std::to_string(height) + "\" ";
  return at + chart.substr(5);
}
std::string picture() {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1040 860\">\n<style>svg { color: "
         "#1a1d21; } @media (prefers-color-scheme: dark) { svg { color: #e4e7eb; } }</style>\n" +
         placed(svg::scatter_chart(costs()), 20, 20, 480, 300) +
         placed(svg::line_chart(bands()), 540, 20, 480, 280) +
         placed(svg::histogram_chart(margins()), 20, 360, 480, 300) +
         placed(svg::heat_map(confusions()), 540, 360, 480, 266) +
         placed(bars(), 110, 690, 820, 140) + "</svg>\n";
}

}  // namespace

TEST_CASE("docs/pictures/charts.svg is what the charts look like") {
  const std::string drawn = picture(), path = RNX_TEST_DIR "/../docs/pictures/charts.svg";
  check_chart(drawn);
  if (std::getenv("RNX_WRITE_PICTURES") != nullptr) io::write_file(path, drawn);
  CHECK_MESSAGE(io::read_file(path, 1 << 20) == drawn,
                "RNX_WRITE_PICTURES=1 test_report writes it anew");
}

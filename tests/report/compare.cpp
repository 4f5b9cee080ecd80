// Reports compared: what is counted, and what is refused because it says nothing.
#include <doctest/doctest.h>

#include "rnx/report/compare.hpp"
#include "rnx/report/write.hpp"
#include "support/error_of.hpp"

using namespace rnx;

namespace {

report::Report two_models() {
  report::Report r{.title = "two", .settings = {{"fingerprint", "abc"}}, .models = {}};
  for (const char* label : {"a", "b"}) {
    report::ModelReport m{.label = label, .model = "net", .weights = "w"};
    eval::Accuracy accuracy;
    const bool first = label[0] == 'a';
    for (int i = 0; i < 6; ++i) {
      eval::Sample s{.label = 1, .clean = i == 5 ? 0 : 1, .attacked = 0};
      s.robust = s.clean == 1 && (first ? i < 4 : i % 2 == 0);
      if (s.robust) s.attacked = 1;
      accuracy.samples.push_back(s);
      accuracy.origins.push_back(std::size_t(10 + i));
    }
    m.attacks.push_back(
        {.name = "pgd:steps=2", .norm = "linf", .eps = "8/255", .accuracy = accuracy});
    r.models.push_back(m);
  }
  return r;
}
std::vector<report::ComparedModel> compared(const report::Report& r) {
  auto models = report::compared_models(report::to_json(r).dump(), "report.json");
  for (std::size_t k = 0; k < models.size(); ++k)
    report::read_samples(models[k], report::per_sample_csv(report::combined(r.models[k].attacks)),
                         "csv");
  return models;
}

}  // namespace

TEST_CASE("a comparison counts the images on which only one model is right") {
  const auto models = compared(two_models());
  const report::Comparison c = report::compare(models[0], models[1]);
  CHECK(c.clean.both == 5);
  CHECK(c.clean.neither == 1);
  // a is robust on 0 to 3, b on 0, 2 and 4
  CHECK(c.robust.both == 2);
  CHECK(c.robust.only_first == 2);
  CHECK(c.robust.only_second == 1);
  CHECK(c.robust.neither == 1);
  const auto json = report::to_json(two_models()).at("paired");
  REQUIRE(json.size() == 1);
  CHECK(json[0].at("robust").at("only_a") == 2);
  CHECK(json[0].at("robust").at("mid_p") == c.robust.mid_p());
}

TEST_CASE("reports that do not match are refused") {
  const auto models = compared(two_models());
  const auto refused = [&](auto change) {
    report::ComparedModel other = models[1];
    change(other);
    return support::error_of<UsageError>([&] { report::compare(models[0], other); });
  };
  CHECK(refused([](auto& m) { m.images = "xyz"; }) ==
        "compare: the reports have other images (fingerprints), \"abc\" and \"xyz\"");
  CHECK(refused([](auto& m) { m.attack = "fgsm"; }).find("other attacks") != std::string::npos);
  CHECK(refused([](auto& m) { m.eps = "4/255"; }).find("other radii") != std::string::npos);
  CHECK(refused([](auto& m) { m.norm = "l2"; }).find("other norms") != std::string::npos);
  CHECK(refused([](auto& m) { m.lattice = "project"; }).find("other lattices") !=
        std::string::npos);
  CHECK(refused([](auto& m) { m.index[2] = 99; }).find("other images") != std::string::npos);
  CHECK(refused([](auto& m) { m.n = 5; }).find("other numbers of images") != std::string::npos);
  const auto damaged = [&](const std::string& json) {
    return support::error_of<FileError>([&] { report::compared_models(json, "report.json"); });
  };
  CHECK(damaged("{}").find("found no schema") != std::string::npos);
  CHECK(damaged("[1").find("found no schema") != std::string::npos);
  CHECK(damaged("{\"schema\": 9}") == "report.json: expected schema 1 or 2, found 9");
  report::ComparedModel m = models[0];
  CHECK(support::error_of<FileError>([&] {
          report::read_samples(m, "index,label,clean_pred,attacked_pred,robust\n1,2,3,3,1\n",
                               "csv");
        }) == "csv: expected 6 images, as the report has, found 1");
}

TEST_CASE("a surrogate is known by its weights, wherever they lie") {
  const auto read = [](const char* file, const char* checksum) {
    report::Report r = two_models();
    r.models.pop_back();
    r.models[0].attacks[0].name = std::string("transfer:weights=") + file + ",steps=3";
    r.models[0].attacks[0].surrogate = checksum;
    return compared(r)[0];
  };
  const report::ComparedModel a = read("a/model.safetensors", "abc");
  CHECK(a.attack == "transfer:weights=abc,steps=3");
  CHECK(report::compare(a, read("b.safetensors", "abc")).robust.n() == 6);
  CHECK(support::error_of<UsageError>([&] {
          report::compare(a, read("a/model.safetensors", "abd"));
        }).find("other attacks") != std::string::npos);
}

TEST_CASE("a security curve falls over growing radii and is in every form of the report") {
  report::Report r = two_models();
  r.models.pop_back();
  report::AttackRow larger = r.models[0].attacks[0];
  larger.eps = "16/255";
  for (int i = 0; i < 6; ++i) {  // stronger on some, weaker on one
    eval::Sample& s = larger.accuracy.samples[std::size_t(i)];
    s.robust = s.clean == 1 && i >= 3;
    s.attacked = s.robust ? 1 : 0;
  }
  r.models[0].attacks.push_back(larger);
  r.models[0].checks.push_back({.name = "black-box",
                                .verdict = eval::Verdict::fired,
                                .value = 0.5,
                                .interval = {0.3, 0.7},
                                .threshold = 0,
                                .quantity = "excess",
                                .advice = "Do <this>."});
  const auto json = report::to_json(r).at("models")[0];
  REQUIRE(json.at("curve").size() == 2);
  CHECK(json.at("curve")[0].at("right") == 4);
  CHECK(json.at("curve")[1].at("right") == 1);
  CHECK(json.at("checks")[0].at("verdict") == "fired");
  const std::string html = report::to_html(r), markdown = report::to_markdown(r);
  CHECK(html.find("Security curve") != html.npos);
  CHECK(html.find("Do &lt;this&gt;.") != html.npos);
  CHECK(html.find("1 of 1 checks fired: black-box") != html.npos);
  CHECK(markdown.find("| 16/255 | 1 | 6 |") != markdown.npos);
  CHECK(markdown.find("1 of 1 checks fired") != markdown.npos);
  std::swap(r.models[0].attacks[0], r.models[0].attacks[1]);
  CHECK(support::error_of<UsageError>([&] { report::to_json(r); }) ==
        "report: the radius 8/255 stands behind a larger one");
}

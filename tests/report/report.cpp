// Reports: the fields of report.json, the lines of per_sample.csv, pages that are well-formed,
// closed against markup in names, and need no network.
#include <doctest/doctest.h>

#include <clocale>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "report/markup.hpp"
#include "rnx/report/write.hpp"
#include "support/error_of.hpp"

using namespace rnx;

namespace {
namespace fs = std::filesystem;

struct Folder {
  fs::path path =
      fs::temp_directory_path() / ("rnx_report_test_" + std::to_string(std::uintptr_t(this)));
  ~Folder() { fs::remove_all(path); }
  std::string read(const std::string& name) const {
    std::ifstream in(path / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

/// Four samples of class 0 to 3. Predictions and robustness as given.
eval::Accuracy accuracy(std::vector<int> clean, std::vector<int> attacked) {
  eval::Accuracy a;
  for (int i = 0; i < int(clean.size()); ++i) {
    eval::Sample s;
    s.label = i;
    s.clean = clean[i];
    s.attacked = attacked[i];
    s.robust = clean[i] == i && attacked[i] == i;
    a.samples.push_back(s);
  }
  return a;
}

const std::string evil = "run/<script>alert('x')</script>\"&|`*.safetensors";

report::ModelReport model(const std::string& label) {
  report::ModelReport m{.label = label, .model = "resnet20", .weights = evil};
  m.details = {{"path", 0}, {"note <i>", "a\nb"}};
  m.attacks.push_back(
      {.accuracy = accuracy({0, 1, 2, 0}, {0, 1, 2, 0}), .forwards = 1, .seconds = 0.25});
  m.attacks.push_back({.name = "fgsm",
                       .norm = "linf",
                       .eps = "8/255",
                       .accuracy = accuracy({0, 1, 2, 0}, {0, 3, 2, 1}),
                       .forwards = 2,
                       .backwards = 1,
                       .seconds = 0.5});
  m.attacks.push_back({.name = "pgd:steps=20",
                       .norm = "linf",
                       .eps = "8/255",
                       .accuracy = accuracy({0, 1, 2, 0}, {2, 1, 2, 2}),
                       .forwards = 21.5,
                       .backwards = 20,
                       .seconds = 3});
  m.cost.rows.push_back({.path = "conv1",
                         .operation = "conv2d",
                         .out = {16, 32, 32},
                         .parameters = 432,
                         .macs = 442368,
                         .activations = 16384,
                         .bops = 28311552});
  m.cost.rows.push_back({.path = "<relu>",
                         .operation = "relu",
                         .out = {16, 32, 32},
                         .relus = 16384,
                         .activations = 16384});
  report::Example e{.index = 1,
                    .label = 1,
                    .clean_pred = 1,
                    .attacked_pred = 3,
                    .dims = {3, 2, 2},
                    .clean = std::vector<float>(12, 0.5f),
                    .adversarial = std::vector<float>(12, 0.5f + 8.f / 255)};
  e.adversarial[0] = std::numeric_limits<float>::quiet_NaN();
  e.clean[1] = 7;
  e.adversarial[1] = -7;
  m.examples.push_back(e);
  m.examples.push_back({.index = 2,
                        .label = 2,
                        .clean_pred = 9,
                        .attacked_pred = -1,
                        .dims = {1, 1, 1},
                        .clean = {0},
                        .adversarial = {1}});
  m.figures = report::training_figures("epoch,train_loss,clean_acc\n1,2,0.25\n2,1,\n");
  return m;
}

report::Report sample_report() {
  report::Report r{.title = "A <title> & more"};
  r.settings = {{"dataset", "cifar10"},
                {"seed", 7},
                {"command", "rnx-eval --weights " + evil},
                {"n", "must not win"}};
  r.class_names = {"cat", "dog", "<b>", "ship"};
  r.models.push_back(model("net"));
  return r;
}
}  // namespace

TEST_CASE("report.json of one model: the fields that programs read") {
  const nlohmann::ordered_json j = report::to_json(sample_report());
  CHECK(j.at("schema") == 2);
  CHECK(j.at("n") == 4);
  CHECK(j.at("clean_acc") == 0.75);
  CHECK(j.at("robust_acc") == 0.25);
  const eval::Interval clean = eval::wilson(3, 4), robust = eval::wilson(1, 4);
  CHECK(j.at("clean_interval") == nlohmann::ordered_json({clean.low, clean.high}));
  CHECK(j.at("robust_interval") == nlohmann::ordered_json({robust.low, robust.high}));
  CHECK(j.at("model") == "resnet20");
  CHECK(j.at("weights") == evil);
  CHECK(j.at("attack") == "fgsm + pgd:steps=20");
  CHECK(j.at("norm") == "linf");
  CHECK(j.at("eps") == "8/255");
  CHECK(j.at("seed") == 7);
  CHECK(j.at("dataset") == "cifar10");
  CHECK(j.at("settings").at("seed") == 7);

  const auto& m = j.at("models").at(0);
  CHECK(m.at("label") == "net");
  CHECK(m.at("robust_acc") == 0.25);
  CHECK(m.at("details").at("path") == 0);
  const auto& attacks = m.at("attacks");
  REQUIRE(attacks.size() == 3);
  CHECK(attacks[0].at("name") == "clean");
  CHECK(attacks[0].at("acc") == 0.75);
  CHECK(attacks[1].at("right") == 2);
  CHECK(attacks[2].at("right") == 2);
  CHECK(attacks[2].at("n") == 4);
  CHECK(attacks[1].at("after").at("right") == 2);
  CHECK(attacks[2].at("after").at("right") == 1);
  CHECK(attacks[2].at("after").at("acc") == 0.25);
  CHECK(attacks[2].at("interval") ==
        nlohmann::ordered_json({eval::wilson(2, 4).low, eval::wilson(2, 4).high}));
  CHECK(attacks[1].at("forwards_per_sample").is_number_integer());
  CHECK(attacks[2].at("forwards_per_sample") == 21.5);
  CHECK(attacks[2].at("backwards_per_sample") == 20);
  CHECK(attacks[2].at("seconds") == 3);
  CHECK(m.at("cost").at("parameters") == 432);
  CHECK(m.at("cost").at("macs") == 442368);
  CHECK(m.at("cost").at("bops") == 28311552);
  CHECK(m.at("cost").at("relus") == 16384);
  REQUIRE(m.at("cost").at("layers").size() == 2);
  CHECK(m.at("cost").at("layers")[0].at("out") == nlohmann::ordered_json({16, 32, 32}));
  CHECK(m.at("figures").size() == 2);
  CHECK(m.at("examples")[0].at("attacked_pred") == 3);
  CHECK(nlohmann::json::parse(report::detail::json_text(j))
            .at("models")[0]
            .at("figures")[1]
            .at("curves")[0]
            .at("y")[1]
            .is_null());
}

TEST_CASE("several models: no headline numbers at the top level; clean alone; no samples") {
  report::Report r = sample_report();
  r.models.push_back(model("other"));
  const auto two = report::to_json(r);
  CHECK(two.at("models").size() == 2);
  CHECK_FALSE(two.contains("clean_acc"));
  CHECK_FALSE(two.contains("seed"));
  CHECK(two.at("settings").at("seed") == 7);

  r.models.resize(1);
  r.models[0].attacks.resize(1);
  const auto clean = report::to_json(r);
  CHECK(clean.at("attack") == "clean");
  CHECK(clean.at("robust_acc") == 0.75);
  CHECK(report::verdict(r).find("No attack was run") != std::string::npos);

  r.models[0].attacks[0].accuracy = {};
  const auto none = report::to_json(r);
  CHECK(none.at("n") == 0);
  CHECK(none.at("clean_interval") == nlohmann::ordered_json({0., 1.}));
  CHECK(report::verdict(r) == "No image was evaluated.");
  CHECK(markup::fault(report::to_html(r)) == "");
  CHECK_FALSE(report::to_markdown(r).empty());
}

TEST_CASE("per_sample.csv: a sample is robust when it is robust in every row") {
  const auto m = model("net");
  const std::string header = "index,label,clean_pred,attacked_pred,robust,fooled_by\n";
  CHECK(report::per_sample_csv({}) == header);
  CHECK(report::per_sample_csv(m.attacks[1].accuracy) ==
        header + "0,0,0,0,1,0\n1,1,1,3,0,0\n2,2,2,2,1,0\n3,3,0,1,0,0\n");
  // sample 0 falls to pgd, sample 1 already to fgsm; sample 3 was wrong before
  eval::Accuracy shuffled = m.attacks[1].accuracy;
  shuffled.origins = {7, 0, 30, 4};
  CHECK(report::per_sample_csv(shuffled) ==
        header + "7,0,0,0,1,0\n0,1,1,3,0,0\n30,2,2,2,1,0\n4,3,0,1,0,0\n");
  CHECK(report::per_sample_csv(report::combined(m.attacks)) ==
        header + "0,0,0,2,0,2\n1,1,1,3,0,1\n2,2,2,2,1,0\n3,3,0,2,0,0\n");
}

TEST_CASE("after each member of a sequence: in json, markdown, html and the lines of samples") {
  report::Report r = sample_report();
  auto& rows = r.models[0].attacks;
  rows[1].name = "aa-standard";
  rows[1].accuracy.members = {"apgd-ce", "<square>"};
  rows[1].accuracy.samples[1].member = 2;
  const auto members = report::to_json(r).at("models")[0].at("attacks")[1].at("members");
  REQUIRE(members.size() == 2);
  CHECK(members[0].at("name") == "apgd-ce");
  CHECK(members[0].at("right") == 3);
  CHECK(members[1].at("right") == 2);
  CHECK(members[1].at("n") == 4);
  CHECK(report::to_markdown(r).find("| apgd-ce | 3 | 4 |") != std::string::npos);
  const std::string page = report::to_html(r);
  CHECK(markup::fault(page) == "");
  CHECK(page.find("After each attack of a sequence") != std::string::npos);
  // pgd behind it is the third attack: sample 0 falls to it, sample 1 to the second
  const std::string csv = report::per_sample_csv(report::combined(rows));
  CHECK(csv.find("0,0,0,2,0,3\n1,1,1,3,0,2\n") != std::string::npos);
  CHECK_FALSE(
      report::to_json(sample_report()).at("models")[0].at("attacks")[1].contains("members"));
}

TEST_CASE(
    "report.html is one well-formed file without network, scripts, or names that act as markup") {
  report::Report r = sample_report();
  r.models.push_back(model("<img src=x onerror=alert(1)>"));
  r.models.back().figures[0].curves[0].name = "</svg><script>";
  r.models.back().attacks[2].name = "<script>:\"><script>";
  r.settings["nested"] = {{"k", "<script>"}};
  r.settings["<script>"] = nullptr;
  r.class_names[1] = "\"><script>";
  for (const report::Report& each : {sample_report(), r}) {
    const std::string html = report::to_html(each);
    CHECK(markup::fault(html) == "");
    CHECK(html.find("<script") == html.npos);
    CHECK(html.find("<img src=x") == html.npos);
    CHECK(html.find("run/&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;|") !=
          html.npos);
    for (std::size_t at = 0; (at = html.find("http", at)) != html.npos; ++at)
      CHECK(html.substr(at - 7, 34) == "xmlns=\"http://www.w3.org/2000/svg\"");
    for (const char* reference : {"<link", "@import", "url(", "<iframe", "<base", "srcset"})
      CHECK_MESSAGE(html.find(reference) == html.npos, reference);
    for (std::size_t at = 0; (at = html.find("src=\"", at)) != html.npos; ++at)
      CHECK(html.substr(at + 5, 22) == "data:image/png;base64,");
    CHECK(html.find("75\u00A0%") != html.npos);
    CHECK(html.find("95\u00A0% interval") != html.npos);
    CHECK(html.find("prefers-color-scheme: dark") != html.npos);
    CHECK(html.find("image-rendering: pixelated") != html.npos);
    CHECK(html.find("<details>") != html.npos);
    CHECK(html.find("442,368") != html.npos);
  }
  std::size_t pictures = 0;
  const std::string html = report::to_html(sample_report());
  for (std::size_t at = 0; (at = html.find("<img ", at)) != html.npos; ++at) ++pictures;
  CHECK(pictures == 6);
}

TEST_CASE("report.md: tables keep their columns, markup in names is escaped") {
  const std::string md = report::to_markdown(sample_report());
  CHECK(md.starts_with("# A &lt;title> &amp; more\n"));
  CHECK(md.find("<script>") == md.npos);
  CHECK(md.find("| net | 4 | 75\u00A0% (30\u201395\u00A0%) | 25\u00A0% (5\u201370\u00A0%) | 432 | "
                "442,368 | 28.3\u00A0M | 16,384 |") != md.npos);
  CHECK(md.find("| pgd:steps=20 | linf | 8/255 | 2 | 4 |") != md.npos);
  CHECK(md.find("| note &lt;i> | a b |") != md.npos);
}

TEST_CASE("the verdict says which intervals overlap and when attacks differ") {
  report::Report r = sample_report();
  r.models.push_back(model("other"));
  CHECK(report::verdict(r).find(
            "overlaps with that of other, so these numbers alone do not order them") !=
        std::string::npos);
  CHECK(report::verdict(r).find("Highest accuracy under fgsm + pgd (L\u221E\u00A0"
                                "8/255): net, 25\u00A0% of 4 images") != std::string::npos);
  r.models[1].attacks.pop_back();
  CHECK(report::verdict(r).find("cannot be compared") != std::string::npos);
  r.models.resize(1);
  CHECK(
      report::verdict(r) ==
      "Of 4 images, 3 (75\u00A0%, 95\u00A0% interval 30\u201395\u00A0%) are classified correctly; "
      "1 (25\u00A0%, 95\u00A0% interval 5\u201370\u00A0%) stay correct under fgsm + pgd "
      "(L\u221E\u00A0"
      "8/255).");

  std::vector<report::AttackRow> rows{{.name = "pgd:steps=2", .norm = "l2", .eps = "0.5"},
                                      {.name = "pgd:steps=9", .norm = "l2", .eps = "0.5"},
                                      {.name = "own"}};
  CHECK(report::attack_labels(rows) == std::vector<std::string>{"pgd:steps=2 (L2\u00A0"
                                                                "0.5)",
                                                                "pgd:steps=9 (L2\u00A0"
                                                                "0.5)",
                                                                "own"});
}

TEST_CASE(
    "files: names per model, old ones replaced, other locales, and bytes that are not UTF-8") {
  Folder f;
  report::Report r = sample_report();
  r.models[0].weights = "run/\xFF\x80.safetensors";
  const char* german = std::setlocale(
      LC_ALL, "de_DE.UTF-8");  // where it is installed, its decimal comma must not show
  report::write(f.path / "a" / "b", r);
  report::write(f.path / "a" / "b", r);
  if (german) std::setlocale(LC_ALL, "C");
  CHECK(nlohmann::json::parse(f.read("a/b/report.json")).at("weights") ==
        "run/\uFFFD\uFFFD.safetensors");
  CHECK(f.read("a/b/report.html").find("run/\uFFFD\uFFFD.safetensors") != std::string::npos);
  CHECK(f.read("a/b/per_sample.csv") ==
        report::per_sample_csv(report::combined(r.models[0].attacks)));
  CHECK(f.read("a/b/report.md") == report::to_markdown(r));
  CHECK(std::distance(fs::directory_iterator(f.path / "a/b"), {}) == 4);

  r.models.push_back(model("../../up"));
  r.models.push_back(model(".._.._up"));
  CHECK(report::per_sample_names(r) == std::vector<std::string>{"per_sample-net.csv",
                                                                "per_sample-.._.._up.csv",
                                                                "per_sample-.._.._up_2.csv"});
  report::write(f.path, r);
  CHECK(std::distance(fs::directory_iterator(f.path), {}) == 7);

  std::ofstream(f.path / "file") << "x";
  CHECK(support::error_of<FileError>([&] {
          report::write(f.path / "file", r);
        }).find("the folder cannot be made") != std::string::npos);
}

TEST_CASE("a report that contradicts itself is refused") {
  const auto refused = [](auto change) {
    report::Report r = sample_report();
    change(r);
    return support::error_of<Error>([&] { report::to_html(r); });
  };
  CHECK(refused([](report::Report&) {}) == "no error");
  CHECK(refused([](report::Report& r) { r.models.clear(); }).find("no model") != std::string::npos);
  CHECK(refused([](report::Report& r) {
          r.models.push_back(r.models[0]);
        }).find("two models have the label \"net\"") != std::string::npos);
  CHECK(refused([](report::Report& r) { r.models[0].attacks.clear(); }).find("was not evaluated") !=
        std::string::npos);
  CHECK(refused([](report::Report& r) {
          r.models[0].attacks[1].accuracy.samples.pop_back();
        }).find("the same images") != std::string::npos);
  CHECK(refused([](report::Report& r) {
          r.models[0].attacks[1].accuracy.samples[0].label = 9;
        }).find("other labels") != std::string::npos);
  CHECK(refused([](report::Report& r) {
          r.models[0].examples[0].clean.pop_back();
        }).find("the example 1") != std::string::npos);
  CHECK(refused([](report::Report& r) {
          r.models[0].examples[0].dims.c = 2;
        }).find("one or three channels") != std::string::npos);
}

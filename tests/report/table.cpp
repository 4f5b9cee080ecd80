// Tables of runs: where values come from, means and intervals, what is missing, what is refused.
#include <doctest/doctest.h>

#include <clocale>

#include "report/markup.hpp"
#include "rnx/report/table_text.hpp"
#include "support/error_of.hpp"
#include "support/folder.hpp"

using namespace rnx;

namespace {

const std::string evil = "<script>|`&\"";

/// Run directories as the executables write them, in what tables read.
struct Runs : support::Folder {
  explicit Runs() : support::Folder("table") {}
  /// rnx-train's.
  std::filesystem::path trained(const std::string& name, int seed, double clean, double robust,
                                const std::string& eps = "8/255", double lr = 0.1) const {
    nlohmann::ordered_json run{{"configuration", {{"lr", lr}, {"seed", seed}}}};
    write(name + "/run.json", run.dump());
    write(name + "/eval/final/report.json", report_of(clean, robust, eps).dump());
    return path / name;
  }
  static nlohmann::ordered_json report_of(double clean, double robust, const std::string& eps) {
    return {{"settings", {{"fingerprint", "abc"}}},
            {"models",
             {{{"n", 100},
               {"clean_acc", clean},
               {"robust_acc", robust},
               {"attack", "pgd:steps=20"},
               {"norm", "linf"},
               {"eps", eps}}}}};
  }
};

report::TableColumn log_column(report::Pick pick, report::Better better = report::Better::higher) {
  return {.name = "loss",
          .path = "/values/ce.adv",
          .file = "log.jsonl",
          .pick = pick,
          .better = better,
          .digits = 3};
}
std::optional<double> in_log(const std::filesystem::path& run, const report::TableColumn& c) {
  return report::detail::find_value(run, c).value;
}

}  // namespace

TEST_CASE("Student's t: quantiles of printed tables") {
  for (const auto& [freedom, t] : {std::pair{1, 12.7062},
                                   {2, 4.3027},
                                   {3, 3.1824},
                                   {4, 2.7764},
                                   {9, 2.2622},
                                   {30, 2.0423},
                                   {120, 1.9799}})
    CHECK(eval::student_quantile(freedom) == doctest::Approx(t).epsilon(3e-5));
  CHECK(eval::student_quantile(5, 0.99) == doctest::Approx(4.0321).epsilon(1e-5));
  CHECK_THROWS_AS(eval::student_quantile(0), UsageError);
  CHECK_THROWS_AS(eval::student_quantile(1, 1), UsageError);

  const double values[] = {1, 2, 3, 4};
  const eval::Mean m = eval::mean(values);
  CHECK(m.value == 2.5);
  CHECK(m.half == doctest::Approx(3.182446 * std::sqrt(5.0 / 3 / 4)).epsilon(1e-6));
  CHECK(std::isnan(eval::mean(std::span(values).first(1)).half));
  CHECK(std::isnan(eval::mean({}).value));
}

TEST_CASE("a table has means over seeds, printed values and their differences") {
  const Runs runs;
  const report::Table table(
      "MBN", {report::clean_column("Top-1 [%]"), report::robust_column("PGD-20 [%]")},
      {{.label = "MBN 3x1",
        .runs = {runs.trained("a", 1, 0.87, 0.14), runs.trained("b", 2, 0.88, 0.15),
                 runs.trained("c", 3, 0.86, 0.16)},
        .paper = {87.19, 14.28},
        .group = "ResNet-20"},
       {.label = "XNOR-Net",
        .runs = {runs.trained("d", 1, 0.84, 0.10, "8/255", 0.2)},
        .paper = {84.0, 9.93},
        .group = "ResNet-20"},
       {.label = evil,
        .runs = {runs.trained("e", 1, 0.9, 0), runs.path / "not there"},
        .group = "ResNet-56"},
       {.label = "to come",
        .runs = {runs.path / "nowhere"},
        .paper = {90, std::nullopt},
        .group = "ResNet-56"}});
  const report::TableCell& first = table.cell(0, 0);
  CHECK(first.mean.value == doctest::Approx(87));
  CHECK(first.mean.half == doctest::Approx(4.302653 / std::sqrt(3.0)).epsilon(1e-6));
  CHECK(first.difference() == doctest::Approx(-0.19));
  CHECK_FALSE(first.differs);
  CHECK_FALSE(table.cell(1, 0).differs);
  CHECK(table.cell(1, 1).differs);  // a single run: 10.00 is printed as 9.93
  CHECK(table.cell(2, 1).mean.value == 0);
  CHECK_FALSE(table.cell(2, 1).missing());
  CHECK(table.cell(3, 0).missing());

  const std::string page = report::to_markdown(table);
  CHECK(page.starts_with("# MBN\n\n|"));
  CHECK(page.find("|  |  | Top-1 \\[%\\] | paper | PGD-20 \\[%\\] | paper |\n"
                  "|---|---|--:|--:|--:|--:|\n") != page.npos);
  CHECK(page.find("| ResNet-20 | MBN 3x1 | 87.00 \u00B1 2.48 | 87.19 (-0.19) | 15.00 \u00B1 2.48 | "
                  "14.28 (+0.72) |\n") != page.npos);
  CHECK(
      page.find("| ResNet-20 | XNOR-Net | 84.00 | 84.00 (+0.00) | 10.00 | 9.93 (**+0.07**) |\n") !=
      page.npos);
  CHECK(page.find("| 90.00 1 of 2 runs |  | 0.00 1 of 2 runs |  |\n") != page.npos);
  CHECK(page.find("| ResNet-56 | to come | missing | 90.00 | missing |  |\n") != page.npos);
  CHECK(page.find("<script") == page.npos);

  const std::string csv = report::to_csv(table);
  CHECK(
      csv.starts_with("group,label,runs,Top-1 [%],Top-1 [%] half,Top-1 [%] n,Top-1 [%] paper,Top-1 "
                      "[%] differs,PGD-20 [%],"));
  CHECK(csv.find("\nResNet-20,XNOR-Net,1,84,,1,84,0,10,,1,9.93,1\n") != csv.npos);
  CHECK(csv.find("\nResNet-56,\"<script>|`&\"\"\",2,90,,1,,,0,,1,,\n") != csv.npos);
  CHECK(csv.ends_with("\nResNet-56,to come,1,,,0,90,,,,0,,\n"));

  const std::string html = report::to_html(table);
  CHECK(markup::fault(html) == "");
  CHECK(html.find("<script") == html.npos);
  CHECK(html.find("<td class=\"n\"><b>87.00</b><small>\u00B1 2.48</small></td>") != html.npos);
  CHECK(html.find("<td class=\"n differs\">9.93<small>+0.07</small></td>") != html.npos);
  CHECK(html.find("<td class=\"n index\">missing</td>") != html.npos);
}

TEST_CASE(
    "a tolerance is an allowance for printed values; without any there is no column for them") {
  const Runs runs;
  report::TableColumn column = report::clean_column("clean");
  column.tolerance = 0.5;
  const auto run = runs.trained("a", 1, 0.845, 0.1);
  CHECK_FALSE(report::Table("", {column}, {{.label = "a", .runs = {run}, .paper = {84.2}}})
                  .cell(0, 0)
                  .differs);
  CHECK(report::Table("", {column}, {{.label = "a", .runs = {run}, .paper = {83.9}}})
            .cell(0, 0)
            .differs);
  const report::Table plain("t", {column}, {{.label = "a", .runs = {run}}});
  CHECK(report::to_markdown(plain).find("|  | clean |\n|---|--:|\n| a | 84.50 |\n") !=
        std::string::npos);
}

TEST_CASE("values of a log: the last and the best, whole lines only") {
  const Runs runs;
  runs.write(
      "run/log.jsonl",
      "{\"values\":{\"ce.adv\":2}}\n{\"values\":{\"ce.adv\":0.5}}\n{}\n"
      "{\"values\":{\"ce.adv\":1}}\n{\"values\":{\"ce.adv\":null}}\n{\"values\":{\"ce.adv\":9");
  const auto run = runs.path / "run";
  using enum report::Better;
  CHECK(in_log(run, log_column(report::Pick::last)) == 1);
  CHECK(in_log(run, log_column(report::Pick::best, higher)) == 2);
  CHECK(in_log(run, log_column(report::Pick::best, lower)) == 0.5);
  runs.write("empty/log.jsonl", "");
  CHECK_FALSE(in_log(runs.path / "empty", log_column(report::Pick::last)).has_value());
  CHECK_FALSE(in_log(runs.path / "none", log_column(report::Pick::last)).has_value());
  const report::Table table("t", {log_column(report::Pick::last)}, {{.label = "a", .runs = {run}}});
  CHECK(report::to_markdown(table).find("| a | 1.000 |") != std::string::npos);

  runs.write("run/log.jsonl", "{}\n{\"values\n");
  CHECK(support::error_of<FileError>([&] { in_log(run, log_column(report::Pick::last)); }) ==
        (run / "log.jsonl").string() + ", line 2: expected a JSON object, found something else");
}

TEST_CASE("rows that cannot be compared are refused") {
  const Runs runs;
  const auto a = runs.trained("a", 1, 0.8, 0.4), b = runs.trained("b", 2, 0.7, 0.3, "4/255");
  const std::vector<report::TableRow> rows{{.label = "a", .runs = {a}},
                                           {.label = "b", .runs = {b}}};
  const auto sentence = [&](const report::TableColumn& c) {
    return support::error_of<UsageError>([&] { report::Table("t", {c}, rows); });
  };
  CHECK(sentence(report::clean_column("clean")) == "no error");
  CHECK(sentence(report::robust_column("PGD")) ==
        "table: the column \"PGD\" compares runs whose /models/0/eps differs: \"8/255\" in " +
            (a / "eval/final/report.json").string() + ", \"4/255\" in " +
            (b / "eval/final/report.json").string());
  const auto change = [&](const char* path, const nlohmann::ordered_json& value) {
    auto json = Runs::report_of(0.7, 0.3, "8/255");
    json[nlohmann::ordered_json::json_pointer(path)] = value;
    runs.write("b/eval/final/report.json", json.dump());
    return sentence(report::robust_column("PGD"));
  };
  CHECK(change("/models/0/attack", "pgd:steps=10").find("/models/0/attack differs") !=
        std::string::npos);
  CHECK(change("/models/0/n", 50).find("/models/0/n differs: 100 in") != std::string::npos);
  CHECK(change("/settings/fingerprint", "abd").find("/settings/fingerprint differs") !=
        std::string::npos);
  CHECK(change("/models/0/clean_acc", 0.1) == "no error");       // nothing that is compared
  CHECK(change("/models/0/robust_acc", nullptr) == "no error");  // missing: nothing to compare

  runs.write("b/eval/final/report.json", "{\"models\":[{\"clean_acc\":1,\"n\":1}]}");
  CHECK(support::error_of<FileError>([&] { report::Table("t", {report::clean_column("c")}, rows); })
            .ends_with(
                "report.json: there is no /settings/fingerprint, which the column \"c\" compares"));
  // a log is compared by its run
  runs.write("a/log.jsonl", "{\"values\":{\"ce.adv\":1}}\n");
  runs.write("b/log.jsonl", "{\"values\":{\"ce.adv\":2}}\n");
  report::TableColumn log = log_column(report::Pick::last);
  log.compares = {"/configuration/lr"};
  CHECK(sentence(log) == "no error");
  log.compares = {"/configuration/seed"};
  CHECK(sentence(log).find("/configuration/seed differs: 1 in " + (a / "run.json").string()) !=
        std::string::npos);
}

TEST_CASE("a row's runs are seeds of one configuration") {
  const Runs runs;
  const auto a = runs.trained("a", 1, 0.8, 0.4), b = runs.trained("b", 1, 0.7, 0.3),
             c = runs.trained("c", 2, 0.7, 0.3, "8/255", 0.2);
  const auto sentence = [&](std::vector<std::filesystem::path> list) {
    return support::error_of<UsageError>([&] {
      report::Table("t", {report::clean_column("c")}, {{.label = "r", .runs = std::move(list)}});
    });
  };
  CHECK(sentence({a, b}) == "table: the row \"r\" holds runs of the same configuration and seed: " +
                                a.string() + " and " + b.string());
  CHECK(sentence({a, c}) == "table: the row \"r\" holds runs of several configurations: " +
                                a.string() + " and " + c.string() + " differ in \"lr\"");
  CHECK(sentence({a, a / "."}).find("twice") != std::string::npos);
  const report::TableRow own{.label = "r", .runs = {a, c}, .own = {"lr"}};
  CHECK(report::Table("t", {report::clean_column("c")}, {own}).cell(0, 0).mean.n == 2);
}

TEST_CASE("a table that cannot be one gets a sentence before a file is read") {
  const report::TableColumn fine{.name = "c", .path = "/x"};
  const report::TableRow row{.label = "r", .runs = {"/nowhere"}};
  using Columns = std::vector<report::TableColumn>;
  using Rows = std::vector<report::TableRow>;
  const auto with = [&](auto change) {
    report::TableColumn c = fine;
    change(c);
    return Columns{c};
  };
  const std::tuple<Columns, Rows, std::string> cases[] = {
      {{}, {row}, "at least a column and a row"},
      {{fine}, {}, "at least a column and a row"},
      {{fine, fine}, {row}, "the column \"c\" is there twice"},
      {{fine}, {row, row}, "the row \"r\" is there twice"},
      {{fine}, {{.label = "r", .paper = {1, 2}}}, "has 2 printed values, the table 1 columns"},
      {with([](auto& c) { c.path = "x"; }), {row}, "\"x\" is no path into JSON"},
      {with([](auto& c) { c.compares = {"/~"}; }), {row}, "\"/~\" is no path into JSON"},
      {with([](auto& c) { c.scale = 0; }), {row}, "expects a scale that is not 0"},
      {with([](auto& c) { c.digits = -1; }), {row}, "0 to 12 digits"},
      {with([](auto& c) { c.pick = report::Pick::last; }), {row}, "found \"report.json\""},
      {with([](auto& c) { c.file = "log.jsonl"; }), {row}, "found \"log.jsonl\""}};
  for (const auto& [columns, rows, part] : cases) {
    const std::string found =
        support::error_of<UsageError>([&, &c = columns, &r = rows] { report::Table("t", c, r); });
    CHECK_MESSAGE(found.find(part) != std::string::npos, found);
    CHECK(found.starts_with("table: "));
  }
  CHECK(report::Table("t", {fine}, {row}).cell(0, 0).missing());
}

TEST_CASE("files that hold something else are refused") {
  const Runs runs;
  const auto sentence = [&](const std::string& text) {
    runs.write("a/report.json", text);
    return support::error_of<FileError>([&] {
      report::Table("t", {{.name = "c", .path = "/a/0"}},
                    {{.label = "r", .runs = {runs.path / "a"}}});
    });
  };
  for (const char* text : {"", "{", "[1]", "3", "\xFF"})
    CHECK(sentence(text).ends_with("report.json: expected a JSON object, found something else"));
  CHECK(sentence("{\"a\":[\"0.5\"]}").ends_with("expected a number at /a/0, found a string"));
  CHECK(sentence("{\"a\":[true]}").ends_with("expected a number at /a/0, found a boolean"));
  for (const char* missing :
       {"{}", "{\"a\":[]}", "{\"a\":[null]}", "{\"a\":3}", "{\"a\":[1e400]}"}) {
    runs.write("a/report.json", missing);
    const std::string found = sentence(missing);
    CHECK_MESSAGE((found == "no error" || found.find("expected a JSON object") != found.npos),
                  found);
  }
}

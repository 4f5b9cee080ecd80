#include <rnx/report/compare.hpp>

#include "evaluate.hpp"

namespace evaluation {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

/// "DIR" or "DIR:LABEL", where the report has several models. Errors: UsageError, FileError.
report::ComparedModel read_compared(const std::string& text) {
  std::error_code error;
  std::string folder = text, label;
  const std::size_t colon = text.rfind(':');
  if (!fs::exists(text, error) && colon != text.npos) {
    folder = text.substr(0, colon);
    label = text.substr(colon + 1);
  }
  const fs::path dir = folder, file = dir / "report.json";
  const auto models = report::compared_models(io::read_file(file, 256 << 20), file.string());
  std::vector<std::string> labels;
  report::Report names;
  for (const auto& m : models) {
    labels.push_back(m.label);
    names.models.push_back({.label = m.label, .model = m.model, .weights = ""});
  }
  require(models.size() == 1 || !label.empty(), [&] {
    return fmt::format("{} has several models; {}:LABEL names one: {}", folder, folder,
                       fmt::join(labels, ", "));
  });
  if (label.empty()) label = labels[0];
  tools::require_known(folder, label, labels);
  const auto k = std::size_t(std::find(labels.begin(), labels.end(), label) - labels.begin());
  report::ComparedModel chosen = models[k];
  const fs::path samples = dir / report::per_sample_names(names)[k];
  report::read_samples(chosen, io::read_file(samples, 1 << 30), samples.string());
  return chosen;
}

std::string text_of(const std::string& what, const eval::Paired& p) {
  const eval::Interval i = p.interval();
  return fmt::format(
      "{}: A {:.2f} %, B {:.2f} % of {} images\n  right: both {}, only A {}, only B {}, neither "
      "{}\n  A - B: {:+.2f} points [{:+.2f}, {:+.2f}] (95 %), McNemar exact p = {:.3g}, mid-p = "
      "{:.3g}\n",
      what, 100 * p.first().value(), 100 * p.second().value(), p.n(), p.both, p.only_first,
      p.only_second, p.neither, 100 * p.difference(), 100 * i.low, 100 * i.high, p.exact_p(),
      p.mid_p());
}

int compare(const std::vector<std::string>& reports, const std::string& format) {
  require(reports.size() == 2, "expected the folders of two reports");
  tools::require_known("--format", format, {"text", "json"});
  const auto a = read_compared(reports[0]), b = read_compared(reports[1]);
  const report::Comparison c = report::compare(a, b);
  if (format == "json") {
    tools::write_out(Json{{"schema", 1},
                          {"a", a.label},
                          {"b", b.label},
                          {"attack", a.attack},
                          {"norm", a.norm},
                          {"eps", a.eps},
                          {"clean", report::detail::json(c.clean)},
                          {"robust", report::detail::json(c.robust)}}
                         .dump(2, ' ', false, Json::error_handler_t::replace) +
                     "\n");
    return 0;
  }
  std::string text =
      fmt::format("A: {} ({})\nB: {} ({})\n", a.label, reports[0], b.label, reports[1]);
  text += text_of("clean", c.clean);
  if (a.attack != "clean") text += text_of(a.attack + ", " + a.norm + " " + a.eps, c.robust);
  tools::write_out(text);
  return 0;
}

}  // namespace

void add_compare_verb(tools::App& app) {
  app.verb("compare", "two reports on the same images, paired",
           [](const tools::App::Arguments& arguments) {
             tools::App verb("rnx-eval compare",
                             "Compares two models that were evaluated on the same images.");
             std::vector<std::string> reports;
             std::string format = "text";
             verb.cli.add_option("reports", reports, "two folders of reports, or FOLDER:LABEL")
                 ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
             verb.cli.add_option("--format", format, "text | json");
             return verb.run(arguments, [&] { return compare(reports, format); });
           });
}

}  // namespace evaluation

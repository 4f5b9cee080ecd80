// A report as files: report.json for programs, report.md for a page of text, report.html (one file,
// no network) for readers, per_sample.csv.
#pragma once

#include <filesystem>
#include <functional>
#include <set>

#include "rnx/report/html.hpp"
#include "rnx/report/json.hpp"
#include "rnx/report/markdown.hpp"

namespace rnx::inline RNX_ISA::report {

/// One line per sample: index,label,clean_pred,attacked_pred,robust (0 or 1),fooled_by. The index
/// is that of the data set's files, whatever was shuffled; fooled_by is the number of the attack,
/// in the report's order and with each member of a sequence counted, 0 where there is none.
inline std::string per_sample_csv(const eval::Accuracy& accuracy) {
  std::string csv = "index,label,clean_pred,attacked_pred,robust,fooled_by\n";
  for (std::size_t i = 0; i < accuracy.samples.size(); ++i) {
    const eval::Sample& s = accuracy.samples[i];
    for (const long v : {long(accuracy.origin(i)), long(s.label), long(s.clean), long(s.attacked)})
      (csv += std::to_string(v)) += ',';
    csv += (s.robust ? "1," : "0,") + std::to_string(s.member) + "\n";
  }
  return csv;
}

/// The names of the per-sample files, one per model: per_sample.csv, or with several models
/// per_sample-LABEL.csv, where characters that do not belong in a file name are '_'.
inline std::vector<std::string> per_sample_names(const Report& report) {
  if (report.models.size() == 1) return {"per_sample.csv"};
  std::vector<std::string> names;
  std::set<std::string> used;
  for (const ModelReport& m : report.models) {
    std::string label = m.label.substr(0, 100);
    for (char& c : label)
      if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            c == '.' || c == '-' || c == '_'))
        c = '_';
    std::string name = label;
    for (int k = 2; !used.insert(name).second; ++k) name = label + "_" + std::to_string(k);
    names.push_back("per_sample-" + name + ".csv");
  }
  return names;
}

/// Writes report.json first, then report.html, report.md and the per-sample files, into the folder,
/// which is made if need be; each file is replaced as a whole. report.json is the result; the
/// others only show it: where `failed` is set it is told the sentence of each that cannot be made
/// or written, and the call succeeds. Errors: FileError; UsageError and ShapeError (see verify).
inline void write(const std::filesystem::path& dir, const Report& report,
                  const std::function<void(const std::string&)>& failed = {}) {
  verify(report);
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  require<FileError>(std::filesystem::is_directory(dir, error),
                     [&] { return dir.string() + ": the folder cannot be made"; });
  io::write_file(dir / "report.json", detail::json_text(to_json(report)) + "\n");
  const auto extra = [&](const std::string& name, auto&& text) {
    try {
      io::write_file(dir / name, text());
    } catch (const std::exception& e) {
      if (!failed) throw;
      failed(e.what());
    }
  };
  extra("report.html", [&] { return to_html(report); });
  extra("report.md", [&] { return to_markdown(report); });
  const auto names = per_sample_names(report);
  for (std::size_t m = 0; m < names.size(); ++m)
    extra(names[m], [&] { return per_sample_csv(combined(report.models[m].attacks)); });
}

}  // namespace rnx::inline RNX_ISA::report

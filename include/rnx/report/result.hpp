// What a report is about: models, the attacks they were under, and what is shown beside the
// numbers. Plain data.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "rnx/cost.hpp"
#include "rnx/eval/accuracy.hpp"
#include "rnx/eval/check.hpp"
#include "rnx/report/figure.hpp"

namespace rnx::inline RNX_ISA::report {

/// An image before and after an attack, pixels in [0, 1], (h, w, c) with one or three channels.
struct Example {
  int index = 0;  ///< in the data set
  int label = 0, clean_pred = 0, attacked_pred = 0;
  Dims dims{};
  std::vector<float> clean{}, adversarial{};
};

/// One evaluation of a model on the images. A row named "clean" is one without an attack.
struct AttackRow {
  std::string name = "clean";  ///< with its parameters: "pgd:steps=20,step=2/255"
  std::string norm{}, eps{};   ///< "linf", "8/255"
  eval::Accuracy accuracy{};
  double forwards = 0, backwards = 0;  ///< passes per sample, 0 where they were not counted
  double seconds = 0;
  std::string lattice =
      "off";                ///< whether images on the 8-bit lattice were counted (eval::Lattice)
  std::string surrogate{};  ///< checksum of the weights that a transferred attack was made on
  bool is_clean() const { return name == "clean"; }
};

struct ModelReport {
  std::string label;           ///< how tables and file names call it; unique in a report
  std::string model, weights;  ///< the registry's name, the file
  /// further facts, shown as they are
  nlohmann::ordered_json details = nlohmann::ordered_json::object();
  /// at least one row; all on the same images, in the same order
  std::vector<AttackRow> attacks{};
  cost::Table cost{};
  std::vector<eval::Check> checks{};
  std::vector<Example> examples{};
  std::vector<Figure> figures{};  ///< training curves
};

struct Report {
  std::string title;
  nlohmann::ordered_json settings = nlohmann::ordered_json::
      object();  ///< what the numbers depend on: data set, seed, instruction set, command
  std::vector<std::string> class_names{};  ///< empty: classes are shown by number
  std::vector<ModelReport> models{};
};

/// How many attacks a row is: those of a sequence are several.
inline int attacks_of(const AttackRow& row) {
  return row.is_clean() ? 0 : std::max(1, int(row.accuracy.members.size()));
}

/// Robust to the first `count` rows together (all of them by default): a sample counts when it is
/// robust in each. `attacked` is the prediction under the first attack that fooled the model, else
/// under the last one; `member` the number of that attack, from 1 on, where those of a sequence are
/// counted one by one and clean images are none.
inline eval::Accuracy combined(const std::vector<AttackRow>& rows,
                               std::size_t count = std::size_t(-1)) {
  eval::Accuracy all;
  int before = 0;  // attacks of the rows before
  for (std::size_t k = 0; k < std::min(count, rows.size()); ++k) {
    const std::vector<eval::Sample>& samples = rows[k].accuracy.samples;
    const auto number = [&](const eval::Sample& s) {
      const bool fooled = s.clean == s.label && !s.robust && !rows[k].is_clean();
      return fooled ? before + std::max(s.member, 1) : 0;
    };
    if (k == 0) {
      all.samples = samples;
      all.origins = rows[k].accuracy.origins;
      for (eval::Sample& s : all.samples) s.member = number(s);
      before += attacks_of(rows[k]);
      continue;
    }
    require<ShapeError>(samples.size() == all.samples.size(),
                        "report: the attacks of one model must be on the same images");
    for (std::size_t i = 0; i < samples.size(); ++i) {
      eval::Sample& s = all.samples[i];
      require<ShapeError>(
          samples[i].label == s.label,
          "report: the attacks of one model must be on the same images, found other labels");
      const bool fooled_before = s.clean == s.label && !s.robust;
      if (!fooled_before && !rows[k].is_clean()) s.attacked = samples[i].attacked;
      if (!fooled_before) s.member = number(samples[i]);
      s.robust = s.robust && samples[i].robust;
    }
    before += attacks_of(rows[k]);
  }
  return all;
}

/// A radius of a security curve: what all attacks with it, and with those before it, leave right.
struct CurvePoint {
  std::string eps;
  eval::Proportion robust{};
};
/// Of rows whose radii grow, where there are several; else empty. It falls: a sample that fell in a
/// ball has fallen in each that holds it. Errors: UsageError (radii that do not grow).
inline std::vector<CurvePoint> security_curve(const std::vector<AttackRow>& rows) {
  std::vector<CurvePoint> points;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    if (rows[k].is_clean() || rows[k].eps.empty()) continue;
    if (points.empty() || points.back().eps != rows[k].eps) {
      require(points.empty() || rows[k].norm != rows[0].norm ||
                  double(Rational::parse(rows[k].eps)) > double(Rational::parse(points.back().eps)),
              [&] { return "report: the radius " + rows[k].eps + " stands behind a larger one"; });
      points.push_back({rows[k].eps});
    }
    points.back().robust = robust_proportion(combined(rows, k + 1));
  }
  if (points.size() < 2) points.clear();
  return points;
}

/// Throws UsageError or ShapeError where a report contradicts itself: no models, a label that is
/// used twice, a model without rows, rows on different images, an image whose sizes do not fit.
inline void verify(const Report& report) {
  require(!report.models.empty(), "report: there is no model in it");
  for (std::size_t m = 0; m < report.models.size(); ++m) {
    const ModelReport& model = report.models[m];
    for (std::size_t k = 0; k < m; ++k)
      require(report.models[k].label != model.label,
              [&] { return "report: two models have the label " + io::in_quotes(model.label); });
    require(!model.attacks.empty(), [&] {
      return "report: the model " + io::in_quotes(model.label) + " was not evaluated";
    });
    combined(model.attacks);
    for (const Example& e : model.examples)
      require<ShapeError>(
          (e.dims.c == 1 || e.dims.c == 3) && e.dims.valid() && e.clean.size() == e.dims.count() &&
              e.adversarial.size() == e.dims.count(),
          [&] {
            return "report: the example " + std::to_string(e.index) +
                   " does not hold two images of one or three channels of the shape " +
                   e.dims.text();
          });
  }
}

}  // namespace rnx::inline RNX_ISA::report

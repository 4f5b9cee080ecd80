// report.json: the contract with programs. Fractions are in [0, 1], intervals are Wilson's at 95 %
// as [low, high].
//
//   schema 2; title; units: of every figure, by its key; settings; models: for each label, model,
//   weights, n, clean_acc, clean_interval, robust_acc, robust_interval, attack, norm, eps, details,
//   attacks (name, norm, eps, lattice; right, n, acc, interval alone; `after`: the same for all
//   rows so far together; `members` of a sequence: name and the same after each of them; surrogate:
//   checksum of the weights that a transferred attack was made on; audit of the images; passes per
//   sample, seconds), curve (eps; right, n, acc, interval), checks, cost (totals and `layers`),
//   figures, examples (without pixels); paired: every two models under the same attacks. A report
//   of one model has that model's n, accuracies, intervals, attack, norm, eps and its settings at
//   the top level too. The schema's number grows where a key goes or changes its meaning, not where
//   one is added.
#pragma once

#include <string>

#include "rnx/eval/paired.hpp"
#include "rnx/report/result.hpp"

namespace rnx::inline RNX_ISA::report {

namespace detail {

using Json = nlohmann::ordered_json;

/// What is not UTF-8 (a file name may hold any bytes) becomes U+FFFD.
inline std::string json_text(const Json& value, int indent = 2) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}
inline std::string utf8(const std::string& raw) {
  return Json::parse(json_text(raw, -1)).get<std::string>();
}

/// Whole numbers without ".0".
inline Json number(double v) {
  return std::abs(v) < 9e15 && v == std::floor(v) ? Json((long long)v) : Json(v);
}

inline Json json(const eval::Interval& i) { return Json::array({i.low, i.high}); }

inline Json json(const eval::Proportion& p) {
  return {{"right", p.right}, {"n", p.n}, {"acc", p.value()}, {"interval", json(p.interval())}};
}

/// Of an attack's images. Without any there is no range.
inline Json json(const eval::Audit& a) {
  Json out{{"images", a.images},
           {"linf", a.linf},
           {"l2", a.l2},
           {"l1", a.l1},
           {"not_finite", a.not_finite},
           {"on_lattice", a.on_lattice}};
  if (a.images > 0) out["range"] = Json::array({a.least, a.most});
  return out;
}

inline Json json(const eval::Check& c) {
  return {{"name", c.name},           {"verdict", text_of(c.verdict)},
          {"value", c.value},         {"value_interval", json(c.interval)},
          {"threshold", c.threshold}, {"quantity", c.quantity},
          {"advice", c.advice}};
}

/// What each figure of a report counts.
inline Json units() {
  const char *images = "images", *share = "share of images, in [0, 1]",
             *length = "of a perturbation, pixels in [0, 1]";
  return {{"n", images},
          {"right", images},
          {"acc", share},
          {"interval", "share of images, 95 % (Wilson)"},
          {"clean_acc", share},
          {"clean_interval", "share of images, 95 % (Wilson)"},
          {"robust_acc", share},
          {"robust_interval", "share of images, 95 % (Wilson)"},
          {"eps", length},
          {"forwards_per_sample", "forward passes for each image"},
          {"backwards_per_sample", "backward passes for each image"},
          {"seconds", "seconds of wall time"},
          {"linf", length},
          {"l2", length},
          {"l1", length},
          {"not_finite", "pixels"},
          {"on_lattice", images},
          {"range", "pixels in [0, 1], least and largest"},
          {"value", "share of images, or a difference of two, in [-1, 1]"},
          {"value_interval", "as value, 95 % (Wilson; Newcombe for differences)"},
          {"threshold", "as value"},
          {"both", images},
          {"only_a", images},
          {"only_b", images},
          {"neither", images},
          {"difference", "difference of two shares of images, in [-1, 1]"},
          {"difference_interval", "as difference, 95 % (Newcombe)"},
          {"exact_p", "probability (McNemar)"},
          {"mid_p", "probability (McNemar)"},
          {"parameters", "numbers"},
          {"macs", "multiply-accumulates for each image"},
          {"bops", "bit operations for each image"},
          {"relus", "elements for each image"},
          {"activations", "elements for each image"},
          {"index", "number of the image in the data set's files"}};
}

inline Json json(const cost::Row& r) {
  return {{"parameters", r.parameters},
          {"macs", r.macs},
          {"bops", number(r.bops)},
          {"relus", r.relus},
          {"activations", r.activations}};
}

inline Json json(const cost::Table& table) {
  Json out = json(table.total());
  Json& layers = out["layers"] = Json::array();
  for (const cost::Row& r : table.rows) {
    Json row{{"path", r.path},
             {"operation", r.operation},
             {"out", Json::array({r.out.c, r.out.h, r.out.w})}};
    row.update(json(r));
    layers.push_back(std::move(row));
  }
  return out;
}

inline Json json(const Figure& f) {
  Json curves = Json::array();
  for (const Curve& c : f.curves) {
    Json curve{{"name", c.name}, {"x", c.x}, {"y", c.y}};
    if (!c.low.empty()) curve.update({{"low", c.low}, {"high", c.high}});
    curves.push_back(std::move(curve));
  }
  return {{"title", f.title},
          {"x_label", f.x_label},
          {"y_label", f.y_label},
          {"percent", f.percent},
          {"curves", std::move(curves)}};
}

/// The different values of a text among the attacks, "a + b"; "clean" and rows without one are left
/// out.
inline std::string joined(const std::vector<AttackRow>& rows, std::string AttackRow::*text) {
  std::vector<std::string> values;
  for (const AttackRow& r : rows)
    if (!r.is_clean() && !(r.*text).empty() &&
        std::find(values.begin(), values.end(), r.*text) == values.end())
      values.push_back(r.*text);
  std::string out;
  for (const std::string& v : values) out += (out.empty() ? "" : " + ") + v;
  return out;
}

inline Json json(const ModelReport& m) {
  const eval::Accuracy all = combined(m.attacks);
  const eval::Proportion clean = clean_proportion(all), robust = robust_proportion(all);
  const std::string attack = joined(m.attacks, &AttackRow::name);
  Json out{{"label", m.label},
           {"model", m.model},
           {"weights", m.weights},
           {"n", clean.n},
           {"clean_acc", clean.value()},
           {"clean_interval", json(clean.interval())},
           {"robust_acc", robust.value()},
           {"robust_interval", json(robust.interval())},
           {"attack", attack.empty() ? "clean" : attack},
           {"norm", joined(m.attacks, &AttackRow::norm)},
           {"eps", joined(m.attacks, &AttackRow::eps)},
           {"details", m.details}};
  Json& attacks = out["attacks"] = Json::array();
  for (std::size_t k = 0; k < m.attacks.size(); ++k) {
    const AttackRow& a = m.attacks[k];
    Json row{{"name", a.name}, {"norm", a.norm}, {"eps", a.eps}, {"lattice", a.lattice}};
    row.update(json(robust_proportion(a.accuracy)));
    row["after"] = json(robust_proportion(combined(m.attacks, k + 1)));
    const auto after = eval::after_members(a.accuracy);
    for (std::size_t j = 0; j < after.size(); ++j) {
      Json member{{"name", a.accuracy.members[j]}};
      member.update(json(after[j]));
      row["members"].push_back(std::move(member));
    }
    if (!a.surrogate.empty()) row["surrogate"] = a.surrogate;
    if (a.accuracy.audit.images > 0) row["audit"] = json(a.accuracy.audit);
    row.update({{"forwards_per_sample", number(a.forwards)},
                {"backwards_per_sample", number(a.backwards)},
                {"seconds", a.seconds}});
    attacks.push_back(std::move(row));
  }
  Json& curve = out["curve"] = Json::array();
  for (const CurvePoint& p : security_curve(m.attacks)) {
    Json point{{"eps", p.eps}};
    point.update(json(p.robust));
    curve.push_back(std::move(point));
  }
  Json& checks = out["checks"] = Json::array();
  for (const eval::Check& c : m.checks) checks.push_back(json(c));
  out["cost"] = json(m.cost);
  Json& figures = out["figures"] = Json::array();
  for (const Figure& f : m.figures) figures.push_back(json(f));
  Json& examples = out["examples"] = Json::array();
  for (const Example& e : m.examples)
    examples.push_back({{"index", e.index},
                        {"label", e.label},
                        {"clean_pred", e.clean_pred},
                        {"attacked_pred", e.attacked_pred}});
  return out;
}

inline Json json(const eval::Paired& p) {
  return {{"n", p.n()},
          {"both", p.both},
          {"only_a", p.only_first},
          {"only_b", p.only_second},
          {"neither", p.neither},
          {"difference", p.difference()},
          {"difference_interval", json(p.interval())},
          {"exact_p", p.exact_p()},
          {"mid_p", p.mid_p()}};
}

inline bool same_attacks(const ModelReport& a, const ModelReport& b) {
  const auto key = [](const ModelReport& m) {
    return joined(m.attacks, &AttackRow::name) + "\n" + joined(m.attacks, &AttackRow::norm) + "\n" +
           joined(m.attacks, &AttackRow::eps);
  };
  return key(a) == key(b);
}

/// Every two models that were under the same attacks on the same images.
inline Json paired(const Report& report) {
  Json pairs = Json::array();
  for (std::size_t b = 1; b < report.models.size(); ++b)
    for (std::size_t a = 0; a < b; ++a) {
      const ModelReport &first = report.models[a], &second = report.models[b];
      const eval::Accuracy x = combined(first.attacks), y = combined(second.attacks);
      const bool same = x.samples.size() == y.samples.size() && x.origins == y.origins;
      if (!same || !same_attacks(first, second)) continue;
      eval::Paired clean, robust;
      for (std::size_t i = 0; i < x.samples.size(); ++i) {
        const eval::Sample &s = x.samples[i], &t = y.samples[i];
        clean.add(s.clean == s.label, t.clean == t.label);
        robust.add(s.robust, t.robust);
      }
      pairs.push_back({{"a", first.label},
                       {"b", second.label},
                       {"clean", json(clean)},
                       {"robust", json(robust)}});
    }
  return pairs;
}

}  // namespace detail

/// report.json. A model without attacks has the attack "clean", and its robust accuracy is the
/// clean one. Errors: see verify.
inline nlohmann::ordered_json to_json(const Report& report) {
  verify(report);
  nlohmann::ordered_json out{{"schema", 2}, {"title", report.title}, {"units", detail::units()}},
      models = nlohmann::ordered_json::array();
  for (const ModelReport& m : report.models) models.push_back(detail::json(m));
  if (models.size() == 1) {
    for (const char* key : {"model", "weights", "n", "clean_acc", "clean_interval", "robust_acc",
                            "robust_interval", "attack", "norm", "eps"})
      out[key] = models[0][key];
    if (report.settings.is_object())
      for (const auto& [key, value] : report.settings.items())
        if (key != "settings" && key != "models" && !out.contains(key)) out[key] = value;
  }
  out["settings"] = report.settings;
  out["models"] = std::move(models);
  out["paired"] = detail::paired(report);
  return out;
}

}  // namespace rnx::inline RNX_ISA::report

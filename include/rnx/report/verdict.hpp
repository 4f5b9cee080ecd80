// The words that report.md and report.html share: names of attacks, and what the numbers say in one
// or two sentences.
#pragma once

#include <string>
#include <vector>

#include "rnx/report/json.hpp"
#include "rnx/report/result.hpp"
#include "rnx/report/text.hpp"

namespace rnx::inline RNX_ISA::report {

/// "L∞ 8/255"
inline std::string ball_text(const AttackRow& r) {
  return (r.norm == "linf" ? "L\u221E"
          : r.norm == "l2" ? "L2"
                           : r.norm) +
         (r.norm.empty() || r.eps.empty() ? "" : "\u00A0") + r.eps;
}

/// One short name per row: "no attack", "pgd (L∞ 8/255)", and with all parameters where the short
/// names would be equal.
inline std::vector<std::string> attack_labels(const std::vector<AttackRow>& rows) {
  const auto name = [](const AttackRow& r, bool parameters) -> std::string {
    if (r.is_clean()) return "no attack";
    return (parameters ? r.name : r.name.substr(0, r.name.find(':'))) +
           (ball_text(r).empty() ? "" : " (" + ball_text(r) + ")");
  };
  std::vector<std::string> labels;
  for (const AttackRow& r : rows) {
    const auto equal = std::count_if(rows.begin(), rows.end(), [&](const AttackRow& other) {
      return name(other, false) == name(r, false);
    });
    labels.push_back(name(r, equal > 1));
  }
  return labels;
}

namespace detail {

/// A model's two headline numbers.
struct Headline {
  eval::Proportion clean, robust;
  /// "pgd (L∞ 8/255)", "fgsm + pgd (L∞ 8/255)", "5 attacks together", or empty: none
  std::string attack;
  explicit Headline(const ModelReport& m) {
    const eval::Accuracy all = combined(m.attacks);
    clean = clean_proportion(all);
    robust = robust_proportion(all);
    long attacks = 0;
    std::string names, ball;
    bool one_ball = true;
    for (const AttackRow& r : m.attacks) {
      if (r.is_clean()) continue;
      one_ball = one_ball && (attacks == 0 || ball_text(r) == ball);
      ball = ball_text(r);
      names += (attacks++ == 0 ? "" : " + ") + r.name.substr(0, r.name.find(':'));
    }
    if (attacks > 3 || !one_ball) names = std::to_string(attacks) + " attacks together";
    attack = names + (attacks == 0 || !one_ball || ball.empty() ? "" : " (" + ball + ")");
  }
};

/// "612 (61.2 %, 95 % interval 58.1–64.2 %)"
inline std::string counted(const eval::Proportion& p) {
  return text::grouped(p.right) + " (" + text::percent(p) + ", 95\u00A0% interval " +
         text::percent_interval(p) + ")";
}

/// Largest perturbations, range, pixels that are not finite, images on the lattice.
inline std::vector<std::string> audit_texts(const AttackRow& row) {
  const eval::Audit& a = row.accuracy.audit;
  return {
      text::shortest(a.linf),      text::shortest(a.l2),
      text::shortest(a.l1),        text::shortest(a.least) + " to " + text::shortest(a.most),
      text::grouped(a.not_finite), text::grouped(a.on_lattice) + " of " + text::grouped(a.images)};
}

/// Verdict, value, interval, threshold, and what was looked at; with the advice where it matters.
inline std::vector<std::string> check_texts(const eval::Check& c) {
  if (c.verdict == eval::Verdict::not_run) return {text_of(c.verdict), "", "", "", c.advice};
  return {text_of(c.verdict), text::fixed(c.value, 3),
          text::fixed(c.interval.low, 3) + " to " + text::fixed(c.interval.high, 3),
          text::fixed(c.threshold, 3),
          c.quantity + (c.verdict == eval::Verdict::passed ? "" : ". " + c.advice)};
}

/// "2 of 14 checks fired: black-box, transfer." or "".
inline std::string fired(const ModelReport& m) {
  std::string names;
  long count = 0;
  for (const eval::Check& c : m.checks)
    if (c.verdict == eval::Verdict::fired) names += (count++ == 0 ? "" : ", ") + c.name;
  if (count == 0) return "";
  return std::to_string(count) + " of " + std::to_string(m.checks.size()) +
         " checks fired: " + names + ". The attacked accuracy of " + m.label +
         " is not to be trusted before their advice was followed.";
}

inline std::string compare(const Report& report) {
  const auto best = [&](auto share) {
    std::size_t first = 0;
    for (std::size_t m = 1; m < report.models.size(); ++m)
      if (share(report.models[m]).value() > share(report.models[first]).value()) first = m;
    const eval::Proportion p = share(report.models[first]);
    std::string words = report.models[first].label + ", " + text::percent(p) + " of " +
                        text::grouped(p.n) + " images (95\u00A0% interval " +
                        text::percent_interval(p) + ")",
                near;
    long overlapping = 0;
    for (std::size_t m = 0; m < report.models.size(); ++m)
      if (m != first && share(report.models[m]).interval().high >= p.interval().low)
        near += (overlapping++ == 0 ? "" : ", ") + report.models[m].label;
    if (overlapping == 0) return words + ". ";
    return words + "; its interval overlaps with " + (overlapping == 1 ? "that" : "those") +
           " of " + near + ", so these numbers alone do not order them. ";
  };
  std::string words =
      "Highest clean accuracy: " + best([](const ModelReport& m) { return Headline(m).clean; });
  for (const ModelReport& m : report.models)
    if (!same_attacks(m, report.models[0]))
      return words +
             "The models were under different attacks: their attacked accuracies cannot be "
             "compared.";
  const std::string attack = Headline(report.models[0]).attack;
  if (attack.empty()) return words + "No attack was run.";
  return words + "Highest accuracy under " + attack + ": " +
         best([](const ModelReport& m) { return Headline(m).robust; });
}

}  // namespace detail

/// What the numbers say, as plain text.
inline std::string verdict(const Report& report) {
  std::string words;
  if (report.models.size() > 1)
    words = detail::compare(report);
  else {
    const detail::Headline h(report.models.at(0));
    if (h.clean.n == 0) return "No image was evaluated.";
    words = "Of " + text::grouped(h.clean.n) + " images, " + detail::counted(h.clean) +
            " are classified correctly" +
            (h.attack.empty()
                 ? ". No attack was run."
                 : "; " + detail::counted(h.robust) + " stay correct under " + h.attack + ".");
  }
  while (words.ends_with(' ')) words.pop_back();
  for (const ModelReport& m : report.models)
    if (const std::string found = detail::fired(m); !found.empty()) words += " " + found;
  return words;
}

}  // namespace rnx::inline RNX_ISA::report

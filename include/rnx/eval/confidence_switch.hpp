// What a confidence switch is worth: its threshold from held-out images, and its accuracy on clean
// images, under attacks that know nothing of it, and under attacks that do.
#pragma once

#include <vector>

#include "rnx/attack/confidence_switch.hpp"
#include "rnx/eval/accuracy.hpp"

namespace rnx::inline RNX_ISA::eval {

/// The largest threshold that leaves at least `share` of these confidences above it. Errors:
/// UsageError (none, a share outside (0, 1]).
inline double threshold_below(std::vector<double> confidences, double share) {
  require<UsageError>(share > 0 && share <= 1, [&] {
    return "switch: expected a share of images above 0, up to 1, found " + exact_text(share);
  });
  require<UsageError>(!confidences.empty(),
                      "switch: no held-out image that the clean path classifies rightly");
  std::sort(confidences.begin(), confidences.end());
  const auto below = std::size_t((1 - share) * double(confidences.size()) + 1e-9);
  return below == 0 ? std::nextafter(confidences[0], 0.0) : confidences[below - 1];
}

/// Above the threshold are `share` of the held-out images that path `clean` classifies rightly
/// (Stutz et al. 2020: 0.99). The images must not be those that are reported on. Errors: as above.
template <class T, class Device, class Set>
double held_out_threshold(const NetworkBase<T, Device>& net, const Set& held_out,
                          double share = 0.99, Options o = {}, int clean = 0) {
  o.path = clean;
  o.keep_logits = true;
  const Accuracy found = accuracy(net, held_out, o);
  std::vector<double> confidences;
  const int classes = net.classes();
  for (std::size_t i = 0; i < found.samples.size(); ++i)
    if (found.samples[i].clean == found.samples[i].label)
      confidences.push_back(attack::confidence(found.logits.data() + i * classes, classes));
  return threshold_below(std::move(confidences), share);
}

/// Of the same images, each counted by running the switch on its final image.
struct SwitchResult {
  Proportion clean{};                 ///< right without attack
  Proportion by_clean_path{};         ///< answered by the clean path, without attack
  Proportion blind{};                 ///< right under PGD on either path, which knows of no switch
  Proportion confident{};             ///< right under confident errors towards every other class
  Proportion under_threshold{};       ///< right where the clean path is made unsure
  Proportion knowing{};               ///< right under both of the last two
  Proportion adaptive{};              ///< right under all of these attacks
  std::vector<std::uint8_t> right{};  ///< of `adaptive`
  /// The attacks that know the switch leave more than those that do not: they have failed.
  bool suspicious() const { return knowing.right > blind.right; }
};

/// attack: radius, step, steps and start of all attacks; their aims are set here. Errors: those of
/// accuracy().
template <class T, class Device, class Set>
SwitchResult attack_switch(const attack::ConfidenceSwitch<T, Device>& victim, const Set& set,
                           attack::SwitchAttack attack, const Options& o = {}) {
  using Aim = attack::SwitchAttack::Aim;
  const attack::Victim<T, Device>& box = victim;
  SwitchResult r;
  std::vector<std::uint8_t> blind, confident, under;
  const auto runs = [&](Aim aim, int path, int target, std::vector<std::uint8_t>& right) {
    attack.aim = aim;
    attack.path = path;
    attack.target = target;
    const Accuracy a = accuracy(box, set, attack, o);
    right.resize(a.samples.size(), 1);
    for (std::size_t i = 0; i < right.size(); ++i) right[i] &= std::uint8_t(a.samples[i].robust);
    r.clean = clean_proportion(a);
  };
  for (const int path : {victim.rule().robust, victim.rule().clean})
    runs(Aim::blind, path, 1, blind);
  for (int target = 1; target < victim.classes(); ++target)
    runs(Aim::confident_error, 0, target, confident);
  runs(Aim::under_threshold, 0, 1, under);
  const auto count = [&](auto&&... lists) {
    Proportion p{0, long(blind.size())};
    for (std::size_t i = 0; i < blind.size(); ++i) p.right += (... && (lists[i] != 0));
    return p;
  };
  r.blind = count(blind);
  r.confident = count(confident);
  r.under_threshold = count(under);
  r.knowing = count(confident, under);
  r.adaptive = count(blind, confident, under);
  for (std::size_t i = 0; i < blind.size(); ++i)
    r.right.push_back(blind[i] & confident[i] & under[i]);
  Options of_path = o;
  of_path.path = victim.rule().clean;
  of_path.keep_logits = true;
  const Accuracy alone = accuracy(victim.network(), set, of_path);
  r.by_clean_path.n = long(alone.samples.size());
  const int classes = victim.classes();
  for (std::size_t i = 0; i < alone.samples.size(); ++i)
    r.by_clean_path.right +=
        victim.rule().takes_clean(attack::confidence(alone.logits.data() + i * classes, classes));
  return r;
}

}  // namespace rnx::inline RNX_ISA::eval

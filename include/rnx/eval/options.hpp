// What an evaluation is told, and what it finds.
#pragma once

#include <atomic>
#include <functional>
#include <iterator>
#include <limits>
#include <optional>

#include "rnx/attack.hpp"
#include "rnx/data/source.hpp"
#include "rnx/eval/audit.hpp"
#include "rnx/eval/interval.hpp"

namespace rnx::inline RNX_ISA::eval {

/// One row per sample. `attacked`: the prediction on the final adversarial image (of the restart
/// that fooled the model, if one did).
struct Sample {
  int label = 0, clean = 0, attacked = 0;
  bool robust = false;  ///< right on the clean image and on every attacked one
  /// under an attack that is a sequence: which of its members fooled the model, from 1 on; 0: none
  int member = 0;
};
/// A clean image and its last adversarial one (of the restart that fooled the model, if one did),
/// (h, w, c) in [0, 1].
struct Pair {
  std::vector<float> clean, adversarial;
};
struct Accuracy {
  std::vector<Sample> samples;
  /// of the samples in the data set's files (Source::origin); empty: as they are numbered here
  std::vector<std::size_t> origins{};
  std::vector<Pair> examples{};  ///< of the first samples, Options::examples of them
  /// (n, classes) of the clean images, where Options::keep_logits asked for them
  std::vector<float> logits{};
  /// (n, h, w, c) like Pair::adversarial, of all samples, where Options::keep_adversarials asked
  /// for them
  std::vector<float> adversarials{};
  /// names of the members of an attack that is a sequence (AutoAttack), in their order
  std::vector<std::string> members{};
  Audit audit{};  ///< of the attack's images as they were counted
  /// samples that networks took forward and backward, counted there: for the predictions of clean
  /// images, by the attack, and for those of its images
  Passes predicting{}, attacking{}, verifying{};
  /// for each sample, of the attack and the predictions of its images
  double forwards() const { return per_sample((attacking + verifying).forwards); }
  double backwards() const { return per_sample((attacking + verifying).backwards); }
  /// Puts the results of further samples behind these: those of an evaluation of a part.
  void append(Accuracy part) {
    const auto add = [](auto& to, auto& from) {
      to.insert(to.end(), std::make_move_iterator(from.begin()),
                std::make_move_iterator(from.end()));
    };
    add(samples, part.samples);
    add(origins, part.origins);
    add(examples, part.examples);
    add(logits, part.logits);
    add(adversarials, part.adversarials);
    if (members.empty()) members = std::move(part.members);
    audit += part.audit;
    predicting += part.predicting;
    attacking += part.attacking;
    verifying += part.verifying;
  }
  std::size_t origin(std::size_t sample) const {
    return origins.empty() ? sample : origins.at(sample);
  }
  /// NaN where a sample has no label (data::no_label): predictions and logits are there, but no
  /// accuracy.
  double clean() const {
    return share([](const Sample& s) { return s.clean == s.label; });
  }
  double robust() const {
    return share([](const Sample& s) { return s.robust; });
  }

 private:
  double per_sample(long k) const { return samples.empty() ? 0 : double(k) / samples.size(); }
  template <class F> double share(F f) const {
    std::size_t k = 0;
    for (const Sample& s : samples) {
      if (s.label == data::no_label) return std::numeric_limits<double>::quiet_NaN();
      k += f(s);
    }
    return samples.empty() ? 0 : double(k) / samples.size();
  }
};

/// Right on the clean images, and on the attacked ones too, with the interval of each.
inline Proportion clean_proportion(const Accuracy& a) {
  Proportion p{0, long(a.samples.size())};
  for (const Sample& s : a.samples) p.right += s.clean == s.label;
  return p;
}
inline Proportion robust_proportion(const Accuracy& a) {
  Proportion p{0, long(a.samples.size())};
  for (const Sample& s : a.samples) p.right += s.robust;
  return p;
}

/// Right on the clean images and under the members of a sequence up to each of them; the last is
/// robust_proportion.
inline std::vector<Proportion> after_members(const Accuracy& a) {
  const Proportion clean = clean_proportion(a);
  std::vector<Proportion> after(a.members.size(), clean);
  for (const Sample& s : a.samples)
    for (std::size_t k = 0; k < after.size(); ++k)
      after[k].right -= s.member > 0 && std::size_t(s.member) <= k + 1;
  return after;
}

struct Options {
  int batch = 250;
  int tile = 0;  ///< samples per pass of an attack (0: what suits the network and the cache)
  int path = 0;  ///< batch-norm path of predictions, and of the attack where it has none
  const Subnet* subnet = nullptr;    ///< likewise; null: every maximum
  std::optional<int> attack_path{};  ///< of the network that the attack sees
  std::optional<const Subnet*> attack_subnet{};
  int restarts = 1;
  std::uint64_t seed = 0;    ///< added to the attack's own: random starts are keyed by the sum
  std::vector<Keep> keep{};  ///< activations that the attack's loss reads
  int examples = 0;          ///< how many pairs of images are kept
  bool keep_logits = false, keep_adversarials = false;
  Lattice lattice = Lattice::off;
  /// Of the set's first sample in the data set that random starts are keyed by: a part that is told
  /// where it begins has the bits that it has in the whole.
  std::uint64_t first_sample = 0;
  /// told after each batch; what it throws ends the evaluation
  std::function<void(std::size_t done, std::size_t of)> progress{};
  /// when it becomes true (a signal), accuracy() throws Stopped within a step of an attack
  const std::atomic<bool>* stop = nullptr;
};

}  // namespace rnx::inline RNX_ISA::eval

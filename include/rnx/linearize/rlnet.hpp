// The three stages of paper 000 (RLNet) and what its ablations make of them, as values: which view
// goes through which path, in which half of the batch, under which weights.
#pragma once

#include "rnx/data/augmix.hpp"
#include "rnx/linearize/mask_search.hpp"
#include "rnx/linearize/snl.hpp"
#include "rnx/train/distill_terms.hpp"

namespace rnx::inline RNX_ISA::linearize {

/// What a view of the images has in the objective; one without weights is not there.
struct ViewTerms {
  double ce = 0, kl = 0, pram = 0;  ///< weights of the means over the samples of `rows`
  int path = 0;                     ///< batch-norm path of the student
  train::Rows rows{};               ///< of the batch

  bool used() const { return ce > 0 || kl > 0 || pram > 0; }
};

/// The last masked ReLU of each size of maps, in student and teacher: what PRAM compares. A size
/// that only the first ReLU has (behind the stem of a WRN) is no stage.
inline std::vector<distill::AttentionPair> stage_pairs(const Graph& graph) {
  const std::vector<ReluLayer> layers = relu_layers(graph);
  std::vector<distill::AttentionPair> pairs;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const bool last = l + 1 == layers.size() || !(layers[l + 1].dims == layers[l].dims);
    if (last && (l > 0 || layers.size() == 1)) pairs.push_back({layers[l].path, layers[l].path});
  }
  return pairs;
}

/// CE, KL and PRAM of three views: clean, augmented by AugMix, attacked on its path in eval mode.
///   teacher's training (eq. 1)   Rlnet::teach()
///   mask search (eq. 6)          Rlnet::search(teacher, budget)
///   fine-tuning (eq. 7)          Rlnet::tune(teacher, pairs)
/// The teacher predicts clean images on its path 0, which all views learn from; PRAM compares a
/// view with the teacher on the same view, path 0 (adversarial images: on the path of that view).
/// Passes run and fold their batch statistics in one after the other: clean, augmented, then the
/// attack, whose forwards fold nothing in, then adversarial.
struct Rlnet {
  train::NetRef network{};  ///< the teacher; empty where no view has kl or pram
  ViewTerms clean{}, augmented{}, adversarial{};
  /// of the augmented view, which is a reading of the image of its own
  data::Augment augment = data::crop_and_flip().add(data::AugMix{});
  attack::Pgd<> attack{.step = px(2), .steps = 7};  ///< 8/255
  bool attack_by_kl = true;  ///< it climbs the divergence from the teacher, else the cross-entropy
  double temperature = 4;    ///< of KL, of the attack's too
  train::Reduction reduction = train::Reduction::batchmean;
  std::vector<distill::AttentionPair> pairs{};  ///< that PRAM compares
  /// the published code compares attention maps, eq. 4 the whole activations
  distill::Compared compared = distill::Compared::attention;
  std::optional<Budget> budget{};  ///< masks are searched, by clean images
  Ties ties = Ties::by_index;
  std::optional<SlopePenalty> slopes{};  ///< slopes are searched (SNL)

  /// Clean and augmented images are the first half of the batch, attacked ones the second (the
  /// published code), or each of them all of it.
  enum class Split { halves, whole };

  /// Eq. 1: a third of the cross-entropy of each view.
  static Rlnet teach(Split split = Split::halves) {
    Rlnet r{.attack_by_kl = false};
    r.place(split);
    r.weigh(1, 0, 0);
    return r;
  }
  /// Eq. 6: ce L_ce + kl L_kl, 1 and 1 as printed, 0.5 and 0.5 in the published code.
  static Rlnet search(train::NetRef teacher, Budget budget, double ce = 0.5, double kl = 0.5,
                      Split split = Split::halves) {
    Rlnet r{.network = teacher, .budget = std::move(budget)};
    r.place(split);
    r.weigh(ce, kl, 0);
    return r;
  }
  /// Eq. 7: the same and beta L_PRAM on clean and augmented images.
  static Rlnet tune(train::NetRef teacher, std::vector<distill::AttentionPair> pairs,
                    double ce = 0.5, double kl = 0.5, double beta = 1000,
                    Split split = Split::halves) {
    Rlnet r{.network = teacher, .pairs = std::move(pairs)};
    r.place(split);
    r.weigh(ce, kl, beta);
    return r;
  }
  /// SNL's search and, without a penalty, its fine-tuning: CE and KL of clean images (Cho et al.
  /// 2022).
  static Rlnet snl(train::NetRef teacher, std::optional<SlopePenalty> slopes = {}) {
    return {.network = teacher, .clean = {.ce = 1, .kl = 1}, .slopes = slopes};
  }
  void place(Split split) {
    const bool halves = split == Split::halves;
    clean.rows = augmented.rows = halves ? train::Rows{0, .5} : train::Rows{};
    adversarial.rows = halves ? train::Rows{.5, 1} : train::Rows{};
    adversarial.path = 1;
  }
  /// ce of eq. 2 and kl of eq. 3, means over the views; beta of eq. 5, over the first two.
  void weigh(double ce, double kl, double beta) {
    for (ViewTerms* view : {&clean, &augmented, &adversarial}) {
      view->ce = ce / 3;
      view->kl = kl / 3;
    }
    clean.pram = augmented.pram = beta / 2;
  }

  /// Errors: UsageError (what cannot be trained; more where a run plans it).
  template <class T = float, class Device = default_device>
  train::AnyObjective<T, Device> objective() const {
    using namespace train;
    check();
    Items<T, Device> items;
    if (augmented.used()) items.push_back(Augmented<"aug">{augment});
    if (taught()) items.push_back(Teacher<"t">{.net = network});
    if (clean.used()) {
      add_terms<"clean", "t">(items, clean);
      if (budget) items.push_back(MaskSearch<"clean", "t">{.budget = *budget, .ties = ties});
    }
    if (augmented.used()) {
      if (augmented.pram > 0)
        items.push_back(Teacher<"t.aug", "aug">{.net = network, .rows = augmented.rows});
      add_terms<"aug", "t.aug">(items, augmented);
    }
    if (adversarial.used()) {
      add_adversary(items);
      if (adversarial.pram > 0)
        items.push_back(Teacher<"t.adv", "adv">{
            .net = network, .path = adversarial.path, .rows = adversarial.rows});
      add_terms<"adv", "t.adv">(items, adversarial);
    }
    if (slopes) items.push_back(*slopes);
    return ObjectiveList<T, Device>(std::move(items));
  }

 private:
  template <class T, class Device> using Items = std::vector<train::AnyObjective<T, Device>>;

  bool any(double ViewTerms::*weight) const {
    return clean.*weight > 0 || augmented.*weight > 0 || adversarial.*weight > 0;
  }
  bool climbs_kl() const { return adversarial.used() && attack_by_kl; }
  bool taught() const {
    return any(&ViewTerms::kl) || any(&ViewTerms::pram) || budget || climbs_kl();
  }
  void check() const {
    for (const ViewTerms* view : {&clean, &augmented, &adversarial})
      for (const double weight : {view->ce, view->kl, view->pram})
        require<UsageError>(weight >= 0 && std::isfinite(weight),
                            "rlnet: expected weights that are finite and not negative");
    require<UsageError>(clean.used() || augmented.used() || adversarial.used(),
                        "rlnet: expected a view with a weight above 0");
    require<UsageError>(!taught() || network,
                        "rlnet: KL, PRAM, masks and an attack by KL need a teacher");
    require<UsageError>(!any(&ViewTerms::pram) || !pairs.empty(),
                        "rlnet: PRAM needs pairs of layers");
    require<UsageError>(!budget || (clean.used() && !any(&ViewTerms::pram)),
                        "rlnet: masks are searched by a clean view without PRAM");
  }
  /// The forward of a view and its terms; Maps: the teacher's pass that PRAM reads.
  template <fixed_string Of, fixed_string Maps, class T, class Device>
  void add_terms(Items<T, Device>& items, const ViewTerms& view) const {
    using namespace train;
    items.push_back(Forward<Of>{.path = view.path, .rows = view.rows});
    if (view.ce > 0) items.push_back(Ce<Of>{.weight = view.ce});
    if (view.kl > 0)
      items.push_back(
          Kl<Of, "t">{.weight = view.kl, .temperature = temperature, .reduction = reduction});
    if (view.pram > 0)
      items.push_back(Attention<Of, Maps>{
          .weight = view.pram, .pairs = pairs, .options = {.compared = compared}});
  }
  template <class T, class Device> void add_adversary(Items<T, Device>& items) const {
    using namespace train;
    if (attack_by_kl)
      items.push_back(Adversary<"adv", ByKl<"t">>{.attack = attack,
                                                  .loss = {.temperature = temperature},
                                                  .path = adversarial.path,
                                                  .rows = adversarial.rows});
    else
      items.push_back(
          Adversary<"adv">{.attack = attack, .path = adversarial.path, .rows = adversarial.rows});
  }
};

}  // namespace rnx::inline RNX_ISA::linearize

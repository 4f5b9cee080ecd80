// What rnx-train is asked for: its options, the rules between them, and what a run's bits depend
// on.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <rnx/optim.hpp>

#include "../evaluation.hpp"

namespace training {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string model = "resnet20", out = "run", objective = "natural", attack_mode, norm = "linf",
              eps = "8/255", attack_step, schedule = "onecycle", resume = "auto", progress = "auto",
              device = rnx::default_device::name, optimizer = "sgd", init, teacher, teacher_model,
              match = "cosine", batch_split = "halves", pram = "attention", shares = "uniform",
              prune;
  std::vector<double> milestones{0.5, 0.75}, prune_ratios{};
  std::vector<std::string> prune_spare{};
  std::vector<std::string> ce_views{"clean", "aug", "adv"}, kl_views = ce_views,
                                                            pram_views{"clean", "aug"};
  tools::DataOptions data;
  int epochs = 4, batch = 128, attack_steps = 0, attack_commits = 0, replays = 8, holdout = 0,
      eval_n = 2000, eval_pgd_n = 500, eval_every = 1, final_n = 0, final_pgd_n = 1000, threads = 0,
      loader_threads = 1, keep = 2;
  double lr = 0.2, weight_decay = 5e-4, momentum = 0.9, warm = 0.4, gamma = 0.1, beta = 6,
         label_smoothing = 0, save_every = 600, alpha = -1, temperature = 0, lambda = 5e-3,
         lr_end = 0, ce_weight = 0.5, kl_weight = 0.5, pram_weight = 1000, density = 0,
         slope_penalty = 1e-5, prune_macs = 0;
  long save_every_steps = 0, budget = 0;
  int augmented_path = 0;
  std::uint64_t seed = 0;
  bool augment = true, nesterov = false, dry_run = false, skip_head = false, augmix = false,
       prune_global = false;

  // what the objective decides where the user did not
  std::string step() const {
    return !attack_step.empty()     ? attack_step
           : objective == "fgsm-rs" ? "10/255"
                                    : tools::default_step(norm, eps);
  }
  int steps() const {
    return attack_steps                                                          ? attack_steps
           : objective == "trades" || objective == "rslad" || objective == "ard" ? 10
                                                                                 : 7;
  }
  /// A stage of paper 000; searches and fine-tunes from a teacher.
  bool rlnet() const { return objective.starts_with("rlnet-"); }
  bool masked() const { return objective == "rlnet-mask"; }
  bool tuned() const { return objective == "rlnet-finetune"; }
  /// SNL's search, which paper 000 is compared with.
  bool sloped() const { return objective == "snl"; }
  /// The batch-norm path that attacks and their predictions take.
  int robust_path() const { return rlnet() ? 1 : 0; }
  /// Whether a teacher is needed.
  bool taught() const {
    return objective == "kd" || objective == "ard" || objective == "rslad" || objective == "rrm" ||
           masked() || tuned() || sloped();
  }
  /// RSLAD's share of the adversarial term, KD's and ARD's of the teacher's.
  double share() const { return alpha >= 0 ? alpha : objective == "rslad" ? 5. / 6 : 1; }
  /// The temperature: paper 002's for kd and ard, paper 000's and SNL's.
  double softness() const { return temperature > 0 ? temperature : rlnet() || sloped() ? 4 : 30; }
  rnx::Mode mode() const {
    const bool train = attack_mode.empty() ? objective == "fgsm-rs" : attack_mode == "train";
    return train ? rnx::Mode::train : rnx::Mode::eval;
  }

  /// Refuses words that are unknown and options that contradict each other. Errors: UsageError.
  void check() const;
  void check_rlnet() const;
  void check_prune() const;
  Json rlnet_configuration() const;
  Json prune_configuration() const;
  /// Errors: UsageError (radius or step outside their range).
  void check_attack() const;
  std::function<rnx::optim::Rates(long, long)> rates() const;
  std::unique_ptr<rnx::optim::Optimizer<float>> make_optimizer() const;
  /// All that the bits of the result depend on. n_train: images that are trained on; init_checksum:
  /// of the weights to start from, or "".
  Json configuration(const tools::DataSet& set, std::size_t n_train,
                     const std::string& init_checksum, const tools::LoadedTeacher& by) const;
};

/// Adds all options, presets and synonyms; `a` holds the defaults and gets the values.
void add_options(Arguments& a, tools::App& app);

}  // namespace training

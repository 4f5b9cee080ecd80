// What paper 000 trains: its rows, by name, with the published hyper-parameters, and the smaller
// plans that are made of them.
#pragma once

#include <string>
#include <vector>

#include "../tools/paper.hpp"

namespace rlnet {

using paper::Json;

/// In the order in which `all` runs them; what a verb runs.
enum class Phase { teacher, sensitivity, mask, finetune, baseline };

/// A network to train.
struct Row {
  std::string name;  ///< its folder, followed by "-s" and the seed
  Phase phase = Phase::teacher;
  std::string teacher{};           ///< the row of its teacher, of the same seed; empty: none
  std::string init{};              ///< the row whose weights and masks it starts from
  std::string shares{};            ///< the row of the sensitivities that its budget follows
  std::string images = "cifar10";  ///< cifar10, cifar100 or tiny
  Json settings{};                 ///< of rnx-train

  std::string objective() const { return settings.value("objective", ""); }
  /// The batch-norm path of attacked images.
  int robust_path() const;
  /// Whether it is attacked behind a confidence switch.
  bool switched() const { return robust_path() == 1; }
};

/// How the trained networks are measured.
struct Measures {
  int images = 0;     ///< the first test images under attack (0: all)
  int corrupted = 0;  ///< the first test images under corruptions (0: all)
  int pgd_steps = 20, apgd_steps = 100;
  int switch_images = 0;     ///< the first test images, of the switch (0: all)
  int switch_steps = 20;     ///< of each of its attacks
  int held_out = 1000;       ///< the last training images, which choose its threshold
  double kept_share = 0.99;  ///< of those that the clean path classifies rightly
};

struct Plan : paper::PlanOf<Row> {
  Measures measures{};
  std::string ablations{};     ///< beginning of the names of the rows of tables 2 to 5
  std::string figures{};       ///< of the rows of figures 4, 5 and 6
  std::vector<int> budgets{};  ///< of figures 1 and 6, thousands of ReLUs
  int separate = 0;            ///< budget of figure 5 (b), thousands
};

/// smoke: synthetic images, a network of a moment. small: CIFAR-10, ResNet-20. small-ablation: its
/// ablations, from small's teacher and masks in the same folder. paper: as published. Errors:
/// UsageError.
Plan plan_of(const std::string& preset);

}  // namespace rlnet

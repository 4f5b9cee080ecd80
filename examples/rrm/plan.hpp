// What paper 002 trains: its rows, by name, with the published hyper-parameters, and the smaller
// plans that are made of them.
#pragma once

#include <string>
#include <vector>

#include "../tools/paper.hpp"

namespace rrm {

using paper::Json;

/// In the order in which `all` runs them; what a verb runs.
enum class Phase { teacher, robustify, baseline, transfer, sweep, limit };

/// A network to train, or (Phase::robustify) a data set to make.
struct Row {
  std::string name;  ///< its folder, followed by "-s" and the seed
  Phase phase = Phase::teacher;
  std::string teacher{};  ///< the row of its teacher, of the same seed; empty: none
  std::string images{};   ///< the row of the robustified images that it is trained on
  bool imagenet = false;  ///< Restricted ImageNet, else CIFAR-10
  Json settings{};        ///< of rnx-train; of Phase::robustify: images, steps
  /// The ball that it is attacked in: its own, or its teacher's.
  std::string norm = "linf", eps = "8/255";
  /// The most images for AutoAttack and the checks, a tenth of the other attacks'; 0: the plan's.
  int few = 0;
  bool kd() const { return settings.value("objective", "") == "kd"; }
  /// What a seed's run has its own of, for report::TableRow: images that its teacher robustified.
  std::vector<std::string> own() const {
    return images.empty() ? std::vector<std::string>() : std::vector<std::string>{"fingerprint"};
  }
};

/// How the trained networks are attacked.
struct Attacks {
  int images = 0;  ///< the first test images (0: all)
  int pgd_steps = 20;
  int steps = 50, restarts = 10;             ///< of AutoPGD, original and ART's
  int short_steps = 20, short_restarts = 5;  ///< ART's of tables 3 and 8, figures 4 and 5
  int auto_attack = 0;                       ///< the first images for AutoAttack (0: none)
  int curve_steps = 20;                      ///< of AutoPGD over radii
  int check_images = 100;                    ///< the first images, for the evaluation's checks
  int check_steps = 20, check_queries = 500;
};

struct Plan : paper::PlanOf<Row> {
  Attacks attacks{};
  double seconds = 1;  ///< that `time` measures for each row
  Attacks attacks_of(const Row& row) const;
};
/// Rows whose accuracy is drawn over radii.
const std::vector<std::string>& rows_over_radii();

/// smoke: synthetic images, all rows, networks of a second. small: CIFAR-10, ResNet-20 and a narrow
/// VGG-11 in the places of the paper's networks. paper: as published. Errors: UsageError.
Plan plan_of(const std::string& preset);

}  // namespace rrm

// What rnx-eval is asked for: its options, and the rules between them.
#pragma once

#include <string>
#include <vector>

#include "../evaluation.hpp"

namespace evaluation {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string model = "resnet20", out = "eval", norm = "linf", device = rnx::default_device::name,
              progress = "auto", lattice = "off", bn_path = "0", resume = "auto", shard = "1/1",
              loss = "ce";
  /// weights: of --packed, too
  std::vector<std::string> weights, packed, labels, eps{"8/255"}, attacks{"pgd:steps=20"},
      checks{"none"};
  std::string logits, adversarials, robustbench, surrogate;
  tools::DataOptions data;
  int n_ex = 1000, batch = 250, threads = 0, check_images = 100;
  std::uint64_t seed = 0;
  bool strict_checks = false, threat_sweep = false;

  /// Where --packed is given: its files are the weights, and the model is the one that they name.
  /// Errors: UsageError (--weights or --model beside), FileError (no packed network).
  void take_packed(const tools::App& app);
  /// Refuses words that are unknown and options that contradict each other. Errors: UsageError.
  void check() const;
  /// The rows of the report: every attack for every radius, from the smallest on; clean images
  /// once. Errors: UsageError.
  std::vector<tools::AttackText> rows() const;
  rnx::eval::Lattice lattice_kind() const;
  /// --bn-path A[:P]: of the network that attacks see, and of predictions. Errors: UsageError.
  struct Paths {
    int attack = 0, predict = 0;
  };
  Paths paths() const;
  /// The names of the checks that are asked for. Errors: UsageError.
  std::vector<std::string> check_names() const;
  /// "2/255, 8/255"
  std::string eps_text() const;
};

/// Adds all options and presets; `a` holds the defaults and gets the values.
void add_options(Arguments& a, tools::App& app);

/// Refuses attacks that a model of so many classes, or with so many batch-norm paths, cannot be
/// under. Errors: UsageError.
void require_possible(const Arguments& a, const std::vector<tools::AttackText>& rows, int classes,
                      int paths);

}  // namespace evaluation

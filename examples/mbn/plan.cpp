#include "plan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <rnx/core/error.hpp>
#include <rnx/models/told_name.hpp>

namespace mbn {

const std::vector<Method>& methods() {
  static const std::vector<Method> list{{"fp", "full precision", 32, 32},
                                        {"pact4", "PACT-4", 4, 4},
                                        {"pact2", "PACT-2", 2, 2},
                                        {"dorefa2", "DoReFa-2", 2, 2},
                                        {"xnor", "XNOR-Net", 1, 1},
                                        {"1x1", "MBN 1x1", 1, 1},
                                        {"3x1", "MBN 3x1", 3, 1},
                                        {"1x3", "MBN 1x3", 1, 3},
                                        {"3x3", "MBN 3x3", 3, 3},
                                        {"pruned-weights", "pruned weights", 32, 32},
                                        {"pruned-channels", "pruned channels", 32, 32}};
  return list;
}

std::string pruned_unit(const std::string& method) {
  constexpr std::string_view prefix = "pruned-";
  return method.starts_with(prefix) ? method.substr(prefix.size()) : "";
}

bool is_of_signs(const std::string& method) { return method == "xnor" || method.find('x') == 1; }

Method method_of(const std::string& name) {
  for (const Method& m : methods())
    if (m.name == name) return m;
  if (const auto told = rnx::models::told_by(name, "{M}x{N}")) {
    const auto in_range = [](int bases) { return bases >= 1 && bases <= 8; };
    rnx::require(in_range(told->weights) && in_range(told->activations), [&] {
      return "--bases: expected 1 to 8 bases of weights and of activations, found " + name;
    });
    return {name, "MBN " + name, told->weights, told->activations};
  }
  for (const auto& [family, label] : {std::pair{"pact{K}", "PACT"}, {"dorefa{K}", "DoReFa"}})
    if (const auto told = rnx::models::told_by(name, family)) {
      rnx::require(told->weights >= 2 && told->weights <= 16,
                   [&] { return "--bases: expected 2 to 16 bits, found " + name; });
      return {name, fmt::format("{}-{}", label, told->weights), told->weights, told->weights};
    }
  throw rnx::UsageError(
      "--bases: expected bases as 3x1, bits as pact4 or dorefa2, fp, xnor, pruned-weights or "
      "pruned-channels, found '" +
      name + "'");
}

std::string model_of(const std::string& network, const Method& method) {
  return method.name == "fp" || !pruned_unit(method.name).empty() ? network
                                                                  : network + "_" + method.name;
}

std::string network_of(const std::string& model) { return model.substr(0, model.find('_')); }

namespace {

/// He et al. 2016's rates; decay 1e-4.
Json natural(const std::string& model) {
  return {{"model", model},          {"objective", "natural"}, {"schedule", "multistep"},
          {"milestones", {.5, .75}}, {"gamma", 0.1},           {"lr", 0.1},
          {"epochs", 200},           {"weight-decay", 1e-4}};
}
/// Wong et al. 2020.
Json fast(const std::string& model) {
  return {{"model", model}, {"objective", "fgsm-rs"}, {"schedule", "triangular"}, {"warm", 0.5},
          {"lr", 0.2},      {"epochs", 15},           {"weight-decay", 5e-4}};
}

/// The surrogates of signs with scales bring alpha, about a tenth, into the gradient of the
/// weights: they take five times the rate, and a fifth of the decay, which has no alpha.
Json of_signs(Json settings) {
  settings["lr"] = 5 * settings["lr"].get<double>();
  settings["weight-decay"] = settings["weight-decay"].get<double>() / 5;
  return settings;
}
/// From trained weights, of which as many go as leave half of the operations (the paper's rows of
/// AMC); the first and the last layer stay, as in all rows. A third of the epochs, from a tenth of
/// the rate, as for what was trained already.
Json of_pruned(Json settings, const std::string& unit) {
  settings.update({{"schedule", "cosine"},
                   {"lr", settings["lr"].get<double>() / 10},
                   {"epochs", settings["epochs"].get<int>() / 3},
                   {"prune", unit},
                   {"prune-macs", 0.5},
                   {"prune-spare", {"conv1", "fc"}}});
  for (const char* key : {"milestones", "gamma", "warm"}) settings.erase(key);
  return settings;
}
Json settings_of(const Json& settings, const Method& m) {
  const std::string unit = pruned_unit(m.name);
  if (!unit.empty()) return of_pruned(settings, unit);
  return is_of_signs(m.name) ? of_signs(settings) : settings;
}

/// Of the methods that every plan has: ResNet-20, and of FastAT ResNet-56.
Plan whole() {
  Plan plan{{.preset = "paper"}};
  plan.data = {{"dataset", "cifar10"}};
  for (const auto training : {Training::natural, Training::fast}) {
    const bool is_natural = training == Training::natural;
    for (const Method& m : methods()) {
      const std::string prefix = is_natural ? "" : "fast-",
                        model = model_of(is_natural ? "resnet20" : "resnet56", m);
      plan.rows.push_back({.name = prefix + m.name,
                           .method = m.name,
                           .training = training,
                           .from = pruned_unit(m.name).empty() ? "" : prefix + "fp",
                           .settings = settings_of(is_natural ? natural(model) : fast(model), m)});
    }
  }
  return plan;
}

void scale(Plan& plan, int natural_epochs, int fast_epochs, const Json& settings) {
  for (Row& row : plan.rows) {
    row.settings["model"] = model_of("resnet20", method_of(row.method));
    const int epochs = row.training == Training::fast ? fast_epochs : natural_epochs;
    row.settings["epochs"] = row.from.empty() ? epochs : std::max(1, epochs / 3);
    row.settings.update(settings);
  }
}

Plan smoke() {
  Plan plan = whole();
  plan.preset = "smoke";
  plan.data = {{"dataset", "synthetic"}, {"n-train", 8}, {"n-test", 4}};
  plan.attacks = {.images = 4,
                  .runs = 2,
                  .steps = {1, 2},
                  .check_images = 2,
                  .check_steps = 2,
                  .check_queries = 4,
                  .iterations = {1, 2}};
  plan.speed = {.images = 4, .rounds = 2, .seconds = 0};
  scale(plan, 1, 1,
        {{"batch", 8}, {"eval-n", 0}, {"eval-pgd-n", 0}, {"final-pgd-n", 0}, {"lr", 0.01}});
  return plan;
}

Plan small() {
  Plan plan = whole();
  plan.preset = "small";
  plan.data = {{"dataset", "cifar10"}, {"n-train", 10000}};
  plan.attacks = {.images = 500, .runs = 2, .check_images = 50, .iterations = {1, 5, 20}};
  scale(plan, 12, 8, {{"eval-n", 0}, {"eval-pgd-n", 0}, {"final-pgd-n", 0}});
  return plan;
}

}  // namespace

Plan plan_of(const std::string& preset) {
  if (preset == "smoke") return smoke();
  if (preset == "small") return small();
  rnx::require(preset == "paper", [&] {
    return "--preset: '" + preset + "' is unknown; known are smoke, small, paper";
  });
  Plan plan = whole();
  for (const char* name : {"5x1", "1x5", "7x1", "1x7", "5x5"})
    add_row(plan, method_of(name), Training::natural);
  for (const char* name : {"5x1", "1x5", "5x5"}) add_row(plan, method_of(name), Training::fast);
  return plan;
}

void add_row(Plan& plan, const Method& m, Training training) {
  const std::string prefix = training == Training::fast ? "fast-" : "";
  if (plan.find(prefix + m.name)) return;
  Row row = *plan.find(prefix + (is_of_signs(m.name) ? "3x1" : "pact2"));
  row.settings["model"] = model_of(network_of(row.settings["model"]), m);
  row.name = prefix + m.name;
  row.method = m.name;
  plan.rows.push_back(row);
}

}  // namespace mbn

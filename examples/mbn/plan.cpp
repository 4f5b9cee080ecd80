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

constexpr std::string_view int8_ends = "int8_";

bool is_of_signs(const std::string& method) {
  return method == "xnor" || method.starts_with(int8_ends) || method.find('x') == 1;
}
bool is_packable(const std::string& method) {
  return is_of_signs(method) && !method.starts_with(int8_ends);
}

Method method_of(const std::string& name) {
  for (const Method& m : methods())
    if (m.name == name) return m;
  const bool ends = name.starts_with(int8_ends);
  if (const auto told =
          rnx::models::told_by(ends ? name.substr(int8_ends.size()) : name, "{M}x{N}")) {
    const auto in_range = [](int bases) { return bases >= 1 && bases <= 8; };
    rnx::require(in_range(told->weights) && in_range(told->activations), [&] {
      return "--bases: expected 1 to 8 bases of weights and of activations, found " + name;
    });
    return {name,
            fmt::format("MBN {}x{}{}", told->weights, told->activations, ends ? ", int8 ends" : ""),
            told->weights, told->activations};
  }
  for (const auto& [family, label] :
       {std::pair{"pact{K}", "PACT"}, {"pact{M}x{N}", "PACT"}, {"dorefa{K}", "DoReFa"}})
    if (const auto told = rnx::models::told_by(name, family)) {
      const auto in_range = [](int bits) { return bits >= 2 && bits <= 16; };
      rnx::require(in_range(told->weights) && in_range(told->activations),
                   [&] { return "--bases: expected 2 to 16 bits, found " + name; });
      const bool one = std::string_view(family).ends_with("{K}");
      return {name,
              fmt::format("{}-{}", label, told->weights) +
                  (one ? "" : fmt::format("-{}", told->activations)),
              told->weights, told->activations};
    }
  throw rnx::UsageError(
      "--bases: expected bases as 3x1 or int8_3x1, bits as pact4 or dorefa2, fp, xnor, "
      "pruned-weights or pruned-channels, found '" +
      name + "'");
}

std::string model_of(const std::string& network, const Method& method) {
  return method.name == "fp" || !pruned_unit(method.name).empty() ? network
                                                                  : network + "_" + method.name;
}

bool shortcuts_as_3x3(const std::string& network) { return network == "resnet18_imagenet"; }

namespace {

/// He et al. 2016's rates; decay 1e-4.
Json natural(const std::string& model) {
  return {{"model", model},          {"objective", "natural"}, {"schedule", "multistep"},
          {"milestones", {.5, .75}}, {"gamma", 0.1},           {"lr", 0.1},
          {"epochs", 200},           {"weight-decay", 1e-4}};
}
/// The same authors' on ImageNet.
Json natural_imagenet(const std::string& model) {
  Json settings = natural(model);
  settings.update({{"milestones", {1. / 3, 2. / 3}}, {"epochs", 90}, {"batch", 256}});
  return settings;
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
Json settings_of(const Block& b, const Method& m) {
  const std::string model = model_of(b.network, m), unit = pruned_unit(m.name);
  const Json settings = b.training == Training::fast ? fast(model)
                        : b.images == "imagenet"     ? natural_imagenet(model)
                                                     : natural(model);
  if (!unit.empty()) return of_pruned(settings, unit);
  return is_of_signs(m.name) ? of_signs(settings) : settings;
}

Row row_of(const Block& b, const Method& m) {
  return {.name = b.prefix + m.name,
          .method = m.name,
          .block = b,
          .from = pruned_unit(m.name).empty() ? "" : b.prefix + "fp",
          .settings = settings_of(b, m)};
}
/// names: of methods; more: one besides, or "".
void add_block(Plan& plan, const Block& b, std::vector<std::string> names,
               const std::string& more) {
  if (!more.empty() && std::find(names.begin(), names.end(), more) == names.end())
    names.push_back(more);
  for (const std::string& name : names) plan.rows.push_back(row_of(b, method_of(name)));
}

/// Tables 2 and 3, and rows that they do not have in the blocks of `small`.
Plan whole(const std::string& bases) {
  Plan plan{{.preset = "paper"}};
  plan.data = {{"n-train", 0}};
  std::vector<std::string> all;
  for (const Method& m : methods()) all.push_back(m.name);
  const std::vector<std::string> others{"5x1", "1x5", "7x1", "1x7", "5x5"},
      table{"fp",  "pact4", "pact2", "xnor", "1x1", "3x1", "1x3",
            "5x1", "1x5",   "7x1",   "1x7",  "3x3", "5x5"},
      fast_table{"fp", "pact4", "pact2", "xnor", "3x1", "1x3", "5x1", "1x5", "3x3", "5x5"};
  const auto both = [](std::vector<std::string> list, const std::vector<std::string>& more) {
    list.insert(list.end(), more.begin(), more.end());
    return list;
  };
  const auto add = [&](const Block& b, const std::vector<std::string>& names) {
    add_block(plan, b, names, bases);
  };
  constexpr auto fast = Training::fast;
  add({}, both(all, others));
  add({.prefix = "fast-", .network = "resnet56", .training = fast},
      both(all, {"5x1", "1x5", "5x5"}));
  add({.prefix = "r56-", .network = "resnet56"}, table);
  add({.prefix = "c100-", .network = "resnet56", .images = "cifar100"}, both(table, {"pact2x4"}));
  add({.prefix = "fast-c100-", .network = "resnet56", .images = "cifar100", .training = fast},
      fast_table);
  add({.prefix = "imagenet-", .network = "resnet18_imagenet", .images = "imagenet"},
      {"fp", "pact2", "1x1", "3x1", "1x3", "3x3"});
  return plan;
}

/// Whether a row is of CIFAR-10, in the place of ResNet-20 or of FastAT's ResNet-56, and of a
/// method that every plan has or that was asked for.
bool is_of_small(const Row& row, const std::string& bases) {
  const auto is_its = [&](const Method& m) { return m.name == row.method; };
  const bool known = row.method == bases || std::any_of(methods().begin(), methods().end(), is_its);
  return known && (row.block.prefix.empty() || row.block.prefix == "fast-");
}

void scale(Plan& plan, int natural_epochs, int fast_epochs, const Json& settings) {
  for (Row& row : plan.rows) {
    row.block.network = "resnet20";
    row.settings["model"] = model_of("resnet20", method_of(row.method));
    const int epochs = row.natural() ? natural_epochs : fast_epochs;
    row.settings["epochs"] = row.from.empty() ? epochs : std::max(1, epochs / 3);
    row.settings.update(settings);
  }
}

Plan smoke(const std::string& bases) {
  Plan plan = whole(bases);
  std::erase_if(plan.rows, [&](const Row& row) {
    return !is_of_small(row, bases) && row.method != "3x1" && row.method != "pact2x4";
  });
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

Plan small(const std::string& bases) {
  Plan plan = whole(bases);
  std::erase_if(plan.rows, [&](const Row& row) { return !is_of_small(row, bases); });
  plan.preset = "small";
  plan.data = {{"dataset", "cifar10"}, {"n-train", 10000}};
  plan.attacks = {.images = 500, .runs = 2, .check_images = 50, .iterations = {1, 5, 20}};
  scale(plan, 12, 8, {{"eval-n", 0}, {"eval-pgd-n", 0}, {"final-pgd-n", 0}});
  return plan;
}

}  // namespace

Plan plan_of(const std::string& preset, const std::string& bases) {
  if (!bases.empty()) method_of(bases);
  if (preset == "smoke") return smoke(bases);
  if (preset == "small") return small(bases);
  rnx::require(preset == "paper", [&] {
    return "--preset: '" + preset + "' is unknown; known are smoke, small, paper";
  });
  return whole(bases);
}

}  // namespace mbn

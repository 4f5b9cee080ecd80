// Phase 2: the network, its teacher, its layers.
#include <rnx/linearize.hpp>
#include <rnx/linearize/snl.hpp>
#include <rnx/cost/pruned.hpp>
#include <rnx/search/prune.hpp>

#include "../run_json.hpp"
#include "phases.hpp"

namespace training {

using namespace rnx;

namespace {

/// Of the penultimate features; 0: the model says none.
std::size_t feature_count(const NetworkBase<float>& net) {
  for (const Node& node : net.graph().nodes)
    if (Keep::tap<Penultimate>().applies(node)) return node.out.count();
  return 0;
}

/// Refuses a teacher of other features before a run begins. Errors: UsageError.
void require_same_features(const std::string& student, const NetworkBase<float>& net,
                           const tools::LoadedTeacher& by) {
  const std::size_t own = feature_count(net), other = feature_count(*by.net);
  require(own > 0 && own == other, [&] {
    return fmt::format(
        "--teacher: {} has {} penultimate features, the student {} has {}; rrm compares equal "
        "numbers, as of models with an added linear layer (resnet20_rrm, resnet50_rrm)",
        by.model, other, student, own);
  });
}

/// The shares that layers have of a budget. Errors: UsageError, FileError.
linearize::Budget budget_of(const Arguments& a, const Graph& graph) {
  const std::vector<linearize::ReluLayer> layers = linearize::relu_layers(graph);
  std::vector<double> weights;
  if (a.shares == "uniform") {
    for (const auto& l : layers) weights.push_back(double(l.count));
  } else if (a.shares == "published") {
    const int side = graph.input.h, thousands = int(a.budget / 1000);
    std::string model = a.model.substr(0, a.model.find("_rlnet"));
    std::replace(model.begin(), model.end(), '_', '-');
    if (model == "resnet18" && side == 32 && (thousands == 100 || thousands == 120))
      weights = linearize::resnet18_sensitivity(layers);
    else
      return linearize::from_fractions(layers,
                                       linearize::published_list(model, side, thousands).fractions);
  } else {
    const Json file = Json::parse(io::read_file(a.shares, 1 << 20), nullptr, false);
    require<FileError>(file.is_object() && file.contains("sensitivities"),
                       [&] { return a.shares + ": expected an object with sensitivities"; });
    weights = file.at("sensitivities").get<std::vector<double>>();
  }
  return linearize::water_fill(layers, weights, a.budget);
}

/// Refuses a network without the paths that its views take. Errors: UsageError.
void require_paths(const Arguments& a, const NetworkBase<float>& net) {
  const int paths = path_count(net.graph()), needed = std::max(a.robust_path(), a.augmented_path);
  require(needed < paths, [&] {
    return fmt::format("--model: {} takes batch-norm path {}, {} has {}", a.objective, needed,
                       a.model, paths);
  });
}

/// Refuses weights whose masks hold other values than 0 and 1. Errors: FileError.
void require_masks(const std::string& file, const NetworkBase<float>& net) {
  for (const auto& b : net.graph().buffers) {
    if (!b.name.ends_with(".mask")) continue;
    const std::vector<float> values = net.get(b.name).values;
    require<FileError>(
        std::all_of(values.begin(), values.end(), [](float v) { return v == 0 || v == 1; }),
        [&] { return file + ": " + b.name + ": expected a mask of zeros and ones"; });
  }
}

/// Weights to start from. Those of a network that is the same but for its ReLUs, as the file says
/// its model, become its own: masks slopes, slopes masks. Returns the file's checksum. Errors:
/// FileError, UsageError (a head that is left out on the way).
std::string start(const Arguments& a, const tools::DataSet& set, NetworkBase<float>& net) {
  const auto file = io::SafetensorsFile::read(a.init);
  const auto said = file.metadata().find("rnx.model");
  const bool to_slopes = linearize::has_slopes(std::as_const(net).graph());
  const std::string other_kind = to_slopes ? ".mask" : ".slope";
  const bool is_other =
      std::any_of(file.entries().begin(), file.entries().end(),
                  [&](const io::Entry& e) { return e.name.ends_with(other_kind); });
  if (said == file.metadata().end() || !is_other)
    return tools::start_from(a.init, a.skip_head, a.model, net);
  require(!a.skip_head, "--init-skip-head: not between masks and slopes");
  AnyNetwork<float> other = tools::make_model(said->second, *set.train, 0, set.statistics);
  const std::string checksum = tools::start_from(a.init, false, said->second, *other);
  to_slopes ? linearize::take_masks(net, *other) : linearize::take_slopes(net, *other);
  return checksum;
}

/// Prunes the weights of --init. Returns what went, for run.json. Errors: as search::prune.
Json prune(const Arguments& a, NetworkBase<float>& net, tools::Display& display) {
  const double whole = double(cost::pruned_table(net).total().macs);
  const long long budget = std::llround(a.prune_macs * whole);
  Patterns spared;
  spared.globs = a.prune_spare;
  const auto result =
      search::prune(net, {.unit = a.prune == "weights" ? search::Pruning::Unit::weights
                                                       : search::Pruning::Unit::channels,
                          .ratios = a.prune_ratios,
                          .macs = a.prune_macs > 0 ? std::max(1LL, budget) : 0,
                          .spared = spared,
                          .global = a.prune_global});
  display.say(fmt::format("pruned: {} by {:.4g}, {} of {:.0f} MACs are left", a.prune,
                          fmt::join(result.ratios, ", "), result.macs, whole));
  return {{"unit", a.prune}, {"ratios", result.ratios}, {"macs", result.macs}};
}

/// Refuses a teacher without a path for attacked images. Errors: UsageError.
void require_two_paths(const tools::LoadedTeacher& by) {
  require(path_count(by.net->graph()) >= 2, [&] {
    return fmt::format(
        "--teacher: {} has one batch-norm path; paper 000's students learn from one with two, as "
        "resnet20_rlnet",
        by.model);
  });
}

}  // namespace

Model make_model(const Arguments& a, const tools::DataSet& set, tools::Display& display) {
  Model m{.net = tools::make_model(a.model, *set.train, a.seed, set.statistics)};
  if (a.rlnet()) require_paths(a, *m.net);
  require(a.sloped() == linearize::has_slopes(std::as_const(*m.net).graph()), [&] {
    return a.sloped()
               ? "--model: snl trains slopes, which " + a.model + " has not; resnet20_snl has"
               : "--model: " + a.model + " has slopes, for --objective snl";
  });
  if (!a.init.empty()) m.init = start(a, set, *m.net);
  require_masks(a.init, *m.net);
  if (a.taught()) {
    m.teacher = tools::load_teacher(a.teacher, a.teacher_model, *set.train);
    if (a.objective == "rrm") require_same_features(a.model, *m.net, m.teacher);
    if (a.rlnet()) require_two_paths(m.teacher);
    display.say(fmt::format("teacher: {}, {}", m.teacher.model, a.teacher));
  }
  if (a.masked())
    linearize::set_masks(*m.net, linearize::random_masks(linearize::relu_layers(m.net->graph()),
                                                         budget_of(a, m.net->graph()), a.seed));
  Json pruned;
  if (!a.prune.empty()) pruned = prune(a, *m.net, display);
  const cost::Row total = cost_of(a, *m.net).total();
  display.say(fmt::format("model: {}, {} parameters, {} MACs, {} ReLUs", a.model, total.parameters,
                          total.macs, total.relus));
  m.facts = {{"parameters", total.parameters},
             {"macs", total.macs},
             {"relus", total.relus},
             {"features", feature_count(*m.net)},
             {"data", a.data.dir}};
  if (!pruned.is_null()) m.facts["pruned"] = pruned;
  if (a.init.empty())
    m.facts["normalisation"] = {{"mean", set.statistics.mean}, {"std", set.statistics.std}};
  else
    m.facts["init"] = a.init;  // the weights bring their normalisation
  return m;
}

cost::Table cost_of(const Arguments& a, const NetworkBase<float>& net) {
  return a.prune.empty() ? cost::table(net) : cost::pruned_table(net);
}

void print_layers(const cost::Table& table) {
  fmt::print("{:<32} {:<14} {:>14} {:>12} {:>14} {:>12} {:>10} {:>12}\n", "layer", "operation",
             "output", "parameters", "MACs", "GBOPs", "ReLUs", "bytes");
  const auto row = [](const cost::Row& r, const std::string& out) {
    fmt::print("{:<32} {:<14} {:>14} {:>12} {:>14} {:>12.4f} {:>10} {:>12}\n", r.path, r.operation,
               out, r.parameters, r.macs, r.bops * 1e-9, r.relus,
               4 * (r.parameters + r.activations));
  };
  for (const cost::Row& r : table.rows) row(r, fmt::format("{}x{}x{}", r.out.c, r.out.h, r.out.w));
  cost::Row total = table.total();
  total.path = "total";
  row(total, "");
  fmt::print("BOPs    {:.4e}\nstorage {:.1f} KiB\n", total.bops,
             double(total.storage_bits) / 8 / 1024);
}

}  // namespace training

#include "measure.hpp"

#include <algorithm>
#include <cmath>

#include <rnx/cost/pruned.hpp>
#include <rnx/io/file_checksum.hpp>
#include <rnx/report/json.hpp>

#include "../tools/checks.hpp"
#include "../tools/run_json.hpp"

namespace mbn {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

/// The first test images that a run is measured on; n: 0 for all.
data::Part images_of(const Run& run, int n, paper::Images& opened) {
  const data::Source& test = *opened.of(run.program.a.data, false).test;
  return {test, 0, n ? std::min(std::size_t(n), test.size()) : test.size()};
}
fs::path weights_of(const Run& run) { return run.folder / "model.safetensors"; }
AnyNetwork<float> trained(const Run& run, const data::Part& images) {
  AnyNetwork<float> net = tools::make_model(run.program.a.model, images, 0);
  io::load_model(weights_of(run).string(), *net);
  return net;
}
/// What a measurement is of.
Json facts(const Run& run, const data::Part& images) {
  return {{"row", run.row.name},
          {"weights", io::file_checksum(weights_of(run))},
          {"fingerprint", images.fingerprint()},
          {"n", images.size()},
          {"seed", run.program.a.seed}};
}

/// Accuracies of runs with starts of their own, and their mean.
Json runs_of(const NetworkBase<float>& net, const data::Part& images,
             const tools::AttackText& attack, int runs, const std::string& what,
             tools::Display& display, std::optional<double>* clean = {}) {
  Json each = Json::array();
  double sum = 0;
  for (int k = 0; k < runs; ++k) {
    const eval::Options o{.seed = std::uint64_t(k),
                          .progress = display.counting(fmt::format("{}, run {}", what, k + 1)),
                          .stop = &tools::stop_on_signals()};
    const eval::Accuracy result = attack.run(net, images, o);
    const double share = eval::robust_proportion(result).value();
    if (clean) *clean = eval::clean_proportion(result).value();
    sum += share;
    each.push_back(share);
  }
  display.done();
  return {{"mean", sum / runs}, {"runs", each}};
}
tools::AttackText pgd(int steps, const std::string& size, const std::string& eps) {
  return tools::AttackText::parse(fmt::format("pgd:steps={},step={}", steps, size), "linf", eps);
}
void write(const fs::path& file, Json json) {
  json["instruction_set"] = tools::arithmetic();
  io::write_file(file, tools::text_of(json));
}

/// The checks of the row's network in the ball of its attacks.
Json checks_of(const Run& run, const NetworkBase<float>& net, const data::Part& images,
               const Attacks& k, tools::Display& display) {
  AnyNetwork<float> floats;
  if (!run.floats.empty()) {
    floats = tools::make_model(run.row.block.network, images, 0);
    io::load_model(run.floats.string(), *floats);
  }
  const auto checks = tools::run_checks(norm::Linf::name, net, images,
                                        {.eps = Rational::parse(run.row.eps(), "eps").value(),
                                         .images = std::min(k.check_images, int(images.size())),
                                         .steps = k.check_steps,
                                         .queries = k.check_queries,
                                         .seed = run.program.a.seed,
                                         .other = run.floats.empty() ? nullptr : &*floats},
                                        run.row.name, display);
  Json list = Json::array();
  for (const eval::Check& check : checks) list.push_back(report::detail::json(check));
  return list;
}

}  // namespace

void evaluate(const Run& run, const Attacks& k, paper::Images& opened, tools::Display& display) {
  const fs::path file = run.folder / "attacks.json";
  const data::Part images = images_of(run, k.images, opened);
  Json json = facts(run, images);
  json.update({{"eps", run.row.eps()},
               {"step", run.row.step()},
               {"repeats", k.runs},
               {"iterations", k.steps},
               {"check_options", {k.check_images, k.check_steps, k.check_queries}},
               {"transferred_from", run.floats.empty() ? "" : io::file_checksum(run.floats)}});
  if (paper::is_measured(file, json)) return;
  tools::work_begins("this step");
  const AnyNetwork<float> net = trained(run, images);
  const bool pruned = !run.row.from.empty();
  const cost::Convention convention{.shortcuts_as_3x3 = shortcuts_as_3x3(run.row.block.network)};
  const cost::Row cost =
      (pruned ? cost::pruned_table(*net, convention) : cost::table(*net, convention)).total();
  json["bops"] = cost.bops;
  json["storage_bits"] = cost.storage_bits;
  std::optional<double> clean;
  Json attacks = Json::array();
  for (const int steps : k.steps) {
    const std::string what = fmt::format("{}, PGD-{}", run.row.name, steps);
    Json result = runs_of(*net, images, pgd(steps, run.row.step(), run.row.eps()), k.runs, what,
                          display, &clean);
    result["steps"] = steps;
    attacks.push_back(std::move(result));
  }
  json["clean"] = clean.value_or(NAN);
  json["pgd"] = attacks;
  json["checks"] = checks_of(run, *net, images, k, display);
  write(file, json);
}

void sweep_threats(const Run& run, const Attacks& k, paper::Images& opened,
                   tools::Display& display) {
  const fs::path file = run.folder / "threat.json";
  const data::Part images = images_of(run, k.images, opened);
  Json json = facts(run, images);
  json.update(
      {{"eps", "2/255"}, {"iterations", k.iterations}, {"repeats", k.runs}, {"steps", k.sizes}});
  if (paper::is_measured(file, json)) return;
  tools::work_begins("this step");
  const AnyNetwork<float> net = trained(run, images);
  for (const std::string& size : k.sizes) {
    Json curve = Json::array();
    for (const int steps : k.iterations) {
      const std::string what = fmt::format("{}, PGD-{} of {}", run.row.name, steps, size);
      const auto attack = pgd(steps, size, "2/255");
      curve.push_back(runs_of(*net, images, attack, k.runs, what, display)["mean"]);
    }
    json["sizes"][size] = curve;
  }
  write(file, json);
}

namespace {

/// Of how many of a convolution's bases the surrogate lets a gradient through at x, and of how many
/// there are. Where ReLU stands before, it lets it through where x > 0.
struct Gate {
  std::vector<float> shifts{};  ///< of multi-bit activations
  float least = -INFINITY, most = INFINITY;
  bool relu = false;

  int bases() const { return shifts.empty() ? 1 : int(shifts.size()); }
  int open(float x) const {
    if (shifts.empty()) return (!relu || x > 0) && x >= least && x <= most;
    return int(std::count_if(shifts.begin(), shifts.end(),
                             [&](float v) { return x + v >= 0 && x + v <= 1; }));
  }
};
/// As the convolution says what it quantizes: signs are let through within [-1, 1], levels up to
/// their clip, which is 1 where none is learned.
Gate gate_of(const NetworkBase<float>& net, const Node& node) {
  Gate gate{.relu = net.graph().nodes[std::size_t(node.inputs[0])].relu};
  if (node.activation_bits < 32) gate.most = 1;
  if (node.activation_bits < 32 && !gate.relu) gate.least = -1;
  for (const NamedParameter& p : net.graph().parameters) {
    if (p.name == node.path + ".activation.shift") gate.shifts = net.get(p.name).values;
    if (p.name == node.path + ".activation.clip") gate.most = net.get(p.name).values[0];
  }
  return gate;
}

/// The batch, its labels, and the trace of one pass forward and back.
struct Flow {
  loss::Labels<> labels;
  Tensor<float> x;
  Trace<float> trace;
  Grads<float> grads;

  Flow(const NetworkBase<float>& net, const data::Source& images, int n, std::vector<Keep> keep)
      : labels(n, net.classes()),
        x(n, images.dims()),
        trace(net.make_trace({.use = Use::train, .capacity = n, .keep = std::move(keep)})),
        grads(net.make_grads()) {
    const std::size_t count = images.dims().count();
    std::vector<float> pixels(std::size_t(n) * count);
    std::vector<std::int32_t> classes;
    for (int i = 0; i < n; ++i) {
      images.sample(std::uint32_t(i), {}, {}, pixels.data() + std::size_t(i) * count);
      classes.push_back(images.label(std::uint32_t(i)));
    }
    x.upload(pixels);
    labels.upload(classes);
    net.forward(trace, std::as_const(x).view(), {});
  }
};

}  // namespace

models::ModelOptions options_of(const std::string& network) {
  return network == "resnet18_imagenet" ? models::ModelOptions{.classes = 1000, .in = {3, 224, 224}}
                                        : models::ModelOptions{};
}

void measure_flow(const Run& run, const Attacks& k, paper::Images& opened,
                  tools::Display& display) {
  const fs::path file = run.folder / "flow.json";
  const data::Part images = images_of(run, k.images, opened);
  Json json = facts(run, images);
  if (paper::is_measured(file, json)) return;
  display.phase(run.row.name + ", flow of gradients");
  const AnyNetwork<float> net = trained(run, images);
  const auto& nodes = net->graph().nodes;
  const auto counts = [&](const Node& n) {
    return n.kind == Kind::convolution && !n.inputs.empty() && n.inputs[0] > 0;
  };
  std::vector<Keep> keep;
  for (const Node& n : nodes)
    if (counts(n)) keep.push_back(Keep::at(nodes[std::size_t(n.inputs[0])].path));
  Flow flow(*net, images, int(std::min<std::size_t>(images.size(), 64)), keep);
  std::vector<std::array<long, 4>> open;  // none, a part, all; of how many
  std::vector<const Node*> layers;
  for (const Node& n : nodes) {
    if (!counts(n)) continue;
    const Gate gate = gate_of(*net, n);
    std::array<long, 4> sums{};
    for (const float value :
         to_host(flow.trace.activation(nodes[std::size_t(n.inputs[0])].path).value)) {
      const int passing = gate.open(value);
      ++sums[passing == 0 ? 0 : passing < gate.bases() ? 1 : 2];
      ++sums[3];
    }
    open.push_back(sums);
    layers.push_back(&n);
  }
  loss::CrossEntropy{.labels = flow.labels.data()}(flow.trace, loss::Call<float>{});
  net->backward(flow.trace, {}, &flow.grads);
  const std::vector<float> gradients = flow.grads.flat.download();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const ParameterInfo& weight = layers[i]->parameters[0];
    const float* g = gradients.data() + weight.offset;
    const auto share = [&](long count) { return double(count) / double(open[i][3]); };
    json["layers"].push_back(
        {{"layer", layers[i]->path},
         {"blocked", share(open[i][0])},
         {"partial", share(open[i][1])},
         {"passed", share(open[i][2])},
         {"zero_weight_gradients",
          double(std::count(g, g + weight.count(), 0.f)) / double(weight.count())}});
  }
  write(file, json);
  display.done();
}

}  // namespace mbn

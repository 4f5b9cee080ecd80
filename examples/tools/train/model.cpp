// Phase 2: the network, its teacher, its layers.
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

}  // namespace

Model make_model(const Arguments& a, const tools::DataSet& set, tools::Display& display) {
  Model m{.net = tools::make_model(a.model, *set.train, a.seed, set.statistics)};
  if (!a.init.empty()) m.init = tools::start_from(a.init, a.skip_head, a.model, *m.net);
  if (a.taught()) {
    m.teacher = tools::load_teacher(a.teacher, a.teacher_model, *set.train);
    if (a.objective == "rrm") require_same_features(a.model, *m.net, m.teacher);
    display.say(fmt::format("teacher: {}, {}", m.teacher.model, a.teacher));
  }
  const cost::Row total = cost::table(m.net->graph()).total();
  display.say(fmt::format("model: {}, {} parameters, {} MACs, {} ReLUs", a.model,
                          m.net->parameter_count(), total.macs, total.relus));
  m.facts = {{"parameters", m.net->parameter_count()},
             {"macs", total.macs},
             {"relus", total.relus},
             {"features", feature_count(*m.net)},
             {"data", a.data.dir}};
  if (a.init.empty())
    m.facts["normalisation"] = {{"mean", set.statistics.mean}, {"std", set.statistics.std}};
  else
    m.facts["init"] = a.init;  // the weights bring their normalisation
  return m;
}

void print_layers(const NetworkBase<float>& net) {
  const cost::Table table = cost::table(net.graph());
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

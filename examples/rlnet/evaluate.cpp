#include <rnx/eval/confidence_switch.hpp>
#include <rnx/io/file_checksum.hpp>
#include <rnx/linearize.hpp>
#include <rnx/linearize/sensitivity.hpp>

#include "../tools/run_json.hpp"
#include "measure.hpp"

namespace rlnet {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

constexpr const char* eps = "8/255";

Json share(const eval::Proportion& p) {
  const eval::Interval interval = p.interval();
  return {{"right", p.right},
          {"n", p.n},
          {"acc", p.value()},
          {"low", interval.low},
          {"high", interval.high}};
}
data::Part first(const data::Source& test, int n) {
  return {test, 0, n ? std::min(std::size_t(n), test.size()) : test.size()};
}
eval::Options options(const Run& run, int path) {
  return {.path = path, .seed = run.program.a.seed, .stop = &tools::stop_on_signals()};
}
/// What a measurement is of.
Json facts(const Run& run, const data::Source& images) {
  return {{"row", run.row.name},
          {"fingerprint", images.fingerprint()},
          {"seed", run.program.a.seed},
          {"weights", io::file_checksum(run.folder / "model.safetensors")}};
}
Json facts(const Run& run, const data::Source& images, const Corrupted& corrupted,
           const Json& measures) {
  Json json = facts(run, images);
  json["corruptions"] = {{"origin", corrupted.origin()}, {"images", corrupted.images()}};
  json["measures"] = measures;
  return json;
}
void write(const fs::path& file, Json json) {
  json["instruction_set"] = tools::arithmetic();
  io::write_file(file, tools::text_of(json));
}

/// An attack on one path, and where its images are predicted on the other.
Json attacked(const Run& run, const NetworkBase<float>& net, const data::Source& images,
              const std::string& text, tools::Display& display) {
  const auto attack = tools::AttackText::parse(text, "linf", eps);
  const int robust = run.row.robust_path();
  Json result{{"attack", attack.text}};
  const auto measured = [&](const std::string& key, int path, int from) {
    eval::Options o = options(run, path);
    o.attack_path = from;
    o.progress = display.counting(fmt::format("{}, {} {}", run.row.name, text, key));
    eval::Accuracy a = attack.run(net, images, o);
    result[key] = share(eval::robust_proportion(a));
    return a;
  };
  const eval::Accuracy own = measured("own", robust, robust);
  if (robust == 0) return result;
  const eval::Accuracy other = measured("clean_path", 0, 0);
  measured("carried_to_clean", 0, robust);
  measured("carried_to_robust", robust, 0);
  eval::Proportion worse{0, long(own.samples.size())};
  for (std::size_t i = 0; i < own.samples.size(); ++i)
    worse.right += own.samples[i].robust && other.samples[i].robust;
  result["worse"] = share(worse);
  return result;
}

/// f(images) for each corrupted version: whether each is right.
template <class F> eval::CorruptionScores scores_of(const Corrupted& corrupted, const F& f) {
  eval::CorruptionScores scores;
  for (int k = 0; k < data::corruption::benchmark_count; ++k)
    for (int severity = 1; severity <= 5; ++severity) {
      tools::check_stop();
      scores.add(data::Corruption(k), severity,
                 f(corrupted.version(data::Corruption(k), severity)));
    }
  return scores;
}
Json corrupted_json(const Run& run, const Corrupted& corrupted,
                    const eval::CorruptionScores& scores) {
  Json each = Json::object();
  for (int k = 0; k < data::corruption::benchmark_count; ++k)
    each[std::string(data::corruption::names[std::size_t(k)])] =
        scores.accuracy(data::Corruption(k));
  const bool tiny = run.row.images == "tiny";
  return {{"npa", scores.npa()},
          {"mce", tiny ? scores.mce(eval::tiny_imagenet_reference) : scores.mce()},
          {"images", corrupted.images()},
          {"origin", corrupted.origin()},
          {"each", each},
          {"per_image", scores.per_image()}};
}

/// Running statistics of the last batch norm, path by path: figure 2.
Json last_batch_norm(const NetworkBase<float>& net) {
  std::string layer;
  for (const Node& n : net.graph().nodes)
    if (n.kind == Kind::batch_norm) layer = n.path;
  Json paths = Json::array();
  for (int path = 0; path < path_count(net.graph()); ++path) {
    const std::string at = layer + (path ? fmt::format(".paths.{}.", path) : ".");
    paths.push_back({{"mean", net.get(at + "running_mean").values},
                     {"var", net.get(at + "running_var").values}});
  }
  return paths;
}

}  // namespace

AnyNetwork<float> trained(const Run& run, const tools::DataSet& set) {
  AnyNetwork<float> net = tools::make_model(run.program.a.model, *set.test, 0);
  io::load_model(run.folder / "model.safetensors", *net);
  return net;
}

void evaluate(const Run& run, const Measures& m, const tools::DataSet& set,
              const Corrupted& corrupted, tools::Display& display) {
  const fs::path file = run.folder / "eval.json";
  Json result =
      facts(run, *set.test, corrupted,
            {{"images", m.images}, {"pgd_steps", m.pgd_steps}, {"apgd_steps", m.apgd_steps}});
  if (paper::is_measured(file, result)) return;
  tools::work_begins("this step");
  const AnyNetwork<float> net = trained(run, set);
  eval::Options o = options(run, 0);
  o.progress = display.counting(run.row.name + ", clean");
  result["clean"] = share(eval::clean_proportion(eval::accuracy(*net, *set.test, o)));
  o.path = run.row.robust_path();
  result["clean_robust_path"] = share(eval::clean_proportion(eval::accuracy(*net, *set.test, o)));
  display.phase(run.row.name + ", corrupted");
  o = options(run, 0);
  result["corrupted"] = corrupted_json(
      run, corrupted,
      scores_of(corrupted, [&](const auto& images) { return eval::accuracy(*net, images, o); }));
  const data::Part some = first(*set.test, m.images);
  result["attacked_images"] = some.size();
  for (const auto& [name, text] : std::vector<std::pair<std::string, std::string>>{
           {"fgsm", "fgsm"},
           {"pgd7", fmt::format("pgd:steps={}", std::min(7, m.pgd_steps))},
           {"pgd20", fmt::format("pgd:steps={}", m.pgd_steps)},
           {"apgd", fmt::format("apgd-ce:steps={},restarts=1", m.apgd_steps)}})
    result["attacks"][name] = attacked(run, *net, some, text, display);
  const long kept = long(cost::table(*net).total().relus);
  const auto layers = linearize::relu_layers(net->graph());
  result["relus"] = kept;
  result["saving"] = linearize::communication_saving(layers, kept);
  result["last_batch_norm"] = last_batch_norm(*net);
  display.done();
  write(file, result);
}

void evaluate_switch(const Run& run, const Measures& m, const tools::DataSet& set,
                     const Corrupted& corrupted, tools::Display& display) {
  if (!run.row.switched()) return;
  const fs::path file = run.folder / "switch.json";
  Json result = facts(run, *set.test, corrupted,
                      {{"images", m.switch_images},
                       {"steps", m.switch_steps},
                       {"held_out", m.held_out},
                       {"kept_share", m.kept_share}});
  if (paper::is_measured(file, result)) return;
  tools::work_begins("this step");
  const AnyNetwork<float> net = trained(run, set);
  const std::size_t all = set.train->size(), held = std::min(all, std::size_t(m.held_out));
  const data::Part held_out(*set.train, all - held, held);
  eval::Options o = options(run, 0);
  o.progress = display.counting(run.row.name + ", threshold");
  const double threshold = eval::held_out_threshold(*net, held_out, m.kept_share, o);
  const attack::ConfidenceSwitch<float> both(*net, {.threshold = threshold});
  const attack::Victim<float>& victim = both;
  result["threshold"] = threshold;
  result["held_out"] = held;
  result["held_out_was_trained_on"] = run.program.a.holdout < int(held);
  o.progress = display.counting(run.row.name + ", switch");
  result["clean"] = share(eval::clean_proportion(eval::accuracy(victim, *set.test, o)));
  o.progress = {};
  result["corrupted"] = corrupted_json(
      run, corrupted,
      scores_of(corrupted, [&](const auto& images) { return eval::accuracy(victim, images, o); }));
  const data::Part some = first(*set.test, m.switch_images);
  display.phase(run.row.name + ", attacks on the switch");
  const eval::SwitchResult r = eval::attack_switch(both, some, {.steps = m.switch_steps}, o);
  result.update({{"attacked_images", some.size()},
                 {"attacked_clean", share(r.clean)},
                 {"by_clean_path", share(r.by_clean_path)},
                 {"blind", share(r.blind)},
                 {"confident_error", share(r.confident)},
                 {"under_threshold", share(r.under_threshold)},
                 {"knowing", share(r.knowing)},
                 {"adaptive", share(r.adaptive)},
                 {"suspicious", r.suspicious()}});
  display.done();
  write(file, result);
}

void write_sensitivities(const Run& run, const tools::DataSet& set) {
  const AnyNetwork<float> net = trained(run, set);
  Json result = facts(run, *set.train);
  result["sensitivities"] = linearize::sensitivities(*net);
  Json paths = Json::array();
  for (const auto& layer : linearize::relu_layers(net->graph())) paths.push_back(layer.path);
  result["layers"] = paths;
  write(run.folder / "sensitivity.json", result);
}

}  // namespace rlnet

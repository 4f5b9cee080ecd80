#include "evaluation.hpp"

#include <chrono>
#include <filesystem>

namespace tools {

using namespace rnx;

std::string default_step(const std::string& norm, const std::string& eps) {
  return norm == norm::L2::name ? fmt::format("{:.6g}", Rational::parse(eps, "--eps").value() / 5) : "2/255";
}

AttackText AttackText::parse(const std::string& text, const std::string& norm, const std::string& eps) {
  AttackText a;
  a.text = text, a.norm = norm, a.eps_text = eps;
  require_known("--norm", norm, {norm::Linf::name, norm::L2::name});
  a.eps = Rational::parse(eps, "--eps");
  const auto colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  require_known("--attack", kind, {"clean", "fgsm", "pgd"});
  require(kind == "pgd" || colon == text.npos, [&] { return "--attack: " + kind + " takes no parameters, found '" + text + "'"; });
  a.clean = kind == "clean";
  std::string step = default_step(norm, eps);
  if (kind == "fgsm") a.steps = 1, step = eps, a.start = attack::Start::clean;
  const auto count = [](const std::string& key, const std::string& value) {
    const double v = Rational::parse(value, "--attack " + key);
    require(v >= 1 && v <= 1000000 && v == int(v), [&] { return "--attack: " + key + " must be a positive whole number, found '" + value + "'"; });
    return int(v);
  };
  for (std::string rest = colon == text.npos ? "" : text.substr(colon + 1); !rest.empty();) {
    const auto comma = rest.find(',');
    const std::string part = rest.substr(0, comma), key = part.substr(0, part.find('=')), value = part.find('=') == part.npos ? "" : part.substr(part.find('=') + 1);
    rest = comma == rest.npos ? "" : rest.substr(comma + 1);
    if (key == "steps") a.steps = count(key, value);
    else if (key == "restarts") a.restarts = count(key, value);
    else if (key == "step") step = value;
    else if (key == "start" && (value == "none" || value == "random")) a.start = value == "none" ? attack::Start::clean : attack::Start::random;
    else throw UsageError("--attack: '" + part + "' is not understood; keys are steps, step, restarts and start=none|random" + suggestion(key, {"steps", "step", "restarts", "start"}));
  }
  a.step = Rational::parse(step, "--attack step");
  if (kind == "pgd") a.text = fmt::format("pgd:steps={},step={},restarts={},start={}", a.steps, step, a.restarts, a.start == attack::Start::clean ? "none" : "random");
  if (norm == norm::Linf::name) attack::check_radius<norm::Linf>(a.eps, a.step);
  else attack::check_radius<norm::L2>(a.eps, a.step);
  return a;
}

AnyNetwork<float> make_model(const std::string& name, const data::Source& source, std::uint64_t seed, const data::Statistics& statistics) {
  const auto& registry = models::Registry<>::instance();
  require_known("--model", name, registry.names());
  models::ModelOptions options;
  options.classes = source.classes(), options.seed = seed, options.in = source.dims();
  AnyNetwork<float> net = registry.make(name, options);
  for (const auto& b : net->graph().buffers) {
    if (b.name == "normalize.mean" && !statistics.mean.empty()) net->set(b.name, statistics.mean);
    if (b.name == "normalize.std" && !statistics.std.empty()) net->set(b.name, statistics.std);
  }
  return net;
}

eval::Options stoppable(eval::Options options) {
  options.progress = [](std::size_t, std::size_t) { check_stop(); };
  return options;
}

eval::Accuracy evaluate(const NetworkBase<float>& net, const data::Source& source, const eval::Options& options, const AttackText& a) {
  eval::Options o = options;
  o.restarts = a.restarts;
  const auto with = [&]<class N>(N) {
    const attack::Pgd<N> pgd{.eps = a.eps, .step = a.step, .steps = a.steps, .start = a.start};
    return eval::accuracy(net, source, o, a.clean ? nullptr : &pgd);
  };
  return a.norm == norm::L2::name ? with(norm::L2{}) : with(norm::Linf{});
}

namespace {
std::vector<eval::Figure> curves_beside(const std::filesystem::path& weights) {
  const auto metrics = weights.parent_path() / "metrics.csv";
  std::error_code error;
  if (!std::filesystem::exists(metrics, error)) return {};
  return eval::training_figures(io::read_file(metrics, 64 << 20), metrics.string());
}
}  // namespace

eval::ModelReport model_report(const NetworkBase<float>& net, const std::string& label, const std::string& model, const std::string& weights, const data::Source& source,
                               const std::vector<AttackText>& attacks, eval::Options options) {
  eval::ModelReport report{.label = label, .model = model, .weights = weights, .details = nlohmann::ordered_json::object(), .attacks = {}, .cost = cost::table(net.graph()), .examples = {}, .figures = curves_beside(weights)};
  for (const AttackText& a : attacks) {
    using clock = std::chrono::steady_clock;
    const auto begin = clock::now();
    options.examples = report.examples.empty() && !a.clean && (source.dims().c == 1 || source.dims().c == 3) ? 10 : 0;
    options.keep_logits = false;
    eval::Accuracy r = evaluate(net, source, options, a);
    for (std::size_t i = 0; i < r.examples.size(); ++i)
      report.examples.push_back({int(r.origin(i)), r.samples[i].label, r.samples[i].clean, r.samples[i].attacked, source.dims(), std::move(r.examples[i].clean), std::move(r.examples[i].adversarial)});
    r.examples.clear();
    const double forwards = double(r.forwards), backwards = double(r.backwards);
    report.attacks.push_back({a.clean ? "clean" : a.text, a.clean ? "" : a.norm, a.clean ? "" : a.eps_text, std::move(r), forwards, backwards, std::chrono::duration<double>(clock::now() - begin).count()});
  }
  return report;
}

}  // namespace tools

#include "attacks.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rnx/io.hpp>
#include <rnx/io/file_checksum.hpp>

#include "app.hpp"

namespace tools {

using namespace rnx;

namespace {

/// What the keys of an attack say.
struct Parameters {
  int steps = 0, restarts = 1, queries = 5000, targets = 9, eot = 1, constants = 9, candidates = 10;
  std::string step{};  ///< empty: the attack's own
  std::string start = "random", rule = "code", loss = "ce";
  double decay = 1, rate = 0.01, confidence = 0, overshoot = 0.02;
  std::string weights{};  ///< of a surrogate
};
struct Kind {
  std::string name;
  std::vector<std::string> keys{};
  Parameters defaults{};
  std::vector<std::string> norms{"linf", "l2", "l1"};  ///< that it has steps in
};

const std::vector<Kind>& kinds() {
  const std::vector<std::string> of_gradient_steps{"linf", "l2"};
  static const std::vector<Kind> all{
      {.name = "clean"},
      {.name = "fgsm", .keys = {"loss"}, .norms = of_gradient_steps},
      {.name = "pgd",
       .keys = {"steps", "step", "restarts", "start", "loss"},
       .defaults = {.steps = 20},
       .norms = of_gradient_steps},
      {.name = "cw",
       .keys = {"steps", "step", "restarts", "start"},
       .defaults = {.steps = 20},
       .norms = of_gradient_steps},
      {.name = "mi-fgsm",
       .keys = {"steps", "step", "decay", "loss"},
       .defaults = {.steps = 10},
       .norms = of_gradient_steps},
      {.name = "apgd-ce", .keys = {"steps", "restarts", "eot", "rule"}, .defaults = {.steps = 100}},
      {.name = "apgd-dlr",
       .keys = {"steps", "restarts", "eot", "rule"},
       .defaults = {.steps = 100}},
      {.name = "apgd-t",
       .keys = {"steps", "restarts", "targets", "eot", "rule"},
       .defaults = {.steps = 100}},
      {.name = "fab", .keys = {"steps", "restarts"}, .defaults = {.steps = 100}},
      {.name = "fab-t", .keys = {"steps", "restarts", "targets"}, .defaults = {.steps = 100}},
      {.name = "square", .keys = {"queries", "restarts"}},
      {.name = "cw-l2",
       .keys = {"steps", "constants", "rate", "confidence"},
       .defaults = {.steps = 1000},
       .norms = {"l2"}},
      {.name = "deepfool",
       .keys = {"steps", "candidates", "overshoot"},
       .defaults = {.steps = 50},
       .norms = of_gradient_steps},
      {.name = "transfer",
       .keys = {"weights", "steps", "step", "start", "loss"},
       .defaults = {.steps = 20},
       .norms = of_gradient_steps},
      {.name = "aa-standard"},
      {.name = "aa-plus"},
      {.name = "aa-rand"}};
  return all;
}

/// Any of the losses that attacks climb: an attack is compiled once for all of them.
struct AnyLoss {
  enum class Kind { ce, margin, dlr, kl };
  static constexpr bool concurrent = true, gathers = true;
  const std::int32_t* labels = nullptr;
  Kind kind = Kind::ce;
  View<const float> clean{};  ///< kl: logits of the images that the attack begins at

  static Kind of(const std::string& name) {
    const auto& names = loss_names();
    return Kind(std::find(names.begin(), names.end(), name) - names.begin());
  }
  void operator()(Trace<float>& trace, const loss::Call<float>& call) const {
    switch (kind) {
      case Kind::ce: return loss::CrossEntropy{.labels = labels}(trace, call);
      case Kind::margin: return loss::Margin{.labels = labels}(trace, call);
      case Kind::dlr: return loss::Dlr{.labels = labels}(trace, call);
      case Kind::kl: return loss::Kl<float>{.teacher_logits = clean}(trace, call);
    }
  }
};

/// An attack of any type: evaluations are compiled once for each norm.
template <class Norm> struct AnyAttack {
  using norm = Norm;
  using Victim = attack::WhiteBoxRef<float>;
  Rational eps{};
  std::uint64_t seed = 0;
  attack::SequenceProgress progress{};  ///< told where the attack is a sequence
  std::function<void(StepValues&)> set_values{};
  std::function<void(const AnyAttack&, const Victim&, attack::Workspace<float>&, View<const float>,
                     View<float>, const std::int32_t* labels, const Context&, std::uint64_t draw)>
      call{};

  template <class Attack>
  AnyAttack(const Attack& attack, AnyLoss::Kind kind = AnyLoss::Kind::ce)
      : eps(attack.eps),
        set_values([attack](StepValues& v) { attack.set(v); }),
        call([attack, kind](const AnyAttack& self, const Victim& victim,
                            attack::Workspace<float>& work, View<const float> x,
                            View<float> adversarial, const std::int32_t* labels, const Context& ctx,
                            std::uint64_t draw) {
          Attack seeded = attack;
          seeded.seed += self.seed;
          if constexpr (requires { seeded.progress = self.progress; })
            seeded.progress = self.progress;
          AnyLoss loss{.labels = labels, .kind = kind};
          std::optional<attack::Predictor<float>> clean;
          if (kind == AnyLoss::Kind::kl)
            loss.clean = clean.emplace(attack::VictimRef<float>(victim), x.n)(x, ctx);
          seeded(victim, work, x, adversarial, loss, ctx, draw);
          if (clean) work.count(clean->passes());
        }) {}

  void set(StepValues& v) const { set_values(v); }
  void operator()(std::type_identity_t<Victim> victim, attack::Workspace<float>& work,
                  View<const float> x, View<float> adversarial, const loss::CrossEntropy& loss,
                  const Context& ctx, std::uint64_t draw) const {
    call(*this, victim, work, x, adversarial, loss.labels, ctx, draw);
  }
};

/// Attacks that step along gradients of a given length.
template <class Norm>
AnyAttack<Norm> of_steps(const std::string& name, const Parameters& p, Rational eps) {
  const attack::Start start =
      p.start == "random" && name != "fgsm" ? attack::Start::random : attack::Start::clean;
  std::optional<Rational> step;
  if (!p.step.empty()) step = Rational::parse(p.step, "--attack step");
  if (name == "mi-fgsm")
    return {attack::MiFgsm<Norm>{.eps = eps, .step = step, .steps = p.steps, .decay = p.decay},
            AnyLoss::of(p.loss)};
  if (name == "fgsm")
    return {attack::Pgd<Norm>{.eps = eps, .step = eps, .steps = 1, .start = start},
            AnyLoss::of(p.loss)};
  const attack::Pgd<Norm> pgd{.eps = eps, .step = step, .steps = p.steps, .start = start};
  attack::check_radius<Norm>(eps, pgd.step_size());
  return {pgd, name == "cw" ? AnyLoss::Kind::margin : AnyLoss::of(p.loss)};
}

/// A network of the victims' kind with the weights of a file, which it reads once. Parts of an
/// evaluation take it one after the other.
class Surrogate {
 public:
  Surrogate(std::string file, std::string checksum)
      : file_(std::move(file)),
        checksum_(std::move(checksum)) {}
  /// Errors: FileError (weights of another network, a file that is not what it was).
  const NetworkBase<float>& of(const NetworkBase<float>& victim) {
    if (net_) return *net_;
    std::unique_ptr<NetworkBase<float>> net = victim.clone();
    io::load_model(file_, *net);
    require<FileError>(io::file_checksum(file_) == checksum_,
                       [&] { return file_ + ": it changed while the evaluation began"; });
    net_ = std::move(net);
    return *net_;
  }

 private:
  std::string file_, checksum_;
  std::unique_ptr<NetworkBase<float>> net_;
};

/// PGD on a surrogate, whose images are tried on the victim.
template <class Norm>
eval::Accuracy transferred(const NetworkBase<float>& net, const data::Source& source,
                           const eval::Options& options, const Parameters& p, Rational eps,
                           const NetworkBase<float>& surrogate) {
  const attack::Pgd<Norm> pgd{
      .eps = eps,
      .step = Rational::parse(p.step, "--attack step"),
      .steps = p.steps,
      .start = p.start == "random" ? attack::Start::random : attack::Start::clean};
  const AnyAttack<Norm> transfer{attack::Transfer{pgd, surrogate}, AnyLoss::of(p.loss)};
  return eval::accuracy(net, source, transfer, options);
}

attack::AutoPgdRule rule_of(const std::string& rule) {
  return rule == "code"    ? attack::AutoPgdRule::code
         : rule == "paper" ? attack::AutoPgdRule::paper
                           : attack::AutoPgdRule::art;
}

template <class Norm>
AnyAttack<Norm> attack_of(const std::string& name, const Parameters& p, Rational eps) {
  attack::check_radius<Norm>(eps, 0);
  if constexpr (Norm::kind != op::Norm::l1)
    if (name == "fgsm" || name == "pgd" || name == "cw" || name == "mi-fgsm")
      return of_steps<Norm>(name, p, eps);
  if constexpr (Norm::kind == op::Norm::l2)
    if (name == "cw-l2")
      return attack::CarliniWagner{.eps = eps,
                                   .constants = p.constants,
                                   .steps = p.steps,
                                   .rate = p.rate,
                                   .confidence = p.confidence};
  if constexpr (Norm::kind != op::Norm::l1)
    if (name == "deepfool")
      return attack::DeepFool<Norm>{
          .eps = eps, .steps = p.steps, .candidates = p.candidates, .overshoot = p.overshoot};
  const attack::AutoPgd<Norm> apgd{
      .eps = eps, .steps = p.steps, .restarts = p.restarts, .eot = p.eot, .rule = rule_of(p.rule)};
  if (name == "apgd-ce") return apgd;
  if (name == "apgd-dlr") return {apgd, AnyLoss::Kind::dlr};
  if (name == "apgd-t")
    return attack::AutoPgdTargeted<Norm>{.eps = eps,
                                         .steps = p.steps,
                                         .restarts = p.restarts,
                                         .targets = p.targets,
                                         .eot = p.eot,
                                         .rule = rule_of(p.rule)};
  if (name == "fab") return attack::Fab<Norm>{.eps = eps, .steps = p.steps, .restarts = p.restarts};
  if (name == "fab-t")
    return attack::FabTargeted<Norm>{
        .eps = eps, .steps = p.steps, .restarts = p.restarts, .targets = p.targets};
  if (name == "square")
    return attack::Square<Norm>{.eps = eps, .queries = p.queries, .restarts = p.restarts};
  using Version = attack::AutoAttackVersion;
  return attack::AutoAttack<Norm>{.eps = eps,
                                  .version = name == "aa-plus"   ? Version::plus
                                             : name == "aa-rand" ? Version::rand
                                                                 : Version::standard};
}

int count(const std::string& key, const std::string& value) {
  const double v = Rational::parse(value, "--attack " + key);
  require(v >= 1 && v <= 1000000 && v == int(v), [&] {
    return "--attack: " + key + " must be a positive whole number, found '" + value + "'";
  });
  return int(v);
}
double number(const std::string& key, const std::string& value) {
  const double v = Rational::parse(value, "--attack " + key);
  require(v >= 0,
          [&] { return "--attack: " + key + " must not be negative, found '" + value + "'"; });
  return v;
}
std::string one_of(const std::string& key, const std::string& value,
                   const std::vector<std::string>& known) {
  require_known("--attack " + key, value, known);
  return value;
}

void set(Parameters& p, const std::string& key, const std::string& value) {
  if (key == "steps") p.steps = count(key, value);
  if (key == "restarts") p.restarts = count(key, value);
  if (key == "queries") p.queries = count(key, value);
  if (key == "targets") p.targets = count(key, value);
  if (key == "eot") p.eot = count(key, value);
  if (key == "step") p.step = value;
  if (key == "constants") p.constants = count(key, value);
  if (key == "candidates") p.candidates = count(key, value);
  if (key == "decay") p.decay = number(key, value);
  if (key == "rate") p.rate = number(key, value);
  if (key == "confidence") p.confidence = number(key, value);
  if (key == "overshoot") p.overshoot = number(key, value);
  if (key == "weights") p.weights = value;
  if (key == "start") p.start = one_of(key, value, {"none", "random"});
  if (key == "rule") p.rule = one_of(key, value, {"code", "paper", "art"});
  if (key == "loss") p.loss = one_of(key, value, loss_names());
}
std::string value_of(const Parameters& p, const std::string& key) {
  if (key == "step") return p.step;
  if (key == "start") return p.start;
  if (key == "rule") return p.rule;
  if (key == "weights") return p.weights;
  if (key == "loss")
    return p.loss == "ce" ? "" : p.loss;  // which no name said before there were others
  for (const auto& [name, value] :
       {std::pair{"decay", p.decay}, std::pair{"rate", p.rate},
        std::pair{"confidence", p.confidence}, std::pair{"overshoot", p.overshoot}})
    if (key == name) return fmt::format("{}", value);
  return std::to_string(key == "steps"        ? p.steps
                        : key == "restarts"   ? p.restarts
                        : key == "queries"    ? p.queries
                        : key == "targets"    ? p.targets
                        : key == "constants"  ? p.constants
                        : key == "candidates" ? p.candidates
                                              : p.eot);
}

/// The keys behind the colon of `text`.
Parameters read(const Kind& kind, const std::string& text, Parameters p) {
  const auto colon = text.find(':');
  require(colon == text.npos || !kind.keys.empty(),
          [&] { return "--attack: " + kind.name + " takes no parameters, found '" + text + "'"; });
  for (std::string rest = colon == text.npos ? "" : text.substr(colon + 1); !rest.empty();) {
    const auto comma = rest.find(',');
    const std::string part = rest.substr(0, comma), key = part.substr(0, part.find('='));
    rest = comma == rest.npos ? "" : rest.substr(comma + 1);
    const bool known = std::find(kind.keys.begin(), kind.keys.end(), key) != kind.keys.end();
    require(known && part.size() > key.size() + 1, [&] {
      return fmt::format("--attack: '{}' is not understood; {} takes {}{}", part, kind.name,
                         fmt::join(kind.keys, ", "), suggestion(key, kind.keys));
    });
    set(p, key, part.substr(key.size() + 1));
  }
  return p;
}

/// What is wrong before work is spent. Errors: UsageError, FileError.
void check(const std::string& name, const Parameters& p) {
  require(name != "cw-l2" || p.rate > 0, "--attack: the rate of cw-l2 must be above 0");
  require(p.loss != "kl" || (name == "pgd" && p.start == "random"),
          "--attack: the loss kl takes the clean prediction, where its gradient is zero: it is one "
          "of pgd with start=random");
  require(name != "deepfool" || p.candidates > 1,
          "--attack: deepfool needs at least 2 candidates, the label's class among them");
  if (name != "transfer") return;
  require(!p.weights.empty(),
          "--attack: transfer needs the weights of a surrogate, transfer:weights=FILE");
  require<FileError>(std::filesystem::is_regular_file(p.weights),
                     [&] { return "--attack transfer: cannot open '" + p.weights + "'"; });
}

/// The attack's name with every key that has a value.
std::string spelled(const Kind& kind, const Parameters& p) {
  std::string text = kind.name;
  for (const std::string& key : kind.keys)
    if (const std::string value = value_of(p, key); !value.empty())
      text += (text == kind.name ? ":" : ",") + key + "=" + value;
  return text;
}

}  // namespace

std::string attack_names() {
  std::vector<std::string> names;
  for (const Kind& kind : kinds())
    names.push_back(kind.name + (kind.keys.empty() ? "" : ":") +
                    fmt::format("{}", fmt::join(kind.keys, ",")));
  return fmt::format("{}", fmt::join(names, " | "));
}

bool takes_loss(const std::string& name) {
  const auto kind =
      std::find_if(kinds().begin(), kinds().end(), [&](const Kind& k) { return k.name == name; });
  return kind != kinds().end() &&
         std::find(kind->keys.begin(), kind->keys.end(), "loss") != kind->keys.end();
}
const std::vector<std::string>& loss_names() {
  static const std::vector<std::string> names{"ce", "margin", "dlr", "kl"};
  return names;
}

std::string default_step(const std::string& norm, const std::string& eps) {
  return norm == norm::L2::name ? fmt::format("{:.6g}", Rational::parse(eps, "--eps").value() / 5)
                                : "2/255";
}

AttackText AttackText::parse(const std::string& text, const std::string& norm,
                             const std::string& eps, const std::string& loss) {
  require_known("--norm", norm, {norm::Linf::name, norm::L2::name, norm::L1::name});
  const Rational radius = Rational::parse(eps, "--eps");
  const std::string name = text.substr(0, text.find(':'));
  std::vector<std::string> names;
  for (const Kind& kind : kinds()) names.push_back(kind.name);
  require_known("--attack", name, names);
  const Kind& kind =
      *std::find_if(kinds().begin(), kinds().end(), [&](const Kind& k) { return k.name == name; });
  Parameters p = kind.defaults;
  if (name == "pgd" || name == "cw" || name == "transfer") p.step = default_step(norm, eps);
  if (takes_loss(name)) p.loss = loss;
  p = read(kind, text, p);
  AttackText a{.text = spelled(kind, p), .clean = name == "clean", .norm = norm, .eps_text = eps};
  require(p.rule == "code" || norm != norm::L1::name,
          "--attack: in l1 there is one rule of AutoPGD, code");
  require(std::find(kind.norms.begin(), kind.norms.end(), norm) != kind.norms.end(), [&] {
    return "--attack: " + name + " has no steps in " + norm +
           "; apgd-ce, apgd-t, fab-t, square and aa-* have";
  });
  check(name, p);
  if (a.clean) {
    a.run = [](const auto& net, const auto& source, const auto& options) {
      return eval::accuracy(net, source, options);
    };
    return a;
  }
  if (name == "transfer") {
    a.surrogate = io::file_checksum(p.weights);
    const auto surrogate = std::make_shared<Surrogate>(p.weights, a.surrogate);
    a.run = [=](const NetworkBase<float>& net, const data::Source& source,
                const eval::Options& options) {
      const NetworkBase<float>& other = surrogate->of(net);
      return norm == norm::L2::name
                 ? transferred<norm::L2>(net, source, options, p, radius, other)
                 : transferred<norm::Linf>(net, source, options, p, radius, other);
    };
    return a;
  }
  const auto with = [&]<class N>(N) {
    const int restarts = name == "pgd" || name == "cw" ? p.restarts : 1;
    a.run = [attack = attack_of<N>(name, p, radius), restarts](
                const NetworkBase<float>& net, const data::Source& source, eval::Options options) {
      options.restarts = restarts;
      return eval::accuracy(net, source, attack, options);
    };
  };
  norm == norm::L2::name   ? with(norm::L2{})
  : norm == norm::L1::name ? with(norm::L1{})
                           : with(norm::Linf{});
  return a;
}

}  // namespace tools

#include "attacks.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app.hpp"

namespace tools {

using namespace rnx;

namespace {

/// What the keys of an attack say.
struct Parameters {
  int steps = 0, restarts = 1, queries = 5000, targets = 9, eot = 1;
  std::string step{};  ///< empty: the attack's own
  std::string start = "random", rule = "code";
  double decay = 1;
};
struct Kind {
  std::string name;
  std::vector<std::string> keys{};
  Parameters defaults{};
  bool l1 = true;  ///< whether it has steps in that norm
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {.name = "clean"},
      {.name = "fgsm", .l1 = false},
      {.name = "pgd",
       .keys = {"steps", "step", "restarts", "start"},
       .defaults = {.steps = 20},
       .l1 = false},
      {.name = "cw",
       .keys = {"steps", "step", "restarts", "start"},
       .defaults = {.steps = 20},
       .l1 = false},
      {.name = "mi-fgsm",
       .keys = {"steps", "step", "decay"},
       .defaults = {.steps = 10},
       .l1 = false},
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
      {.name = "aa-standard"},
      {.name = "aa-plus"},
      {.name = "aa-rand"}};
  return all;
}

/// An attack of any type: evaluations are compiled once for each norm.
template <class Norm> struct AnyAttack {
  using norm = Norm;
  using Victim = attack::WhiteBoxRef<float, cpu>;
  Rational eps{};
  std::uint64_t seed = 0;
  std::function<void(StepValues&)> set_values{};
  std::function<void(const Victim&, attack::Workspace<float>&, View<const float>, View<float>,
                     const std::int32_t* labels, const Context&, std::uint64_t draw,
                     std::uint64_t seed)>
      call{};

  /// make_loss(labels): what it climbs.
  template <class Attack, class MakeLoss>
  AnyAttack(const Attack& attack, const MakeLoss& make_loss)
      : eps(attack.eps),
        set_values([attack](StepValues& v) { attack.set(v); }),
        call([attack, make_loss](const Victim& victim, attack::Workspace<float>& work,
                                 View<const float> x, View<float> adversarial,
                                 const std::int32_t* labels, const Context& ctx, std::uint64_t draw,
                                 std::uint64_t seed) {
          Attack seeded = attack;
          seeded.seed += seed;
          seeded(victim, work, x, adversarial, make_loss(labels), ctx, draw);
        }) {}

  void set(StepValues& v) const { set_values(v); }
  void operator()(std::type_identity_t<Victim> victim, attack::Workspace<float>& work,
                  View<const float> x, View<float> adversarial, const loss::CrossEntropy& loss,
                  const Context& ctx, std::uint64_t draw) const {
    call(victim, work, x, adversarial, loss.labels, ctx, draw, seed);
  }
};

loss::CrossEntropy by_cross_entropy(const std::int32_t* labels) { return {.labels = labels}; }
loss::Dlr by_dlr(const std::int32_t* labels) { return {.labels = labels}; }
loss::Margin by_margin(const std::int32_t* labels) { return {.labels = labels}; }

/// Attacks that step along gradients of a given length.
template <class Norm>
AnyAttack<Norm> of_steps(const std::string& name, const Parameters& p, Rational eps) {
  const attack::Start start =
      p.start == "random" && name != "fgsm" ? attack::Start::random : attack::Start::clean;
  std::optional<Rational> step;
  if (!p.step.empty()) step = Rational::parse(p.step, "--attack step");
  if (name == "mi-fgsm")
    return {attack::MiFgsm<Norm>{.eps = eps, .step = step, .steps = p.steps, .decay = p.decay},
            by_cross_entropy};
  if (name == "fgsm")
    return {attack::Pgd<Norm>{.eps = eps, .step = eps, .steps = 1, .start = start},
            by_cross_entropy};
  const attack::Pgd<Norm> pgd{.eps = eps, .step = step, .steps = p.steps, .start = start};
  attack::check_radius<Norm>(eps, pgd.step_size());
  if (name == "cw") return {pgd, by_margin};
  return {pgd, by_cross_entropy};
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
  const attack::AutoPgd<Norm> apgd{
      .eps = eps, .steps = p.steps, .restarts = p.restarts, .eot = p.eot, .rule = rule_of(p.rule)};
  if (name == "apgd-ce") return {apgd, by_cross_entropy};
  if (name == "apgd-dlr") return {apgd, by_dlr};
  if (name == "apgd-t")
    return {attack::AutoPgdTargeted<Norm>{.eps = eps,
                                          .steps = p.steps,
                                          .restarts = p.restarts,
                                          .targets = p.targets,
                                          .eot = p.eot,
                                          .rule = rule_of(p.rule)},
            by_cross_entropy};
  if (name == "fab")
    return {attack::Fab<Norm>{.eps = eps, .steps = p.steps, .restarts = p.restarts},
            by_cross_entropy};
  if (name == "fab-t")
    return {attack::FabTargeted<Norm>{
                .eps = eps, .steps = p.steps, .restarts = p.restarts, .targets = p.targets},
            by_cross_entropy};
  if (name == "square")
    return {attack::Square<Norm>{.eps = eps, .queries = p.queries, .restarts = p.restarts},
            by_cross_entropy};
  using Version = attack::AutoAttackVersion;
  return {attack::AutoAttack<Norm>{.eps = eps,
                                   .version = name == "aa-plus"   ? Version::plus
                                              : name == "aa-rand" ? Version::rand
                                                                  : Version::standard},
          by_cross_entropy};
}

int count(const std::string& key, const std::string& value) {
  const double v = Rational::parse(value, "--attack " + key);
  require(v >= 1 && v <= 1000000 && v == int(v), [&] {
    return "--attack: " + key + " must be a positive whole number, found '" + value + "'";
  });
  return int(v);
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
  if (key == "decay") {
    p.decay = Rational::parse(value, "--attack decay").value();
    require(p.decay >= 0, "--attack: decay must not be negative, found '" + value + "'");
  }
  if (key == "start") p.start = one_of(key, value, {"none", "random"});
  if (key == "rule") p.rule = one_of(key, value, {"code", "paper", "art"});
}
std::string value_of(const Parameters& p, const std::string& key) {
  if (key == "step") return p.step;
  if (key == "start") return p.start;
  if (key == "rule") return p.rule;
  if (key == "decay") return fmt::format("{}", p.decay);
  return std::to_string(key == "steps"      ? p.steps
                        : key == "restarts" ? p.restarts
                        : key == "queries"  ? p.queries
                        : key == "targets"  ? p.targets
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

std::string default_step(const std::string& norm, const std::string& eps) {
  return norm == norm::L2::name ? fmt::format("{:.6g}", Rational::parse(eps, "--eps").value() / 5)
                                : "2/255";
}

AttackText AttackText::parse(const std::string& text, const std::string& norm,
                             const std::string& eps) {
  require_known("--norm", norm, {norm::Linf::name, norm::L2::name, norm::L1::name});
  const Rational radius = Rational::parse(eps, "--eps");
  const std::string name = text.substr(0, text.find(':'));
  std::vector<std::string> names;
  for (const Kind& kind : kinds()) names.push_back(kind.name);
  require_known("--attack", name, names);
  const Kind& kind =
      *std::find_if(kinds().begin(), kinds().end(), [&](const Kind& k) { return k.name == name; });
  Parameters p = kind.defaults;
  if (name == "pgd" || name == "cw") p.step = default_step(norm, eps);
  p = read(kind, text, p);
  AttackText a{.text = spelled(kind, p), .clean = name == "clean", .norm = norm, .eps_text = eps};
  require(p.rule == "code" || norm != norm::L1::name,
          "--attack: in l1 there is one rule of AutoPGD, code");
  require(kind.l1 || norm != norm::L1::name, [&] {
    return "--attack: " + name +
           " has no steps in l1; apgd-ce, apgd-t, fab-t, square and aa-* have";
  });
  if (a.clean) {
    a.run = [](const auto& net, const auto& source, const auto& options) {
      return eval::accuracy(net, source, options);
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

#include "arguments.hpp"

#include <algorithm>
#include <cstdlib>

#include <rnx/deploy.hpp>
#include <rnx/eval/checks.hpp>

#include "evaluate.hpp"

namespace evaluation {

using namespace rnx;

void Arguments::take_packed(const tools::App& app) {
  if (packed.empty()) return;
  require(std::is_same_v<default_device, cpu>, [&] {
    return fmt::format("--packed: packed networks run on the CPU; this program was built for {}",
                       default_device::name);
  });
  require(
      weights.empty() && app.cli.get_option("--model")->count() == 0,
      "--packed: its files hold the weights and name the model; leave out --weights and --model");
  require(robustbench.empty(), "--robustbench: it takes --weights, which PyTorch can load");
  require(surrogate.empty(), "--surrogate: it takes --weights, which another model can load");
  weights = packed;
  for (const std::string& file : packed) {
    const std::string name = deploy::model_name(file);
    require(file == packed[0] || name == model, [&] {
      return "--packed: " + packed[0] + " is of " + model + ", " + file + " of " + name;
    });
    model = name;
  }
}

void Arguments::check() const {
  require(!weights.empty(), "--weights: at least one file is needed (or --packed)");
  require(device == default_device::name, [&] {
    return fmt::format("--device: '{}' is not in this program; it was built for {}", device,
                       default_device::name);
  });
  require(labels.empty() || labels.size() == weights.size(),
          "--label: give one for each --weights, or none");
  require(logits.empty() || weights.size() == 1, "--save-logits: it takes one --weights");
  require(adversarials.empty() || weights.size() == 1,
          "--save-adversarials: it takes one --weights");
  require(robustbench.empty() || (weights.size() == 1 && eps.size() == 1),
          "--robustbench: it takes one --weights and one --eps");
  require(robustbench.find_first_of("/\\\"") == robustbench.npos,
          "--robustbench: expected the name of a model, found '" + robustbench + "'");
  const std::vector<std::string> asked = check_names();
  require(shard == "1/1" || asked.empty(),
          "--checks: they look at the first images; run them without --shard");
  require(surrogate.empty() ||
              std::find(asked.begin(), asked.end(), "another-surrogate") != asked.end(),
          "--surrogate: it is for the check another-surrogate, which is not among --checks");
  tools::require_known("--lattice", lattice, {"off", "report", "project"});
  tools::require_known("--resume", resume, {"auto", "never"});
  tools::require_known("--loss", loss, tools::loss_names());
  const auto climbs = [](const std::string& text) {
    return tools::takes_loss(text.substr(0, text.find(':')));
  };
  require(loss == "ce" || threat_sweep || std::any_of(attacks.begin(), attacks.end(), climbs),
          "--loss: none of the attacks takes one; fgsm, pgd, mi-fgsm and transfer do");
  paths();
  require(!strict_checks || !asked.empty(),
          "--strict-checks: there is no check; --checks all asks for them");
}

std::vector<tools::AttackText> Arguments::rows() const {
  std::vector<std::string> radii = eps;
  const auto value = [](const std::string& text) { return Rational::parse(text, "--eps").value(); };
  for (const std::string& radius : radii) value(radius);
  std::stable_sort(radii.begin(), radii.end(),
                   [&](const std::string& a, const std::string& b) { return value(a) < value(b); });
  for (std::size_t k = 1; k < radii.size(); ++k)
    require(value(radii[k - 1]) < value(radii[k]),
            [&] { return "--eps: " + radii[k - 1] + " and " + radii[k] + " are the same radius"; });
  std::vector<tools::AttackText> rows;
  for (const std::string& radius : radii)
    for (const std::string& text : threat_sweep ? threat_grid(radius) : attacks) {
      tools::AttackText row = tools::AttackText::parse(text, norm, radius, loss);
      if (!row.clean || radius == radii[0]) rows.push_back(std::move(row));
    }
  const auto attacked = [](const tools::AttackText& row) { return !row.clean; };
  require(adversarials.empty() || std::any_of(rows.begin(), rows.end(), attacked),
          "--save-adversarials: there is no attack");
  return rows;
}

eval::Lattice Arguments::lattice_kind() const {
  return lattice == "project"  ? eval::Lattice::project
         : lattice == "report" ? eval::Lattice::report
                               : eval::Lattice::off;
}

Arguments::Paths Arguments::paths() const {
  const std::size_t colon = bn_path.find(':');
  const auto number = [&](const std::string& text) {
    try {
      return tools::whole<int>("--bn-path", text, {.least = 0, .most = 1000});
    } catch (const UsageError&) {
      throw UsageError(
          "--bn-path: expected A or A:P, paths of the attack and of the prediction, "
          "found '" +
          bn_path + "'");
    }
  };
  Paths p{.attack = number(bn_path.substr(0, colon))};
  p.predict = colon == bn_path.npos ? p.attack : number(bn_path.substr(colon + 1));
  return p;
}

std::vector<std::string> Arguments::check_names() const {
  std::vector<std::string> known = eval::check_names(), names;
  if (checks == std::vector<std::string>{"none"}) return {};
  if (checks == std::vector<std::string>{"all"}) return known;
  std::vector<std::string> words = known;
  words.insert(words.end(), {"all", "none"});
  for (const std::string& list : checks)
    for (std::size_t at = 0; at <= list.size();) {
      const std::size_t comma = std::min(list.find(',', at), list.size());
      const std::string name = list.substr(at, comma - at);
      tools::require_known("--checks", name, words);
      require(name != "all" && name != "none",
              "--checks: all and none stand alone, without other names");
      names.push_back(name);
      at = comma + 1;
    }
  return names;
}

std::string Arguments::eps_text() const { return fmt::format("{}", fmt::join(eps, ", ")); }

namespace {
/// The number behind "targets=", or 0.
int targets_of(const std::string& text) {
  const std::size_t at = text.find("targets=");
  return at == text.npos ? 0 : std::atoi(text.c_str() + at + 8);
}
int least_classes(const std::string& text) {
  const std::string name = text.substr(0, text.find(':'));
  const int least = name == "apgd-t" || name == "aa-standard" || name == "aa-plus" ? 4
                    : name == "apgd-dlr" || name == "aa-rand" || text.find("loss=dlr") != text.npos
                        ? 3
                        : 2;
  return std::max(least, targets_of(text) + 1);
}
}  // namespace

void require_possible(const Arguments& a, const std::vector<tools::AttackText>& rows, int classes,
                      int paths) {
  for (const tools::AttackText& row : rows)
    require(row.clean || classes >= least_classes(row.text), [&] {
      return fmt::format("--attack: {} needs at least {} classes, the model has {}", row.text,
                         least_classes(row.text), classes);
    });
  const Arguments::Paths p = a.paths();
  const int most = std::max(p.attack, p.predict);
  require(most < paths, [&] {
    return fmt::format("--bn-path: there is no path {}; {} has {} batch-norm path{}, from 0 on",
                       most, a.model, paths, paths == 1 ? "" : "s");
  });
}

namespace {
void add_outputs(Arguments& a, tools::App& app) {
  CLI::App& cli = app.cli;
  const auto of_call = [](CLI::Option* option) { option->group(tools::of_call); };
  of_call(tools::add_whole(cli, "--threads", a.threads, {.most = host::max_threads}, "0: all"));
  of_call(cli.add_option("--out", a.out, "folder of the report"));
  of_call(cli.add_option("--resume", a.resume,
                         "auto: goes on with an evaluation that was stopped | never"));
  cli.add_option("--shard", a.shard, "I/N: the I-th of N parts of the images, for merge");
  of_call(cli.add_option("--save-logits", a.logits,
                         "npy file for the clean logits: float32 (n, classes), in file order"));
  of_call(cli.add_option("--save-adversarials", a.adversarials,
                         "npy file for the attacked images: float32 (n, c, h, w), in file order; "
                         "of the first attack that fooled the model, else of the last one"));
  of_call(
      cli.add_option("--robustbench", a.robustbench,
                     "ID: writes ID.json and ID.py beside the report, as RobustBench has them"));
  of_call(cli.add_option("--progress", a.progress, "auto | bar | plain | json | off"));
}
}  // namespace

void add_options(Arguments& a, tools::App& app) {
  CLI::App& cli = app.cli;
  cli.add_option("--model", a.model,
                 fmt::format("one of {}", fmt::join(models::Registry<>::instance().names(), ", ")));
  tools::add_texts(
      cli, "--weights", a.weights,
      "safetensors files with PyTorch's names; several make one report that compares them");
  tools::add_texts(cli, "--packed", a.packed,
                   "in place of --model and --weights: files of packed networks (rnx-mbn pack)");
  tools::add_texts(cli, "--label", a.labels, "how the report calls each of the weights");
  a.data.add_to(cli);
  tools::add_whole(cli, "--n-ex", a.n_ex, {}, "first N test images (0: all)");
  cli.add_option("--norm", a.norm, "linf | l2 | l1");
  tools::add_texts(cli, "--eps", a.eps, "radius, like 8/255; several make a security curve");
  tools::add_texts(cli, "--attack", a.attacks,
                   tools::attack_names() +
                       ", like pgd:steps=20,step=2/255,start=none or aa-standard; several are "
                       "reported alone and together")
      ->delimiter('\0');
  cli.add_option(
      "--loss", a.loss,
      fmt::format("{}: what fgsm, pgd, mi-fgsm and transfer climb unless they say loss=; "
                  "kl: away from the clean prediction",
                  fmt::join(tools::loss_names(), " | ")));
  cli.add_option("--lattice", a.lattice,
                 "8-bit lattice of images: off | report how many lie on it | project and count");
  cli.add_option("--bn-path", a.bn_path,
                 "A or A:P, batch-norm paths of the attacked network and of the prediction");
  tools::add_texts(cli, "--checks", a.checks,
                   fmt::format("all | none | {}", fmt::join(eval::check_names(), " | ")));
  cli.add_option("--surrogate", a.surrogate,
                 "for the check another-surrogate: a model that computes the same of the same "
                 "weights, with other surrogate gradients");
  tools::add_whole(cli, "--check-images-n", a.check_images, {.least = 1, .most = 10000},
                   "images that checks look at");
  tools::add_switch(cli, "strict-checks", a.strict_checks, "exit code 4 when a check fires");
  tools::add_switch(
      cli, "threat-sweep", a.threat_sweep,
      "in place of --attack: PGD at every step size, number of steps and restarts of a "
      "grid, to find the worst");
  tools::add_whole(cli, "--batch", a.batch, {.least = 1});
  tools::add_whole(cli, "--seed", a.seed, {});
  cli.add_option("--device", a.device,
                 "the one that this program was built for: cpu, or cuda (-DRNX_DEVICE=cuda)");
  add_outputs(a, app);
  app.add_frame();
  app.preset("smoke", {{"dataset", "synthetic"}, {"n-ex", "100"}, {"attack", "pgd:steps=5"}});
  app.preset("small", {{"n-ex", "1000"}, {"attack", "pgd:steps=20"}});
  app.preset("paper", {{"n-ex", "0"}, {"attack", "pgd:steps=20"}, {"attack", "aa-standard"}});
}

}  // namespace evaluation

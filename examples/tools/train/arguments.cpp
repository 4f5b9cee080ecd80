#include "arguments.hpp"

#include <rnx/io/file_checksum.hpp>

namespace training {

using namespace rnx;

void Arguments::check() const {
  tools::require_known("--objective", objective,
                       {"natural", "pgd", "fgsm-rs", "free", "trades", "kd", "ard", "rslad", "rrm",
                        "rlnet-teacher", "rlnet-mask", "rlnet-finetune", "snl"});
  tools::require_known("--optimizer", optimizer, {"sgd", "adam"});
  require(optimizer == "sgd" || !nesterov, "--nesterov: it is SGD's");
  tools::require_known("--schedule", schedule,
                       {"onecycle", "triangular", "cosine", "multistep", "constant"});
  tools::require_known("--match", match, {"cosine", "l2"});
  tools::require_known("--progress", progress, {"auto", "bar", "plain", "json", "off"});
  tools::require_known("--norm", norm, {norm::Linf::name, norm::L2::name});
  if (!attack_mode.empty()) tools::require_known("--attack-mode", attack_mode, {"eval", "train"});
  require(device == default_device::name, [&] {
    return fmt::format("--device: '{}' is not in this program; it was built for {}", device,
                       default_device::name);
  });
  require(objective == "pgd" || objective == "free" || norm == norm::Linf::name,
          [&] { return "--norm: " + objective + " training is for linf"; });
  require(attack_commits == 0 || (objective == "pgd" && mode() == rnx::Mode::train),
          "--attack-commits: it is for pgd training with --attack-mode train");
  require(init.empty() ? !skip_head : true, "--init-skip-head: it goes with --init");
  require(taught() == !teacher.empty(), [&] {
    return taught() ? "--teacher: " + objective + " training needs the weights of a teacher"
                    : "--teacher: " + objective + " training takes none";
  });
  require(teacher_model.empty() || taught(), "--teacher-model: it goes with --teacher");
  check_rlnet();
  check_prune();
  require(label_smoothing == 0 || !(taught() || rlnet()),
          [&] { return "--label-smoothing: " + objective + " training takes none"; });
}

void Arguments::check_rlnet() const {
  tools::require_known("--batch-split", batch_split, {"halves", "whole"});
  tools::require_known("--pram", pram, {"attention", "activations"});
  for (const auto& [option, list] : {std::pair{"--ce-views", &ce_views},
                                     {"--kl-views", &kl_views},
                                     {"--pram-views", &pram_views}})
    for (const std::string& view : *list)
      if (view != "none") tools::require_known(option, view, {"clean", "aug", "adv"});
  require((masked() || sloped()) == (budget > 0), [&] {
    return budget == 0
               ? "--budget: " + objective + " training needs the number of ReLUs that are kept"
               : "--budget: it is for rlnet-mask and snl training";
  });
  require(shares == "uniform" || masked(), "--shares: it goes with --budget");
  require(density == 0 || objective == "natural", "--density: it is for natural training");
  require(!augmix || objective == "natural", "--augmix: it is for natural training");
}

void Arguments::check_prune() const {
  if (prune.empty())
    return require(
        prune_ratios.empty() && prune_macs == 0 && prune_spare.empty() && !prune_global,
        "--prune: --prune-ratios, --prune-macs, --prune-spare and --prune-global go with "
        "it");
  tools::require_known("--prune", prune, {"weights", "channels"});
  require(!init.empty(), "--prune: trained weights are pruned, which --init names");
  require(prune_ratios.empty() == (prune_macs > 0),
          "--prune: expected --prune-ratios or --prune-macs, one of the two");
  require(density == 0, "--prune: --density prunes otherwise, while training");
}

void Arguments::check_attack() const {
  const Rational e = Rational::parse(eps, "--eps"), s = Rational::parse(step(), "--attack-step");
  if (norm == norm::L2::name)
    attack::check_radius<norm::L2>(e, s);
  else
    attack::check_radius<norm::Linf>(e, s);
}

std::function<optim::Rates(long, long)> Arguments::rates() const {
  return [*this](long step, long total) -> optim::Rates {
    if (schedule == "cosine") return optim::Cosine{.base = lr, .minimum = lr_end}(step, total);
    if (schedule == "triangular") return optim::Triangular{.max = lr, .peak = warm}(step, total);
    if (schedule == "multistep")
      return optim::MultiStep{.base = lr, .milestones = milestones, .gamma = gamma}(step, total);
    if (schedule == "constant" || total < 5)
      return optim::Constant{lr}(step, total);  // too few steps for the two phases of a cycle
    return optim::OneCycle{.max = lr, .warm = warm, .linear = true, .cycle_momentum = momentum > 0}(
        step, total);
  };
}

std::unique_ptr<optim::Optimizer<float>> Arguments::make_optimizer() const {
  if (optimizer == "adam")
    return std::make_unique<optim::Adam<float>>(
        optim::AdamOptions{.beta1 = momentum, .weight_decay = weight_decay});
  return std::make_unique<optim::Sgd<float>>(
      optim::SgdOptions{.momentum = momentum, .nesterov = nesterov, .weight_decay = weight_decay});
}

Json Arguments::rlnet_configuration() const {
  Json c{{"ce_weight", ce_weight},
         {"ce_views", ce_views},
         {"split", batch_split},
         {"augmented_path", augmented_path}};
  if (taught())
    c.update({{"kl_weight", kl_weight}, {"kl_views", kl_views}, {"temperature", softness()}});
  if (tuned()) c.update({{"pram_weight", pram_weight}, {"pram_views", pram_views}, {"pram", pram}});
  const bool named = shares == "uniform" || shares == "published";
  if (masked())
    c.update({{"budget", budget}, {"shares", named ? shares : io::file_checksum(shares)}});
  return c;
}

Json Arguments::prune_configuration() const {
  return {{"unit", prune},
          {"ratios", prune_ratios},
          {"macs", prune_macs},
          {"spare", prune_spare},
          {"global", prune_global}};
}

Json Arguments::configuration(const tools::DataSet& set, std::size_t n_train,
                              const std::string& init_checksum,
                              const tools::LoadedTeacher& by) const {
  Json c{{"model", model},
         {"dataset", set.name},
         {"fingerprint", set.train->fingerprint()},
         {"n_train", n_train},
         {"holdout", holdout},
         {"objective", objective},
         {"epochs", epochs},
         {"batch", batch},
         {"lr", lr},
         {"schedule", schedule},
         {"momentum", momentum},
         {"nesterov", nesterov},
         {"weight_decay", weight_decay},
         {"label_smoothing", label_smoothing},
         {"seed", seed}};
  if (!init_checksum.empty()) c["init"] = {{"checksum", init_checksum}, {"skip_head", skip_head}};
  if (taught()) c["teacher"] = {{"model", by.model}, {"checksum", by.checksum}};
  if (objective == "kd" || objective == "ard") c["temperature"] = softness();
  if (objective == "rrm") c["lambda"] = lambda;
  if (objective == "rrm" && match != "cosine") c["match"] = match;
  if (taught() && objective != "rrm" && !rlnet() && !sloped()) c["alpha"] = share();
  if (sloped())
    c.update({{"budget", budget}, {"slope_penalty", slope_penalty}, {"temperature", softness()}});
  if (optimizer != "sgd") c["optimizer"] = optimizer;
  if (rlnet()) c["rlnet"] = rlnet_configuration();
  if (density > 0) c["density"] = density;
  if (!prune.empty()) c["prune"] = prune_configuration();
  if (augmix) c["augmix"] = true;
  if (schedule == "cosine" && lr_end > 0) c["lr_end"] = lr_end;
  if (schedule == "onecycle" || schedule == "triangular") c["warm"] = warm;
  if (schedule == "multistep") {
    c["milestones"] = milestones;
    c["gamma"] = gamma;
  }
  if (augment)
    c["augment"] = {
        {"pad", set.augment.pad}, {"crop", set.augment.crop}, {"flip", set.augment.flip}};
  else
    c["augment"] = nullptr;
  const bool attacks =
      objective != "natural" && objective != "kd" && objective != "rrm" && !sloped();
  if (attacks) c["eps"] = eps;
  if (objective == "pgd" || (objective == "free" && norm != norm::Linf::name)) c["norm"] = norm;
  if (objective == "pgd" || objective == "fgsm-rs")
    c["attack_mode"] = mode() == Mode::eval ? "eval" : "train";
  if (attack_commits > 0) c["attack_commits"] = attack_commits;
  if (attacks && objective != "free") c["attack_step"] = step();
  if (attacks && objective != "free" && objective != "fgsm-rs") c["attack_steps"] = steps();
  if (objective == "trades") c["beta"] = beta;
  if (objective == "free") c["replays"] = replays;
  c["selection"] = {{"split", holdout ? "held out" : "test"},
                    {"clean_n", eval_n},
                    {"pgd_n", eval_pgd_n},
                    {"every", eval_every},
                    {"fingerprint", (holdout ? *set.train : *set.test).fingerprint()}};
  return c;
}

}  // namespace training

// The options of rnx-train.
#include <rnx/models.hpp>

#include "arguments.hpp"

namespace training {
namespace {

using namespace rnx;

/// Model, data and objective.
void add_subject(Arguments& a, CLI::App& cli) {
  cli.add_option("--model", a.model,
                 fmt::format("one of {}", fmt::join(models::Registry<>::instance().names(), ", ")));
  a.data.add_to(cli);
  tools::add_whole(cli, "--n-train", a.data.n_train, {}, "first N training images (0: all)");
  tools::add_whole(cli, "--n-test", a.data.n_test, {}, "first N test images (0: all)");
  tools::add_whole(cli, "--holdout", a.holdout, {},
                   "the last N training images choose BEST-* instead of being trained on (0: the "
                   "test images choose)");
  cli.add_option("--objective", a.objective,
                 "natural | pgd | fgsm-rs | free | trades; from a teacher: kd | ard | rslad | rrm; "
                 "paper 000: rlnet-teacher, from a teacher rlnet-mask | rlnet-finetune");
  cli.add_option("--teacher", a.teacher, "weights of the teacher (a safetensors file)");
  cli.add_option("--teacher-model", a.teacher_model, "its model, where the file does not say it");
  tools::add_real(
      cli, "--alpha", a.alpha, {.most = 1},
      "kd, ard: share of the teacher's term (1 unless given); rslad: of the adversarial one (5/6)")
      ->default_str("");
  tools::add_real(cli, "--temperature", a.temperature, {},
                  "of both softmaxes (0: kd, ard 30, rlnet 4)");
  tools::add_real(cli, "--lambda", a.lambda, {}, "rrm: weight of the cross-entropy");
  cli.add_option("--match", a.match,
                 "rrm: distance of penultimate features: cosine | l2 (over the teacher's length)");
  cli.add_option(
      "--init", a.init,
      "weights to start from (a safetensors file): a new run, with their input normalisation");
  tools::add_switch(cli, "init-skip-head", a.skip_head,
                    "the last layer starts anew: weights of another number of classes");
}

/// Epochs, rates and the optimizer.
void add_training(Arguments& a, CLI::App& cli) {
  tools::add_whole(cli, "--epochs", a.epochs, {.least = 1, .most = 1000000});
  tools::add_whole(cli, "--batch", a.batch, {.least = 1});
  tools::add_real(cli, "--lr", a.lr, {}, "maximum of onecycle, start of the others");
  cli.add_option("--schedule", a.schedule, "onecycle | triangular | cosine | multistep | constant");
  tools::add_real(cli, "--warm", a.warm, {.most = 1, .with_least = false, .with_most = false},
                  "onecycle, triangular: part of the steps that rise");
  tools::add_real(cli, "--lr-end", a.lr_end, {}, "cosine: rate at the end");
  tools::add_reals(cli, "--milestones", a.milestones, {.most = 1},
                   "multistep: parts of the run, like 0.5,0.75");
  tools::add_real(cli, "--gamma", a.gamma, {.with_least = false},
                  "multistep: factor at each milestone");
  tools::add_real(cli, "--momentum", a.momentum, {.most = 1, .with_most = false},
                  "SGD's momentum, Adam's first beta; onecycle moves it between 0.85 and 0.95");
  tools::add_switch(cli, "nesterov", a.nesterov, "Nesterov's momentum");
  cli.add_option("--optimizer", a.optimizer, "sgd | adam");
  tools::add_real(cli, "--weight-decay", a.weight_decay, {});
  tools::add_real(cli, "--label-smoothing", a.label_smoothing, {.most = 1, .with_most = false});
  tools::add_switch(cli, "augment", a.augment,
                    "random crop and flip, as the data set wants them (synthetic: none)");
}

/// The attack that an objective trains with.
void add_attack(Arguments& a, CLI::App& cli) {
  cli.add_option("--norm", a.norm, "linf | l2, of the pgd and free objectives");
  cli.add_option("--eps", a.eps, "radius, like 8/255");
  cli.add_option(
      "--attack-step", a.attack_step,
      "step of the training attack (linf: 2/255, fgsm-rs 10/255; l2: a fifth of the radius)");
  tools::add_whole(cli, "--attack-steps", a.attack_steps, {.most = 1000000},
                   "steps of the training attack (0: pgd 7, trades 10)");
  cli.add_option(
      "--attack-mode", a.attack_mode,
      "mode of the model under the training attack: eval | train (pgd: eval, fgsm-rs: train)");
  tools::add_whole(cli, "--attack-commits", a.attack_commits, {.most = 16},
                   "pgd in mode train: how often each of the attack's forwards moves the running "
                   "statistics");
  tools::add_real(cli, "--beta", a.beta, {}, "trades: weight of the divergence");
  tools::add_whole(cli, "--replays", a.replays, {.least = 1, .most = 1000},
                   "free: how often each batch is used");
}

/// The stages of paper 000; lists of views: clean, aug (AugMix), adv, or none.
void add_rlnet(Arguments& a, CLI::App& cli) {
  tools::add_whole(cli, "--budget", a.budget, {}, "rlnet-mask, snl: ReLUs that the network keeps");
  tools::add_real(cli, "--slope-penalty", a.slope_penalty, {.with_least = false},
                  "snl: of the slopes' sum at first, beside CE and KL of weight 1");
  cli.add_option("--shares", a.shares,
                 "rlnet-mask: how layers share the budget: uniform | published | a file of "
                 "sensitivities");
  tools::add_real(cli, "--ce-weight", a.ce_weight, {}, "rlnet: of the mean over --ce-views");
  tools::add_real(cli, "--kl-weight", a.kl_weight, {}, "rlnet: of the mean over --kl-views");
  tools::add_real(cli, "--pram-weight", a.pram_weight, {},
                  "rlnet-finetune: of the mean over --pram-views");
  tools::add_texts(cli, "--ce-views", a.ce_views, "rlnet: views with a cross-entropy");
  tools::add_texts(cli, "--kl-views", a.kl_views, "rlnet: views that follow the teacher");
  tools::add_texts(cli, "--pram-views", a.pram_views, "rlnet: views whose maps follow it");
  cli.add_option("--pram", a.pram, "rlnet: attention (maps, the code) | activations (eq. 4)");
  cli.add_option("--batch-split", a.batch_split,
                 "rlnet: halves (clean and aug in one, adv in the other) | whole");
  tools::add_whole(cli, "--augmented-path", a.augmented_path, {.most = 2},
                   "rlnet: batch-norm path of aug (2: of a network with three)");
  tools::add_real(cli, "--density", a.density, {.most = 1, .with_most = false},
                  "natural: share of weights that global magnitude pruning leaves (0: all)");
  tools::add_switch(cli, "augmix", a.augmix, "natural: AugMix after crop and flip");
}

/// A pruned network, from the weights of --init.
void add_prune(Arguments& a, CLI::App& cli) {
  cli.add_option("--prune", a.prune,
                 "weights | channels: the smallest of --init become zero and stay so");
  tools::add_reals(cli, "--prune-ratios", a.prune_ratios, {.most = 1, .with_most = false},
                   "share that goes: one, or one for each layer (channels: group of tied ones)");
  tools::add_real(cli, "--prune-macs", a.prune_macs, {.most = 1},
                  "in the place of ratios: share of the multiply-accumulates that may stay");
  tools::add_texts(cli, "--prune-spare", a.prune_spare, "layers that stay whole");
  tools::add_switch(cli, "prune-global", a.prune_global,
                    "weights: those of all layers are ranked together");
}

/// Seed, evaluations, machine.
void add_run(Arguments& a, CLI::App& cli) {
  tools::add_whole(cli, "--seed", a.seed, {});
  tools::add_whole(cli, "--eval-n", a.eval_n, {},
                   "images for clean accuracy between epochs (0: none)");
  tools::add_whole(cli, "--eval-pgd-n", a.eval_pgd_n, {},
                   "images for PGD-10 accuracy between epochs (0: none)");
  tools::add_whole(cli, "--eval-every", a.eval_every, {.least = 1}, "epochs between evaluations");
  tools::add_whole(cli, "--final-n", a.final_n, {},
                   "test images for clean accuracy at the end (0: all)");
  tools::add_whole(cli, "--final-pgd-n", a.final_pgd_n, {}, "test images for PGD-20 at the end");
  cli.add_option("--device", a.device,
                 "the one that this program was built for: cpu, or cuda (-DRNX_DEVICE=cuda)");
}

/// What the result does not depend on: folder, checkpoints, threads.
void add_call(Arguments& a, CLI::App& cli) {
  const auto of_call = [](CLI::Option* option) { option->group(tools::of_call); };
  of_call(cli.add_option("--out", a.out, "run directory"));
  of_call(cli.add_option("--resume", a.resume,
                         "auto | never | a checkpoint or run directory to continue in --out"));
  of_call(tools::add_real(cli, "--save-every", a.save_every, {},
                          "seconds between checkpoints (one is written after each epoch, too)"));
  of_call(tools::add_whole(cli, "--save-every-steps", a.save_every_steps, {},
                           "batches between checkpoints (0: by time alone)"));
  of_call(tools::add_whole(cli, "--keep", a.keep, {.least = 1},
                           "how many of the newest checkpoints stay, beside the best ones"));
  of_call(tools::add_whole(cli, "--threads", a.threads, {.most = host::max_threads}, "0: all"));
  of_call(tools::add_whole(cli, "--loader-threads", a.loader_threads,
                           {.least = 1, .most = host::max_threads},
                           "threads that prepare batches"));
  of_call(cli.add_option("--progress", a.progress, "auto | bar | plain | json | off"));
  of_call(cli.add_flag("--dry-run", a.dry_run, "prints the table of layers and ends")
              ->configurable(false));
}

/// Presets, and what users of other programs call an option.
void add_names(tools::App& app) {
  for (const char* theirs : {"--weights", "--pretrained", "--checkpoint", "--load", "--finetune"})
    app.synonym(theirs, "--init");
  app.preset("smoke", {{"dataset", "synthetic"},
                       {"n-train", "512"},
                       {"n-test", "200"},
                       {"epochs", "2"},
                       {"batch", "64"},
                       {"lr", "0.05"},
                       {"eval-n", "100"},
                       {"eval-pgd-n", "50"},
                       {"final-pgd-n", "100"}});
  app.preset("small", {{"dataset", "cifar10"}, {"epochs", "4"}});
  app.preset("paper", {{"dataset", "cifar10"},
                       {"epochs", "200"},
                       {"schedule", "multistep"},
                       {"lr", "0.1"},
                       {"final-pgd-n", "10000"}});
}

}  // namespace

void add_options(Arguments& a, tools::App& app) {
  add_subject(a, app.cli);
  add_training(a, app.cli);
  add_attack(a, app.cli);
  add_rlnet(a, app.cli);
  add_prune(a, app.cli);
  add_run(a, app.cli);
  add_call(a, app.cli);
  app.add_frame();
  add_names(app);
}

}  // namespace training

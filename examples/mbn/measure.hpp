// What is done with a trained network: attacks, threat models, the flow of gradients.
#pragma once

#include <filesystem>

#include "../tools/paper.hpp"
#include "../tools/train/program.hpp"
#include "plan.hpp"

namespace mbn {

/// A row's run: its command line, and the folder that holds it.
struct Run {
  const Row& row;
  const training::Program& program;
  std::filesystem::path folder;
  std::filesystem::path floats{};  ///< the trained network of full precision beside it; or ""
};

/// attacks.json in a run's folder: bit operations, clean accuracy, accuracy under PGD of each
/// number of steps, means over runs with starts of their own, the evaluation's checks (attacks are
/// transferred from the network of full precision). What is there of the same weights, images and
/// attacks is kept. Errors: UsageError, FileError, Stopped.
void evaluate(const Run& run, const Attacks& attacks, paper::Images& opened,
              tools::Display& display);

/// threat.json: accuracy under PGD within 2/255, for each size of its steps and number of them.
void sweep_threats(const Run& run, const Attacks& attacks, paper::Images& opened,
                   tools::Display& display);

/// flow.json: for each convolution that is quantized, the share of its inputs to which its
/// surrogate lets no gradient through, a part of it (some of several bases), all of it; and the
/// share of gradients of its weights that are 0.
void measure_flow(const Run& run, const Attacks& attacks, paper::Images& opened,
                  tools::Display& display);

/// Whether this program packs networks, which then run on the CPU: a program for the CPU does.
inline constexpr bool packs = std::is_same_v<rnx::default_device, rnx::cpu>;

/// The images and classes of a network that the plan names.
rnx::models::ModelOptions options_of(const std::string& network);
/// What the trained network was made with. Errors: FileError.
rnx::models::ModelOptions options_of(const Run& run);

/// packed.safetensors: the packed network, which rnx-eval --packed evaluates and attacks. One of
/// the same weights is kept. Errors: as deploy::pack and deploy::save.
void pack(const Run& run, tools::Display& display);

/// speed.json: inference of the packed network and of the full-precision one of its place, in
/// turns, in images a second; their ratio in each round, and the least; bytes of both files. What
/// is there of the same packed network, instruction set and threads is kept. Errors: as pack.
void bench(const Run& run, const Speed& speed, tools::Display& display);

}  // namespace mbn

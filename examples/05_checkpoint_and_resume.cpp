// 05: a run that is stopped and resumed. Checkpoints hold network, optimizer and position; the
// resumed run ends with the same bits.
#include <rnx/rnx.hpp>
#include <rnx/train/checkpoint.hpp>
#include <rnx/train/log.hpp>

#include <cstdio>
#include <filesystem>

using namespace rnx;

using Block = models::BasicBlock<16, 1, Identity, models::Convolutions<>, BatchNorm<>, act::Relu>;
using Net =
    Network<models::Classifier<models::Convolutions<>, 10, Named<"conv1", Conv<16, 3, Stride<2>>>,
                               Named<"bn1", BatchNorm<>>, Named<"relu", act::Relu>,
                               Named<"layer1", Repeat<1, Block>>>,
            Shape<3, 32, 32>>;

/// Trains one epoch after another until `stop_after` batches are done in this session. Continues
/// the run that `folder` holds.
train::Outcome session(Net& net, const data::Images& images, const std::string& folder,
                       long stop_after) {
  optim::Sgd sgd({.momentum = 0.9, .weight_decay = 5e-4});
  train::Checkpoints checkpoints(std::filesystem::path(folder) / "ckpt");
  train::CheckpointStore<> store(checkpoints, {{"lr", 0.1}, {"batch", 64}});
  const std::string latest = checkpoints.marked("LATEST");  // the log continues where the run does
  train::JsonLines log(std::filesystem::path(folder) / "log.jsonl",
                       latest.empty() ? 0 : checkpoints.state(latest).value("done", 0l));
  std::atomic<bool> stop{false};  // a program would set it in a signal handler
  const train::FitOptions options{.epochs = 3,
                                  .batch = 64,
                                  .seed = 1,
                                  .schedule = optim::OneCycle{.max = 0.1},
                                  .saving = {.store = &store, .every = 60},
                                  .stop = &stop};
  long batches = 0;
  return train::fit(net, images, train::Natural{}, sgd, options, log,
                    [&](const train::Progress& p) {
                      if (++batches == stop_after) stop = true;
                      if (p.epoch_end || stop)
                        std::printf("  %s\n", train::progress_line(p).c_str());
                    });
}

int main() {
  const data::Images images = data::synthetic(data::Split::train, 320);
  for (const char* folder : {"whole", "pieces"}) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
  }

  std::puts("in one go:");
  Net whole(1);
  session(whole, images, "whole", 1000);

  std::puts("stopped after 7 batches, and resumed by another network object:");
  Net first(1), second(2);
  const train::Outcome stopped = session(first, images, "pieces", 7);
  const train::Outcome finished = session(second, images, "pieces", 1000);

  const bool equal = std::equal(whole.parameters(), whole.parameters() + whole.parameter_storage(),
                                second.parameters());
  std::printf("the weights are %s\n", equal ? "the same bits" : "different");
  return !stopped.finished && finished.finished && equal ? 0 : 1;
}

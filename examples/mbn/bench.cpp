#include <algorithm>
#include <chrono>

#include <rnx/deploy.hpp>
#include <rnx/io/file_checksum.hpp>

#include "../tools/run_json.hpp"
#include "measure.hpp"

namespace mbn {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

/// Inference of one network on random images, of all threads.
class Inference {
 public:
  Inference(AnyNetwork<float> net, int images)
      : net_(std::move(net)),
        x_(images, net_->input_dims()),
        trace_(net_->make_trace({.use = Use::infer, .capacity = images, .eval_only = true})) {
    const rng::Stream random(1, Purpose::data);
    for (std::size_t i = 0; i < x_.size(); ++i) x_.data()[i] = float(random.uniform(i));
    forward();  // prepares weights
  }
  /// Of calls that take `seconds` together, at least one.
  double images_per_second(double seconds) {
    using clock = std::chrono::steady_clock;
    const auto begin = clock::now();
    for (double calls = 1;; ++calls) {
      forward();
      const double passed = std::chrono::duration<double>(clock::now() - begin).count();
      if (passed >= seconds) return calls * x_.n() / passed;
    }
  }

 private:
  void forward() { net_->forward(trace_, std::as_const(x_).view(), {}); }

  AnyNetwork<float> net_;
  Tensor<> x_;
  Trace<float, cpu> trace_;
};

}  // namespace

void bench(const Run& run, const Speed& speed, tools::Display& display) {
  pack(run, display);
  const fs::path file = run.folder / "packed.safetensors";
  Json json{{"packed", io::file_checksum(file)},
            {"images", speed.images},
            {"rounds", speed.rounds},
            {"seconds", speed.seconds},
            {"threads", host::threads()},
            {"instruction_set", tools::arithmetic()}};
  if (paper::is_measured(run.folder / "speed.json", json)) return;
  display.phase(run.row.name + ", packed against full precision");
  const std::string& model = run.program.a.model;
  const models::ModelOptions options = options_of(run);
  AnyNetwork<float> net =
      deploy::Registry::instance().find(model, options.in).make(options.classes);
  deploy::load(file, *net);
  Inference packed(std::move(net), speed.images),
      floats(models::Registry<>::instance().make(run.row.block.network, options), speed.images);
  std::vector<double> of_packed, of_floats, ratios;
  for (int round = 0; round < speed.rounds; ++round) {
    tools::check_stop();
    of_floats.push_back(floats.images_per_second(speed.seconds));
    of_packed.push_back(packed.images_per_second(speed.seconds));
    ratios.push_back(of_packed.back() / of_floats.back());
  }
  json.update({{"packed_images_per_second", of_packed},
               {"float_images_per_second", of_floats},
               {"ratios", ratios},
               {"least_ratio", *std::min_element(ratios.begin(), ratios.end())},
               {"packed_bytes", fs::file_size(file)},
               {"float_bytes", fs::file_size(run.folder / "model.safetensors")}});
  io::write_file(run.folder / "speed.json", tools::text_of(json));
  display.done();
}

}  // namespace mbn

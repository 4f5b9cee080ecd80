// rnx::compiled for one instruction set: the registry's models behind compiled::Model.
#include <rnx/net.hpp>

#include <rnx/attack.hpp>
#include <rnx/io.hpp>
#include <rnx/models.hpp>

#include "functions.hpp"

namespace {

using namespace rnx;

class Registered final : public compiled::Model {
 public:
  Registered(const std::string& name, AnyNetwork<float> net) : name_(name), net_(std::move(net)) {}

  const std::string& name() const override { return name_; }
  Dims input_dims() const override { return net_->input_dims(); }
  int classes() const override { return net_->classes(); }
  std::size_t parameter_count() const override { return net_->parameter_count(); }

  std::vector<float> logits(std::span<const float> images, int path) const override {
    const int n = count(images);
    std::vector<float> z;
    if (n == 0) return z;
    Trace<float> trace = net_->make_trace({.use = Use::infer, .capacity = n, .eval_only = true});
    return to_host(net_->forward(trace, view(images), {.path = path}));
  }
  std::vector<float> input_gradient(std::span<const float> images,
                                    std::span<const std::int32_t> labels, int path) const override {
    std::vector<float> dx(images.size());
    attacked(images, labels, dx, [&](const auto& loss, auto& work, View<float> out) {
      attack::input_gradient(*net_, work.trace, view(images), loss, {.path = path}, out);
    });
    return dx;
  }
  std::vector<float> pgd(std::span<const float> images, std::span<const std::int32_t> labels,
                         const compiled::PgdOptions& o) const override {
    std::vector<float> adversarial(images.size());
    attacked(images, labels, adversarial, [&](const auto& loss, auto& work, View<float> out) {
      const attack::Pgd<> pgd{
          .eps = o.eps, .step = Rational(o.step), .steps = o.steps, .seed = o.seed};
      pgd(*net_, work, view(images), out, loss, {.path = o.path});
    });
    return adversarial;
  }
  void load(const std::filesystem::path& file) override { io::load_model(file, *net_); }
  void save(const std::filesystem::path& file) const override { io::save_model(file, *net_); }

 private:
  int count(std::span<const float> images) const {
    const std::size_t each = input_dims().count();
    require<ShapeError>(images.size() % each == 0, [&] {
      return "compiled: images of " + input_dims().text() + " have " + std::to_string(each) +
             " values each, found " + std::to_string(images.size());
    });
    return int(images.size() / each);
  }
  View<const float> view(std::span<const float> images) const {
    return {images.data(), count(images), input_dims(), input_dims().c};
  }
  /// work(loss, workspace, out), where there is an image.
  template <class Work>
  void attacked(std::span<const float> images, std::span<const std::int32_t> labels,
                std::vector<float>& out, Work&& work) const {
    const int n = count(images);
    require<ShapeError>(labels.size() == std::size_t(n), [&] {
      return "compiled: " + std::to_string(n) + " images have " + std::to_string(labels.size()) +
             " labels";
    });
    if (n == 0) return;
    attack::Workspace<float> workspace(*net_, n);
    const loss::Labels<> checked(std::vector<std::int32_t>(labels.begin(), labels.end()),
                                 classes());
    work(loss::CrossEntropy{.labels = checked.data()}, workspace,
         View<float>{out.data(), n, input_dims(), input_dims().c});
  }

  std::string name_;
  AnyNetwork<float> net_;
};

std::vector<std::string> names() { return models::Registry<>::instance().names(); }

std::unique_ptr<compiled::Model> make(const std::string& name, const compiled::ModelOptions& o) {
  return std::make_unique<Registered>(
      name, models::Registry<>::instance().make(
                name, {.classes = o.classes, .seed = o.seed, .in = o.in}));
}

}  // namespace

extern "C" const rnx_compiled::Functions* RNX_ENTRY() {
  static const rnx_compiled::Functions functions{names, make};
  return &functions;
}

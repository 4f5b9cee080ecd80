// A network whose batch-norm path is chosen by the confidence of another one (paper 000, section 2;
// Stutz et al. 2020), and attacks that know it.
#pragma once

#include <cmath>

#include "rnx/attack/pgd.hpp"
#include "rnx/attack/steps.hpp"
#include "rnx/core/argmax.hpp"

namespace rnx::inline RNX_ISA::attack {

/// The largest softmax of a row of logits; NaN where one is.
template <class T> double confidence(const T* logits, int classes) {
  const T top = *std::max_element(logits, logits + classes);
  double sum = 0;
  for (int c = 0; c < classes; ++c) sum += std::exp(double(logits[c]) - double(top));
  return 1 / sum;
}

/// Which path answers: `clean` where its confidence is above the threshold, else `robust`.
struct SwitchRule {
  double threshold = 0.5;
  int clean = 0, robust = 1;

  /// NaN takes the path that has it.
  bool takes_clean(double confidence) const { return !(confidence <= threshold); }
};

/// A network behind a switch, as evaluations and attacks that query see it. The network must
/// outlive it. Errors: UsageError (a threshold outside [0, 1], a path that does not exist).
template <class T = float, class Device = default_device>
class ConfidenceSwitch final : public Victim<T, Device> {
 public:
  using typename Victim<T, Device>::Memory;

  ConfidenceSwitch(const NetworkBase<T, Device>& net, SwitchRule rule) : net_(&net), rule_(rule) {
    require<UsageError>(rule.threshold >= 0 && rule.threshold <= 1, [&] {
      return "switch: expected a threshold from 0 to 1, found " + exact_text(rule.threshold);
    });
    const int paths = path_count(net.graph());
    for (const int path : {rule.clean, rule.robust})
      require<UsageError>(path >= 0 && path < paths, [&] {
        return "switch: expected batch-norm paths below " + std::to_string(paths) +
               ", as the network has, found " + std::to_string(path);
      });
  }
  const NetworkBase<T, Device>& network() const { return *net_; }
  const SwitchRule& rule() const { return rule_; }
  Dims input_dims() const override { return net_->input_dims(); }
  int classes() const override { return net_->classes(); }
  std::unique_ptr<Memory> make_memory(Use use, int capacity, int tile) const override {
    return std::make_unique<Own>(*this, use == Use::infer || tile == 0 ? capacity : tile);
  }
  View<const T, Device> logits(Memory& memory, View<const T, Device> x, const Context& ctx,
                               int) const override {
    Own* own = dynamic_cast<Own*>(&memory);
    require<UsageError>(own != nullptr, "switch: the memory was made for another victim");
    std::vector<T> z = to_host(forward(*own, x, ctx, rule_.clean));
    const std::vector<T> robust = to_host(forward(*own, x, ctx, rule_.robust));
    const std::size_t row = std::size_t(classes());
    for (std::size_t at = 0; at < z.size(); at += row)
      if (!rule_.takes_clean(confidence(z.data() + at, classes())))
        std::copy_n(robust.data() + at, row, z.data() + at);
    const View<T, Device> y = own->y.view().samples(0, x.n);
    memory_of(y, z);
    return y;
  }

 private:
  struct Own : Memory {
    Own(const ConfidenceSwitch& victim, int capacity)
        : Memory(victim, capacity),
          pass(victim.net_->make_trace(
              {.use = Use::infer, .capacity = capacity, .eval_only = true})),
          y(capacity, Dims{victim.classes(), 1, 1}) {}
    Passes passes() const override { return pass.passes(); }
    std::size_t bytes() const override { return Memory::bytes() + pass.bytes(); }
    Trace<T, Device> pass;
    Tensor<T, Device> y;
  };
  View<const T, Device> forward(Own& own, View<const T, Device> x, Context ctx, int path) const {
    ctx.path = path;
    return net_->forward(own.pass, x, ctx);
  }
  static void memory_of(View<T, Device> y, const std::vector<T>& values) {
    memory<Device>::upload(y.data, values.data(), values.size() * sizeof(T), {});
  }

  const NetworkBase<T, Device>* net_;
  SwitchRule rule_;
};

/// Attacks on a ConfidenceSwitch, by gradients of its network. Losses say the labels.
struct SwitchAttack {
  using norm = norm::Linf;
  enum class Aim {
    blind,            ///< PGD on `path` alone, which knows of no switch
    confident_error,  ///< the clean path becomes sure of the class label + target
    under_threshold   ///< the robust path errs, and the clean one becomes unsure
  };
  Aim aim = Aim::blind;
  int path = 1;    ///< of blind
  int target = 1;  ///< of confident_error: added to the label, modulo classes
  Rational eps = px(8);
  std::optional<Rational> step = px(2);
  int steps = 20;
  Start start = Start::random;
  std::uint64_t seed = 0;

  void set(StepValues& v) const { pgd().set(v); }

  /// Throws UsageError for a victim that is no switch, a loss without labels, chosen samples.
  template <class T, class Device, class Loss>
  void operator()(std::type_identity_t<VictimRef<T, Device>> victim, Workspace<T, Device>& work,
                  std::type_identity_t<View<const T, Device>> x,
                  std::type_identity_t<View<T, Device>> adversarial, const Loss& loss,
                  Context ctx = {}, std::uint64_t draw = 0) const {
    const auto* box = victim.network() ? nullptr : &victim.box();
    const auto* target_of = dynamic_cast<const ConfidenceSwitch<T, Device>*>(box);
    require<UsageError>(target_of != nullptr, "attack: this one is for a confidence switch");
    const std::int32_t* labels = labels_of(loss);
    require<UsageError>(labels != nullptr && !ctx.samples,
                        "attack: a confidence switch is attacked by labels, batch by batch");
    const NetworkBase<T, Device>& net = target_of->network();
    Workspace<T, Device> own(net, x.n);
    if (aim == Aim::blind) {
      ctx.path = path;
      pgd()(net, own, x, adversarial, loss::CrossEntropy{.labels = labels}, ctx, draw);
    } else if (aim == Aim::confident_error) {
      ctx.path = target_of->rule().clean;
      const loss::Labels<Device> wrong = shifted<Device>(labels, x.n, net.classes());
      const auto towards = loss::sum(loss::term(-1, loss::CrossEntropy{.labels = wrong.data()}));
      pgd()(net, own, x, adversarial, towards, ctx, draw);
    } else {
      TwoPaths<T, Device> two{net, target_of->rule(), own, x, adversarial, labels};
      two.run(*this, ctx, draw);
    }
    work.count(own.passes());
  }

 private:
  Pgd<> pgd() const {
    return {.eps = eps, .step = step, .steps = steps, .start = start, .seed = seed};
  }
  template <class Device>
  loss::Labels<Device> shifted(const std::int32_t* labels, int n, int classes) const {
    std::vector<std::int32_t> y(static_cast<std::size_t>(n));
    memory<Device>::download(y.data(), labels, y.size() * sizeof(std::int32_t));
    for (std::int32_t& label : y) label = (label + target) % classes;
    loss::Labels<Device> moved(n, classes);
    moved.upload(y);
    return moved;
  }

  /// Steps along two gradients at once; the first iterate that fools the switch is kept.
  template <class T, class Device> struct TwoPaths {
    const NetworkBase<T, Device>& net;
    const SwitchRule& rule;
    Workspace<T, Device>& own;
    View<const T, Device> x;
    View<T, Device> adversarial;
    const std::int32_t* device_labels;
    std::vector<std::int32_t> labels{}, sure_of{};
    std::vector<std::uint8_t> fooled{}, unsure{}, wrong{};
    std::vector<T> kept{};

    void run(const SwitchAttack& attack, const Context& ctx, std::uint64_t draw) {
      begin_memory();
      detail::Begun begun = detail::begin<norm>(attack, own, x, adversarial, ctx, draw);
      detail::start_at<norm, T, Device>(attack.start, x, adversarial, begun.ctx, begun.seed);
      loss::Labels<Device> top(x.n, net.classes());
      for (int k = 0; k < attack.steps; ++k) {
        judge(begun.ctx);
        top.upload(sure_of);
        std::vector<T> g = gradient(begun.ctx, rule.robust, device_labels);
        const std::vector<T> g0 = gradient(begun.ctx, rule.clean, top.data());
        combine(g, g0);
        const View<T, Device> dx = own.gradient.view().samples(0, x.n);
        memory<Device>::upload(dx.data, g.data(), g.size() * sizeof(T), {});
        detail::step_along<norm, T, Device>(dx, x, adversarial, begun.ctx);
      }
      judge(begun.ctx);
      put_kept();
    }

   private:
    void begin_memory() {
      const auto n = std::size_t(x.n);
      labels.resize(n);
      memory<Device>::download(labels.data(), device_labels, n * sizeof(std::int32_t));
      sure_of.resize(n);
      for (auto* flags : {&fooled, &unsure, &wrong}) flags->assign(n, 0);
      kept.resize(x.count());
    }
    std::vector<T> logits(Context ctx, int path) {
      ctx.path = path;
      return to_host(own.predictor(net)(View<const T, Device>(adversarial), ctx));
    }
    std::vector<T> gradient(Context ctx, int path, const std::int32_t* of) {
      ctx.path = path;
      const View<T, Device> dx = own.gradient.view().samples(0, x.n);
      input_gradient<T, Device>(net, own, View<const T, Device>(adversarial),
                                loss::CrossEntropy{.labels = of}, ctx, dx);
      return to_host(View<const T, Device>(dx));
    }
    /// What both paths say of the images as they are.
    void judge(const Context& ctx) {
      const int classes = net.classes();
      const std::vector<T> clean = logits(ctx, rule.clean), robust = logits(ctx, rule.robust);
      const std::vector<T> images = to_host(View<const T, Device>(adversarial));
      const std::size_t size = x.dims.count();
      for (std::size_t i = 0; i < fooled.size(); ++i) {
        const T *z0 = clean.data() + i * classes, *z1 = robust.data() + i * classes;
        const double sure = confidence(z0, classes);
        sure_of[i] = argmax(z0, classes);
        unsure[i] = sure <= rule.threshold * 0.95;  // with room for what the other gradient does
        wrong[i] = argmax(z1, classes) != labels[i];
        const int answer = rule.takes_clean(sure) ? int(sure_of[i]) : argmax(z1, classes);
        if (fooled[i] != 0 || answer == labels[i]) continue;
        fooled[i] = 1;
        std::copy_n(images.data() + i * size, size, kept.data() + i * size);
      }
    }
    /// Each gradient in the L1 norm's length 1, where what it is for is not reached.
    void combine(std::vector<T>& g, const std::vector<T>& g0) const {
      const std::size_t size = x.dims.count();
      for (std::size_t i = 0; i < fooled.size(); ++i) {
        double robust = 0, clean = 0;
        for (std::size_t k = i * size; k < (i + 1) * size; ++k) {
          robust += std::abs(double(g[k]));
          clean += std::abs(double(g0[k]));
        }
        const bool both = unsure[i] == 0 && wrong[i] == 0;
        const double w1 = (both || unsure[i] != 0) && robust > 0 ? 1 / robust : 0,
                     w0 = unsure[i] == 0 && clean > 0 ? 1 / clean : 0;
        for (std::size_t k = i * size; k < (i + 1) * size; ++k)
          g[k] = T(w1 * double(g[k]) + w0 * double(g0[k]));
      }
    }
    void put_kept() {
      std::vector<T> images = to_host(View<const T, Device>(adversarial));
      const std::size_t size = x.dims.count();
      for (std::size_t i = 0; i < fooled.size(); ++i)
        if (fooled[i] != 0) std::copy_n(kept.data() + i * size, size, images.data() + i * size);
      memory<Device>::upload(adversarial.data, images.data(), images.size() * sizeof(T), {});
    }
  };
};

}  // namespace rnx::inline RNX_ISA::attack

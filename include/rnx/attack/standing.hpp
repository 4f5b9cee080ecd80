// Attacks one after the other on what still stands: a sample that is fooled costs nothing more.
#pragma once

#include <vector>

#include "rnx/attack/active.hpp"
#include "rnx/attack/steps.hpp"

namespace rnx::inline RNX_ISA::attack::detail {

/// The samples of a batch that are not misclassified yet. Every attack gets these alone, each with
/// the bits that it has in the whole batch, and is judged by a fresh forward.
template <class T, class Device> class Standing {
 public:
  /// All samples of x stand, or those that are right on the clean image (`right`). adversarial: as
  /// an attack's; assigned by the first attack.
  Standing(const VictimRef<T, Device>& victim, Workspace<T, Device>& work, View<const T, Device> x,
           View<T, Device> adversarial, const std::int32_t* labels, const Context& ctx,
           bool right = false)
      : victim_(victim),
        work_(work),
        x_(x),
        adversarial_(adversarial),
        labels_(labels),
        ctx_(ctx),
        flags_(std::size_t(x.n)),
        active_(ctx, x.n) {
    if (!right) return;
    run<Device>({ctx_.stream}, op::copy<T>{.from = map(x_), .to = map(adversarial_)});
    first_ = false;
    active_.remove(fooled(x_, ctx_));
  }
  int size() const { return active_.size(); }
  /// Of the batch that the context lists samples of, or else of x.
  int batch() const { return ctx_.samples ? ctx_.samples.batch : x_.n; }

  /// attack(x, adversarial, ctx) on the standing samples. Those that it fools get its images and
  /// fall; in the first call the others get them, too. Returns the rows of x that fell.
  template <class Attack> std::vector<std::int32_t> attack(const Attack& attack) {
    if (active_.empty()) return {};
    const bool direct = active_.whole() && first_;
    if (!direct) gather();
    const View<const T, Device> x = direct ? x_ : std::as_const(x_part_).view().samples(0, size());
    const View<T, Device> a = direct ? adversarial_ : part_.view().samples(0, size());
    const Context ctx = active_.context();
    attack(x, a, ctx);
    const std::vector<bool> fell = fooled(View<const T, Device>(a), ctx);
    if (!direct) scatter(a, fell);
    first_ = false;
    std::vector<std::int32_t> fallen;
    for (std::size_t i = 0; i < fell.size(); ++i)
      if (fell[i]) fallen.push_back(active_.rows()[i]);
    active_.remove(fell);
    return fallen;
  }

 private:
  std::vector<bool> fooled(View<const T, Device> x, const Context& ctx) {
    judge(victim_, work_, x, ctx, labels_, flags_.data());
    return flags_of<T, Device>(flags_.data(), x.n, ctx);
  }
  void gather() {
    if (x_part_.n() == 0) {
      x_part_ = Tensor<T, Device>(x_.n, x_.dims);
      part_ = Tensor<T, Device>(x_.n, x_.dims);
    }
    const View<T, Device> to = x_part_.view().samples(0, size());
    if (active_.whole()) return run<Device>({ctx_.stream}, op::copy<T>{.from = x_, .to = map(to)});
    run<Device>({ctx_.stream},
                op::gather_rows<T>{.from = map(x_), .to = map(to), .rows = active_.list()});
  }
  /// The images of those that fell (at first: of all) to where they belong.
  void scatter(View<T, Device> from, const std::vector<bool>& fell) {
    const std::vector<std::int32_t>& rows = active_.rows();
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (fell[i] || first_)
        run<Device>({ctx_.stream}, op::copy<T>{.from = map(from.samples(int(i), 1)),
                                               .to = map(adversarial_.samples(rows[i], 1))});
  }

  VictimRef<T, Device> victim_;
  Workspace<T, Device>& work_;
  View<const T, Device> x_;
  View<T, Device> adversarial_;
  const std::int32_t* labels_;
  Context ctx_;
  Buffer<T, Device> flags_;
  Active<Device> active_;  ///< those that stand
  Tensor<T, Device> x_part_, part_;
  bool first_ = true;
};

}  // namespace rnx::inline RNX_ISA::attack::detail

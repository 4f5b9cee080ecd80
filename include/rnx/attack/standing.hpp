// Attacks one after the other on what still stands: a sample that is fooled costs nothing more.
#pragma once

#include <memory>
#include <numeric>
#include <vector>

#include "rnx/attack/steps.hpp"
#include "rnx/tensor/selection.hpp"

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
        rows_(std::size_t(x.n)) {
    std::iota(rows_.begin(), rows_.end(), 0);
    if (ctx.samples) {
      outer_.resize(rows_.size());
      memory<Device>::download(outer_.data(), ctx.samples.data,
                               outer_.size() * sizeof(std::int32_t), {ctx.stream});
    }
    if (!right) return;
    run<Device>({ctx_.stream}, op::copy<T>{.from = map(x_), .to = map(adversarial_)});
    first_ = false;
    remove(fooled(x_, ctx_));
  }
  int size() const { return int(rows_.size()); }
  /// Of the batch that the context lists samples of, or else of x.
  int batch() const { return ctx_.samples ? ctx_.samples.batch : x_.n; }

  /// attack(x, adversarial, ctx) on the standing samples. Those that it fools get its images and
  /// fall; in the first call the others get them, too. Returns how many fell.
  template <class Attack> int attack(const Attack& attack) {
    if (rows_.empty()) return 0;
    const bool all = size() == x_.n;
    const bool direct = all && first_;
    if (!direct && x_part_.n() == 0) {
      x_part_ = Tensor<T, Device>(x_.n, x_.dims);
      part_ = Tensor<T, Device>(x_.n, x_.dims);
      list_ = std::make_unique<Selection<Device>>(x_.n);
      if (!outer_.empty()) ids_ = std::make_unique<Selection<Device>>(batch());
    }
    Context ctx = ctx_;
    if (!direct) gather(ctx);
    const View<const T, Device> x = direct ? x_ : std::as_const(x_part_).view().samples(0, size());
    const View<T, Device> a = direct ? adversarial_ : part_.view().samples(0, size());
    attack(x, a, ctx);
    const std::vector<bool> fell = fooled(View<const T, Device>(a), ctx);
    if (!direct) scatter(a, fell);
    first_ = false;
    const int before = size();
    remove(fell);
    return before - size();
  }

 private:
  std::vector<bool> fooled(View<const T, Device> x, const Context& ctx) {
    judge(victim_, work_, x, ctx, labels_, flags_.data());
    std::vector<T> flags(std::size_t(x.n));
    memory<Device>::download(flags.data(), flags_.data(), flags.size() * sizeof(T), {ctx.stream});
    std::vector<bool> found;
    for (const T f : flags) found.push_back(f != 0);
    return found;
  }
  void remove(const std::vector<bool>& fell) {
    std::vector<std::int32_t> left;
    for (std::size_t i = 0; i < rows_.size(); ++i)
      if (!fell[i]) left.push_back(rows_[i]);
    rows_ = left;
  }
  void gather(Context& ctx) {
    list_->upload(rows_);
    run<Device>({ctx_.stream}, op::gather_rows<T>{.from = map(x_),
                                                  .to = map(x_part_.view().samples(0, size())),
                                                  .rows = list_->list().data});
    ctx.samples = list_->list();
    if (!ids_) return;
    std::vector<std::int32_t> ids;
    for (const std::int32_t row : rows_) ids.push_back(outer_[std::size_t(row)]);
    ids_->upload(ids);
    ctx.samples = ids_->list();
  }
  /// The images of those that fell (at first: of all) to where they belong.
  void scatter(View<T, Device> from, const std::vector<bool>& fell) {
    for (std::size_t i = 0; i < rows_.size(); ++i)
      if (fell[i] || first_)
        run<Device>({ctx_.stream}, op::copy<T>{.from = map(from.samples(int(i), 1)),
                                               .to = map(adversarial_.samples(rows_[i], 1))});
  }

  VictimRef<T, Device> victim_;
  Workspace<T, Device>& work_;
  View<const T, Device> x_;
  View<T, Device> adversarial_;
  const std::int32_t* labels_;
  Context ctx_;
  Buffer<T, Device> flags_;
  std::vector<std::int32_t> rows_;  ///< of x, that stand
  std::vector<std::int32_t>
      outer_;  ///< sample numbers of all rows of x, where the context has some
  Tensor<T, Device> x_part_, part_;
  std::unique_ptr<Selection<Device>> list_, ids_;
  bool first_ = true;
};

}  // namespace rnx::inline RNX_ISA::attack::detail

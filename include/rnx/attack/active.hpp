// The samples of a batch that an attack still works on, packed one after the other: those that are
// done leave between its steps, and the others keep their bits.
#pragma once

#include <memory>
#include <numeric>
#include <vector>

#include "rnx/tensor/selection.hpp"

namespace rnx::inline RNX_ISA::attack::detail {

template <class Device> class Active {
 public:
  /// All n rows of a pass with this context, which may list samples of a larger batch.
  Active(const Context& ctx, int n) : ctx_(ctx), n_(n), rows_(std::size_t(n)) {
    std::iota(rows_.begin(), rows_.end(), 0);
    if (!ctx.samples) return;
    outer_.resize(rows_.size());
    memory<Device>::download(outer_.data(), ctx.samples.data, outer_.size() * sizeof(std::int32_t),
                             {ctx.stream});
  }
  int size() const { return int(rows_.size()); }
  bool empty() const { return rows_.empty(); }
  /// Nothing has left.
  bool whole() const { return size() == n_; }
  /// Of each packed sample its row in the batch.
  const std::vector<std::int32_t>& rows() const { return rows_; }
  /// The same in device memory; null where nothing has left.
  const std::int32_t* list() const { return whole() ? nullptr : list_->list().data; }
  /// For a pass over the packed samples.
  const Context& context() const { return ctx_; }
  /// Likewise with another draw.
  Context context(std::uint64_t draw) const {
    Context ctx = ctx_;
    ctx.draw = draw;
    return ctx;
  }
  /// Those leave whose flag is set, one flag for each packed sample.
  void remove(const std::vector<bool>& done) {
    std::vector<std::int32_t> left;
    for (std::size_t i = 0; i < rows_.size(); ++i)
      if (!done[i]) left.push_back(rows_[i]);
    if (left.size() == rows_.size()) return;
    rows_ = std::move(left);
    if (!list_) list_ = std::make_unique<Selection<Device>>(n_);
    list_->upload(rows_);
    if (outer_.empty()) {
      ctx_.samples = list_->list();
      return;
    }
    std::vector<std::int32_t> ids;
    for (const std::int32_t row : rows_) ids.push_back(outer_[std::size_t(row)]);
    if (!ids_) ids_ = std::make_unique<Selection<Device>>(ctx_.samples.batch);
    ids_->upload(ids);
    ctx_.samples = ids_->list();
  }

 private:
  Context ctx_;
  int n_;
  std::vector<std::int32_t> rows_;
  std::vector<std::int32_t> outer_;  ///< numbers of all n rows, where the context has listed some
  std::unique_ptr<Selection<Device>> list_, ids_;
};

/// Which of n numbers in device memory are not 0.
template <class T, class Device>
std::vector<bool> flags_of(const T* flags, int n, const Context& ctx) {
  std::vector<T> found(std::size_t(n), T(0));
  memory<Device>::download(found.data(), flags, found.size() * sizeof(T), {ctx.stream});
  std::vector<bool> set;
  for (const T f : found) set.push_back(f != 0);
  return set;
}

}  // namespace rnx::inline RNX_ISA::attack::detail

// The values of an objective's terms in one step, in device memory until somebody asks.
#pragma once

#include <cmath>

#include "rnx/loss/call.hpp"
#include "rnx/train/means.hpp"

namespace rnx::inline RNX_ISA::train {

/// Sums over the calls of a term in one step (several where items run for several subnets), for
/// each sample of its pass.
template <class T, class Device> class TermValues {
 public:
  explicit TermValues(int batch) : batch_(std::size_t(batch)) {}

  /// A term is known by its name and its item; a name that another item has gets a number.
  struct Term {
    std::string name;
    int item = 0, n = 0, times = 0;
    Buffer<T, Device> memory;  ///< sums | weighted sums | values of the last call | scratch
    std::string asked{};       ///< the name without a number
    std::string pass{};        ///< whose samples
  };
  Term& term(std::string_view name, int item, std::string_view pass) {
    int taken = 0;
    for (Term& t : terms_) {
      if (t.asked != name) continue;
      if (t.item == item) return t;
      ++taken;
    }
    terms_.push_back({.name = std::string(name) + (taken ? "#" + std::to_string(taken + 1) : ""),
                      .item = item,
                      .memory = Buffer<T, Device>(4 * batch_),
                      .asked = std::string(name),
                      .pass = std::string(pass)});
    return terms_.back();
  }
  void begin() {
    for (Term& t : terms_) t.times = 0;
  }
  /// The call of a loss that writes its values here; added: behind other terms of its pass.
  loss::Call<T> call(Term& t, int n, bool added, Stream stream) {
    t.n = n;
    T* const values = t.memory.data() + 2 * batch_;
    if (added) run<Device>(stream, op::fill<T>{std::size_t(n), T(0), values});
    return {.add = added, .values = values, .scratch = values + batch_};
  }
  /// Behind it: adds the values to the sums. weight: of the mean over samples.
  void add(Term& t, double weight, Stream stream) {
    const std::size_t n = std::size_t(t.n);
    T* const sums = t.memory.data();
    if (t.times++ == 0) run<Device>(stream, op::fill<T>{2 * batch_, T(0), sums});
    const T* const values = sums + 2 * batch_;
    run<Device>(stream, op::axpy<T>{.count = n, .alpha = T(1), .x = values, .y = sums});
    run<Device>(stream,
                op::axpy<T>{.count = n, .alpha = T(weight), .x = values, .y = sums + batch_});
  }
  /// A number that is no term.
  void note(std::string_view name, double value) {
    for (NamedValue& v : notes_)
      if (v.name == name) {
        v.value = value;
        return;
      }
    notes_.push_back({std::string(name), value});
  }

  // downloaded; errors: NumericError where a value is not finite

  /// The mean of each term, without its weight, and what was noted.
  std::vector<NamedValue> all() const {
    std::vector<NamedValue> list;
    for (const Term& t : terms_)
      if (t.times > 0) list.push_back({t.name, mean(t, 0) / t.times});
    list.insert(list.end(), notes_.begin(), notes_.end());
    return list;
  }
  /// Of one term; 0 where it has not run. Errors: NameError.
  double one(std::string_view name) const {
    for (const Term& t : terms_)
      if (t.name == name) return t.times > 0 ? mean(t, 0) / t.times : 0;
    throw NameError("objective: it has no term '" + std::string(name) + "'");
  }
  /// The sum of the means times their weights: of all terms, or of those on one pass.
  double total(std::string_view pass = {}) const {
    double sum = 0;
    for (const Term& t : terms_)
      if (t.times > 0 && (pass.empty() || t.pass == pass)) sum += mean(t, batch_);
    return sum;
  }

 private:
  double mean(const Term& t, std::size_t from) const {
    std::vector<T> v(std::size_t(t.n));
    memory<Device>::download(v.data(), t.memory.data() + from, v.size() * sizeof(T));
    double sum = 0;
    for (std::size_t i = 0; i < v.size(); ++i) {
      require<NumericError>(std::isfinite(v[i]), [&] {
        return "loss: the value of '" + t.name + "' of sample " + std::to_string(i) + " is " +
               std::to_string(v[i]);
      });
      sum += double(v[i]);
    }
    return sum / t.n;
  }

  std::size_t batch_;
  std::vector<Term> terms_;
  std::vector<NamedValue> notes_;
};

}  // namespace rnx::inline RNX_ISA::train

// The traces of an objective's passes and the workspaces of its attacks. What is not in use at the
// same time takes turns.
#pragma once

#include "rnx/attack.hpp"
#include "rnx/train/plan.hpp"

namespace rnx::inline RNX_ISA::train {

/// Samples that networks have taken forward and backward, counted where they happen: the student's,
/// whose backwards give gradients of weights, those of attacks on it, and other networks'.
struct StagePasses {
  Passes student{}, attacks{}, others{};
};

template <class T, class Device> class StageMemory {
 public:
  using Network = NetworkBase<T, Device>;
  using Work = attack::Workspace<T, Device>;

  StageMemory(const Network& student, const Plan<T, Device>& plan)
      : student_(student),
        batch_(plan.batch) {
    place(plan);
    for (Slot& slot : slots_)
      slot.trace =
          std::make_unique<Trace<T, Device>>(slot.net->make_trace({.use = slot.use,
                                                                   .capacity = slot.capacity,
                                                                   .keep = slot.keep,
                                                                   .eval_only = slot.eval_only}));
    make_workspaces(plan);
  }

  Trace<T, Device>& pass(std::size_t k) { return *slots_[slot_of_pass_[k]].trace; }
  /// Null where it wanted none.
  Work* attack(std::size_t k) { return attacks_[k]; }
  std::vector<std::pair<std::string, std::size_t>> bytes() const {
    std::vector<std::pair<std::string, std::size_t>> list;
    for (const Slot& slot : slots_) list.push_back({"trace " + slot.name, slot.trace->bytes()});
    for (const auto& work : work_) list.push_back({"attack", work->bytes()});
    return list;
  }
  StagePasses passes() const {
    StagePasses sum;
    for (const Slot& slot : slots_)
      (slot.net == &student_ ? sum.student : sum.others) += slot.trace->passes();
    for (const auto& work : work_)
      if (work->mode() == Mode::eval) sum.attacks += work->passes();
    sum.student = sum.student - in_train_mode_;
    sum.attacks += in_train_mode_;
    return sum;
  }
  /// Of an attack in train mode, which a trace of passes served.
  void count_attack(const Passes& passes) { in_train_mode_ += passes; }

 private:
  /// A trace, and the passes that take turns in it.
  struct Slot {
    std::string name;
    const Network* net;
    Use use;
    int capacity, last;  ///< last: the item behind which it is free
    bool eval_only = false;
    std::vector<Keep> keep{};
    std::unique_ptr<Trace<T, Device>> trace{};

    bool serves(const Slot& o) const {
      return net == o.net && use == o.use && eval_only == o.eval_only;
    }
    void take(const Slot& o) {
      capacity = std::max(capacity, o.capacity);
      last = o.last;
      keep.insert(keep.end(), o.keep.begin(), o.keep.end());
    }
  };
  static bool wants_trace(const AttackOptions& o) { return o.memory && o.mode == Mode::train; }

  /// The slot of a trace that is in use from item `first` to `wanted.last`.
  std::size_t slot_for(Slot wanted, int first) {
    std::size_t k = 0;
    while (k < slots_.size() && !(slots_[k].serves(wanted) && slots_[k].last < first)) ++k;
    if (k == slots_.size())
      slots_.push_back(std::move(wanted));
    else
      slots_[k].take(wanted);
    return k;
  }
  /// Rounding of rows in a last batch may give one more.
  int samples(const Rows& rows) const {
    return std::clamp(int(std::ceil((rows.end - rows.begin) * batch_ + 1)), 1, batch_);
  }
  /// Passes and train-mode attacks, in the order of their items.
  void place(const Plan<T, Device>& plan) {
    slot_of_attack_.resize(plan.attacks.size());
    std::size_t next = 0;
    const auto attacks_up_to = [&](int item) {
      for (; next < plan.attacks.size() && plan.attacks[next].item <= item; ++next) {
        const auto& a = plan.attacks[next];
        if (wants_trace(a.options))
          slot_of_attack_[next] = slot_for({.name = a.name,
                                            .net = &student_,
                                            .use = Use::train,
                                            .capacity = samples(a.options.rows),
                                            .last = a.item,
                                            .keep = a.options.keep},
                                           a.item);
      }
    };
    for (const auto& p : plan.passes) {
      attacks_up_to(p.first);
      slot_of_pass_.push_back(slot_for({.name = p.name,
                                        .net = p.net,
                                        .use = p.options.trained ? Use::train : Use::infer,
                                        .capacity = samples(p.options.rows),
                                        .last = p.last,
                                        .eval_only = p.options.mode == Mode::eval,
                                        .keep = p.keep},
                                       p.first));
    }
    attacks_up_to(plan.items);
  }
  /// In eval mode a few samples at a time keep an attack's activations in cache, and all attacks
  /// that keep nothing share that memory; in train mode batch norm needs the whole batch, and a
  /// trace that no pass uses at that time serves.
  void make_workspaces(const Plan<T, Device>& plan) {
    Work* shared = nullptr;
    for (std::size_t k = 0; k < plan.attacks.size(); ++k) {
      const AttackOptions& o = plan.attacks[k].options;
      const bool plain = o.mode == Mode::eval && o.keep.empty();
      attacks_.push_back(plain ? shared : nullptr);
      if (!o.memory || attacks_.back()) continue;
      work_.push_back(wants_trace(o) ? std::make_unique<Work>(
                                           student_, *slots_[slot_of_attack_[k]].trace, o.mode)
                                     : std::make_unique<Work>(student_, batch_, 0, o.keep));
      attacks_.back() = work_.back().get();
      if (plain) shared = attacks_.back();
    }
  }

  const Network& student_;
  int batch_;
  std::vector<Slot> slots_;
  std::vector<std::size_t> slot_of_pass_, slot_of_attack_;
  std::vector<std::unique_ptr<Work>> work_;
  std::vector<Work*> attacks_;
  Passes in_train_mode_{};
};

}  // namespace rnx::inline RNX_ISA::train

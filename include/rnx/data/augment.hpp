// Augmentation: a list of operations on a sample, each a small struct of the user's or of
// operations.hpp.
//
//   struct Invert {
//     static constexpr const char* name = "invert";
//     double probability = 0.5;
//     static void numbers(auto& self, auto&& each) { each("probability", self.probability); }
//     void operator()(View<float, cpu> x, Draws& draws) const {
//       if (!draws.chance(probability)) return;
//       for (std::size_t i = 0; i < x.count(); ++i) x.data[i] = 1 - x.data[i];
//     }
//   };
//   const Augment augment{RandomCrop{.pad = 4}, HorizontalFlip{}, Invert{}};
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>

#include "rnx/core/text.hpp"
#include "rnx/data/cut.hpp"
#include "rnx/data/draws.hpp"
#include "rnx/tensor/view.hpp"

namespace rnx::inline RNX_ISA::data {

namespace detail {

template <class Op>
concept PlacesSample = requires(const Op& op, const Frame& frame, Placement& placement,
                                Draws& draws) {
  op.place(frame, placement, draws);
};
template <class Op>
concept ChangesPixels = requires(const Op& op, View<float, cpu> x, Draws& draws) {
  op(x, draws);
};
/// "pad 4 reflect crop": an operation's numbers, those of its switches that are on, its name.
template <class Op> std::string operation_text(const Op& op) {
  std::string text;
  const auto each = [&]<class V>(const char* name, const V& value) {
    if constexpr (std::same_as<V, bool>)
      text += value ? std::string(name) + " " : "";
    else if constexpr (std::floating_point<V>)
      text += std::string(name) + " " + exact_text(double(value)) + " ";
    else
      text += std::string(name) + " " + std::to_string(value) + " ";
  };
  if constexpr (requires { Op::numbers(op, each); })
    Op::numbers(op, each);
  else
    static_assert(std::is_empty_v<Op>,
                  "rnx: an operation of an augmentation with numbers names them: static void "
                  "numbers(auto& self, auto&& each)");
  return text + Op::name;
}

}  // namespace detail

/// What an augmentation consists of: a name, and either of
///   place(const Frame&, Placement&, Draws&) const       moves the window before pixels are read
///   operator()(View<float, cpu> x, Draws&) const        changes the pixels (1, h, w, c) in [0, 1]
/// One with members names them: static void numbers(auto& self, auto&& each). Optional: check(const
/// Dims&) const throws UsageError where it cannot work on such samples; draws_from, the first of
/// the stream's numbers that it takes (otherwise 2^32 times its place in the list, from 1 on).
/// Threads share an operation.
template <class Op>
concept AugmentOperation = std::convertible_to<decltype(Op::name), std::string> &&
    std::copy_constructible<Op> &&(detail::PlacesSample<Op> != detail::ChangesPixels<Op>);

/// Operations in their order; none: samples as they are. Those that place a sample come first: they
/// decide which pixels are read at all.
class Augment {
 public:
  Augment() = default;
  /// Errors: those of add().
  template <AugmentOperation... Ops>
    requires(sizeof...(Ops) > 0)
  Augment(Ops... operations) { (add(std::move(operations)), ...); }

  /// Appends one. Errors: UsageError (one that places a sample behind one that changes its pixels,
  /// or twice).
  template <AugmentOperation Op> Augment& add(Op operation) {
    constexpr bool places = detail::PlacesSample<Op>;
    const std::string name = Op::name;
    for (const Entry& e : entries_)
      require(!places || (e.places && e.name != name), [&] {
        return "Augment: expected " + name + " " +
               (e.places ? "once, found it twice"
                         : "before operations on pixels, found it behind " + e.name);
      });
    std::uint64_t first = (std::uint64_t(entries_.size()) + 1) << 32;
    if constexpr (requires { Op::draws_from; }) first = Op::draws_from;
    entries_.push_back({.operation = std::make_shared<const Held<Op>>(std::move(operation)),
                        .name = name,
                        .places = places,
                        .first = first});
    return *this;
  }

  bool empty() const { return entries_.empty(); }
  /// "pad 4 crop flip", "none": all that it does. Two that say the same do the same.
  std::string describe() const {
    std::string text;
    for (const Entry& e : entries_) text += (text.empty() ? "" : " ") + e.operation->describe();
    return text.empty() ? "none" : text;
  }
  /// Errors: UsageError (an operation that cannot work on samples of this shape).
  void check(const Dims& sample) const {
    for (const Entry& e : entries_) e.operation->check(sample);
  }
  /// Where sample `id` is cut out: the centre, moved by the operations.
  Placement place(const Frame& frame, const Key& key, std::uint32_t id) const {
    Placement placement = centre(frame);
    for (const Entry& e : entries_)
      if (e.places) {
        Draws draws(key.stream(id), e.first);
        e.operation->place(frame, placement, draws);
      }
    return placement;
  }
  /// What the operations on pixels make of a sample that was cut out, x (1, h, w, c).
  void change(View<float, cpu> x, const Key& key, std::uint32_t id) const {
    for (const Entry& e : entries_)
      if (!e.places) {
        Draws draws(key.stream(id), e.first);
        e.operation->change(x, draws);
      }
  }

 private:
  struct Operation {
    virtual ~Operation() = default;
    virtual std::string describe() const = 0;
    virtual void check(const Dims& sample) const = 0;
    virtual void place(const Frame& frame, Placement& placement, Draws& draws) const = 0;
    virtual void change(View<float, cpu> x, Draws& draws) const = 0;
  };
  template <class Op> struct Held final : Operation {
    explicit Held(Op operation) : op(std::move(operation)) {}
    std::string describe() const override { return detail::operation_text(op); }
    void check([[maybe_unused]] const Dims& sample) const override {
      if constexpr (requires { op.check(sample); }) op.check(sample);
    }
    void place([[maybe_unused]] const Frame& frame, [[maybe_unused]] Placement& placement,
               [[maybe_unused]] Draws& draws) const override {
      if constexpr (detail::PlacesSample<Op>) op.place(frame, placement, draws);
    }
    void change([[maybe_unused]] View<float, cpu> x, [[maybe_unused]] Draws& draws) const override {
      if constexpr (!detail::PlacesSample<Op>) op(x, draws);
    }
    Op op;
  };
  struct Entry {
    std::shared_ptr<const Operation> operation;
    std::string name;
    bool places = false;
    std::uint64_t first = 0;
  };
  std::vector<Entry> entries_;
};

/// A sample's window of a picture in bytes, and what the augmentation makes of it: out (h, w, c) in
/// [0, 1]. `read(needed)` gives a Patch of the picture with the pixels of needed, which is not
/// empty. Errors: those of Augment::check.
template <class Read>
void make_sample(const Frame& frame, const Augment& augment, const Key& key, std::uint32_t id,
                 const Read& read, float* out) {
  augment.check(frame.sample);
  const Placement placement = augment.place(frame, key, id);
  const auto within_mirrors = [](long first, long count, long n) {
    return first > -n && first + count < 2 * n;
  };
  require(!placement.reflect || (within_mirrors(placement.top, frame.sample.h, frame.h) &&
                                 within_mirrors(placement.left, frame.sample.w, frame.w)),
          [&] {
            return "Augment: expected a window within the picture of " + std::to_string(frame.h) +
                   " x " + std::to_string(frame.w) + " and its mirror images, found " +
                   frame.sample.text() + " at (" + std::to_string(placement.top) + ", " +
                   std::to_string(placement.left) + ")";
          });
  Patch patch = needed(frame, placement);
  if (patch.h > 0 && patch.w > 0) patch = read(patch);
  cut(patch, frame, placement, out);
  augment.change({out, 1, frame.sample, frame.sample.c}, key, id);
}

}  // namespace rnx::inline RNX_ISA::data

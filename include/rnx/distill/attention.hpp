// Attention transfer between pairs of layers.
#pragma once

#include <map>
#include <mutex>

#include "rnx/distill/maps.hpp"
#include "rnx/loss/cpu.hpp"

namespace rnx::inline RNX_ISA::distill {

/// A layer of the student and the layer of the teacher that it follows, by path.
struct AttentionPair {
  std::string student, teacher;
};

/// What is compared of two activations.
enum class Compared {
  attention,   ///< their attention maps, by the mean square
  activations  ///< all of their values, by the L2 norm: paper 000 (RLNet), eq. 4, as printed
};

/// Where the two maps of a pair differ in size: to the smaller one per axis (size 0), or both to
/// size x size. `average` to the smaller is the reference's rule; `bilinear` takes any size from
/// any size, RNAS-CL's way. Compared::activations takes pairs of one shape alone.
struct AttentionOptions {
  Resize resize = Resize::average;
  int size = 0;
  Compared compared = Compared::attention;
};

/// L(n) = sum over pairs of mean over pixels of (Q_s - Q_t)^2, Q = F / max(|F|, 1e-12) for each
/// sample, F(h, w) = sum over c of x^2 (Zagoruyko & Komodakis 2017, as in their published code;
/// RLNet's third stage sums four stages, with a weight of 1000); Compared::activations: sum over
/// pairs of |s / |s| - t / |t||, s and t the activations as one row. A per-sample loss: see
/// loss/call.hpp. `teacher`: a trace that keeps the maps (teacher_keep) and holds the whole batch.
/// Throws NameError where a map is not kept, UsageError where it is not a map or lacks a seed that
/// gradients need, StateError where a layer did not run, ShapeError where the teacher's trace has
/// too few samples.
template <class T = float, class Device = default_device> class AttentionTransfer {
 public:
  AttentionTransfer(const Trace<T, Device>& teacher, std::vector<AttentionPair> pairs,
                    AttentionOptions options = {})
      : teacher_(&teacher),
        pairs_(std::move(pairs)),
        options_(options) {
    require<UsageError>(!pairs_.empty() && options_.size >= 0,
                        "attention transfer: it needs a pair of layers and no negative size");
  }
  /// For TraceOptions::keep of the two traces. The student's maps take seeds.
  static std::vector<Keep> student_keep(const std::vector<AttentionPair>& pairs,
                                        Compared compared = Compared::attention) {
    std::vector<Keep> k;
    for (const auto& p : pairs) k.push_back(rule(Keep::at(p.student).seeded(), compared));
    return k;
  }
  static std::vector<Keep> teacher_keep(const std::vector<AttentionPair>& pairs,
                                        Compared compared = Compared::attention) {
    std::vector<Keep> k;
    for (const auto& p : pairs) k.push_back(rule(Keep::at(p.teacher), compared));
    return k;
  }

  void operator()(Trace<T, Device>& trace, const loss::Call<T>& call) const {
    loss::no_logits_part(trace, call);
    const int n = trace.n();
    const Stream stream{trace.context().stream};
    require<ShapeError>(call.first >= 0 && call.first + n <= teacher_->n(), [&] {
      return "attention transfer: the teacher's trace holds " + std::to_string(teacher_->n()) +
             " samples, the student's samples " + std::to_string(call.first) + " to " +
             std::to_string(call.first + n - 1);
    });
    loss::with_values(trace, call, [&](T* value) {
      if (value) run<Device>(stream, op::fill<T>{std::size_t(n), T(0), value});
      for (const AttentionPair& pair : pairs_) {
        const auto& s = map_of(trace, pair.student);
        Kept<T, Device> t = map_of(*teacher_, pair.teacher);
        t.value = t.value.samples(call.first, n);
        require<UsageError>(s.seed || trace.use() == Use::infer,
                            [&] { return "attention transfer: '" + s.path + "' has no seed"; });
        compare(stream, s, t, call.weight, value, trace.capacity());
      }
    });
  }

 private:
  /// Memory of compare(), for each stream. It grows with the first calls: record a step after one.
  /// Threads that share the loss take turns, and a copy starts without any.
  struct Scratch {
    std::mutex mutex;
    std::map<void*, Buffer<T, Device>> of_stream;
    Scratch() = default;
    Scratch(const Scratch&) {}
    Scratch& operator=(const Scratch&) { return *this; }
  };
  static Keep rule(const Keep& keep, Compared compared) {
    return compared == Compared::attention ? keep.maps() : keep;
  }
  bool whole() const { return options_.compared == Compared::activations; }
  const Kept<T, Device>& map_of(const Trace<T, Device>& trace, const std::string& path) const {
    const auto& kept = trace.activation(path);
    require<StateError>(
        kept.active, [&] { return "attention transfer: '" + path + "' did not run in this pass"; });
    require<UsageError>(whole() || kept.value.dims.c == 1, [&] {
      return "attention transfer: '" + path + "' is not kept as a map; see Keep::maps";
    });
    return kept;
  }
  /// What a pair is compared on, a row per sample. Errors: ShapeError.
  geometry::Map rows_of(const Kept<T, Device>& s, const Kept<T, Device>& t) const {
    const int n = s.value.n, size = options_.size;
    const Dims a = s.value.dims, b = t.value.dims;
    if (!whole())
      return {n, size ? size : std::min(a.h, b.h), size ? size : std::min(a.w, b.w), 1, 1};
    require<ShapeError>(a == b && s.value.dense() && t.value.dense(), [&] {
      return "attention transfer: '" + s.path + "' of " + a.text() + " is compared with '" +
             t.path + "' of " + b.text() + "; whole activations are of one shape";
    });
    return {n, 1, int(a.count()), 1, 1};
  }
  void normalised(Stream stream, const Kept<T, Device>& kept, const geometry::Map& y, T* to,
                  T* norm) const {
    if (!whole()) return normalised_map<T, Device>(stream, kept, y, options_.resize, y.n, to, norm);
    run<Device>(stream, op::normalize_rows<T>{.rows = y.n,
                                              .length = std::size_t(y.w),
                                              .eps = map_eps,
                                              .px = kept.value.data,
                                              .py = to,
                                              .norm = norm});
  }
  void normalised_backward(Stream stream, const Kept<T, Device>& kept, const geometry::Map& y,
                           const T* to, const T* norm, T* dy) const {
    if (!whole())
      return normalised_map_backward<T, Device>(stream, kept, y, options_.resize, y.n, to, norm,
                                                dy);
    const std::size_t length = std::size_t(y.w);
    run<Device>(stream, op::normalize_rows_backward<T>{.rows = y.n,
                                                       .length = length,
                                                       .eps = map_eps,
                                                       .py = to,
                                                       .norm = norm,
                                                       .dy = dy,
                                                       .dx = dy});
    run<Device>(
        stream,
        op::axpy<T>{
            .count = std::size_t(y.n) * length, .alpha = T(1), .x = dy, .y = kept.seed.data});
  }
  void compare(Stream stream, const Kept<T, Device>& s, const Kept<T, Device>& t, double weight,
               T* value, int capacity) const {
    const geometry::Map y = rows_of(s, t);
    const int n = y.n;
    const int length = y.h * y.w;
    const std::size_t all = std::size_t(capacity) * length,
                      room = 3 * all + 2 * std::size_t(capacity);
    const std::lock_guard lock(scratch_.mutex);
    Buffer<T, Device>& memory = scratch_.of_stream[stream.handle];
    if (memory.size() < room) memory = Buffer<T, Device>(room);
    T* qs = memory.data();
    T *qt = qs + all, *dq = qt + all, *norm = dq + all, *own = norm + capacity;
    normalised(stream, s, y, qs, norm);
    normalised(stream, t, y, qt, nullptr);
    const geometry::Map row{n, 1, 1, length, length};
    run<Device>(stream,
                op::row_distance<T>{.s = {row, qs},
                                    .t = {row, qt},
                                    .ds = {row, s.seed ? dq : nullptr},
                                    .value = value ? own : nullptr,
                                    .kind = whole() ? op::Distance::l2 : op::Distance::mean_square,
                                    .weight = weight,
                                    .add = false});
    if (value)
      run<Device>(stream,
                  op::axpy<T>{.count = std::size_t(n), .alpha = T(1), .x = own, .y = value});
    if (s.seed) normalised_backward(stream, s, y, qs, norm, dq);
  }

  const Trace<T, Device>* teacher_;
  std::vector<AttentionPair> pairs_;
  AttentionOptions options_;
  mutable Scratch scratch_;
};

}  // namespace rnx::inline RNX_ISA::distill

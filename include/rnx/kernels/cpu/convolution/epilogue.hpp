// What happens to finished values on their way to memory: scale, accumulation and bias of a
// convolution, then op::Tail. Convolutions call finish() for each register tile; the
// kernel of op::fused walks over values that lie in memory.
#pragma once

#include <cmath>
#include <cstring>
#include <utility>

#include "rnx/kernels/cpu/vector.hpp"
#include "rnx/kernels/op/fused.hpp"

namespace rnx::inline RNX_ISA::host {

/// The h-th part of a vector as doubles, as many as a register holds.
template <int h, class T, int... K>
RNX_ALWAYS_INLINE inline vec<double> part_of(const vec<T>& v, std::integer_sequence<int, K...>) {
  if constexpr (std::is_same_v<T, double>)
    return v;
  else
    return __builtin_convertvector((shuffled<T, (h * int(sizeof...(K)) + K)...>(v, v)),
                                   vec<double>);
}
template <class T> RNX_ALWAYS_INLINE inline void to_double(const vec<T>& v, vec<double>* parts) {
  constexpr auto lanes = std::make_integer_sequence<int, vector_lanes<double>>{};
  parts[0] = part_of<0, T>(v, lanes);
  if constexpr (!std::is_same_v<T, double>) parts[1] = part_of<1, T>(v, lanes);
}

/// ReLU, and op::Tail::mask for values at growing offsets of a map.
template <bool full, class T> struct SampleMask {
  const T* bits;
  long sample;     ///< elements of one
  long first = 0;  ///< offset of the sample that was read last

  /// v, and 0 where by <= 0 (a NaN stays one), and, if `masked`, the mask has its bits; e: the
  /// offset of the first value.
  RNX_ALWAYS_INLINE vec<T> zeroed(bool masked, const vec<T>& v, const vec<T>& by, long e,
                                  int left) {
    constexpr int L = vector_lanes<T>;
    if (!masked) return by <= 0 ? vec<T>{} : v;
    using Bits = decltype(by <= 0);
    if ((unsigned long)(e - first) >= (unsigned long)(sample)) first = e - e % sample;
    const T* at = bits + (e - first);
    const vec<T> mask = full ? load<L>(at) : load_first<L>(at, left);
    return (vec<T>)((Bits)v & ~((by <= 0) & (Bits)mask));
  }
};

/// op::Tail with its factors computed, and memory for the sums of every task.
template <class T> struct FusedTail {
  enum : unsigned {
    moments = 1,
    normalize = 2,
    normalized = 4,
    add = 8,
    added = 16,
    relu = 32,
    relu_backward = 64,
    relu_gradient = 128,
    sums = 256,
    scaled = 512,
    masked = 1024,
    run_time = 1u << 31
  };

  op::Tail<T> tail;
  T* y;
  geometry::Map map;
  unsigned parts = 0;
  int pitch = 0;              ///< channels, padded to whole vectors
  const T* factor = nullptr;  ///< gamma / sqrt(var + eps)
  const T* shift = nullptr;   ///< beta
  double* partial = nullptr;  ///< (task, 2, pitch)
  op::Signs<T> signs{};       ///< of y

  FusedTail(const op::Tail<T>& t, T* to, const geometry::Map& m)
      : tail(t),
        y(to),
        map(m),
        pitch(int(round_up(m.c, vector_lanes<T>))) {
    const std::pair<bool, unsigned> wanted[] = {{t.mean_out, moments},
                                                {t.normalize, normalize},
                                                {t.normalized, normalized},
                                                {t.addend, add},
                                                {t.added, added},
                                                {t.relu, relu},
                                                {t.relu_output, relu_backward},
                                                {t.relu_gradient, relu_gradient},
                                                {t.sums, sums},
                                                {t.scaled, scaled},
                                                {t.mask, masked}};
    for (const auto& [is, part] : wanted)
      if (is) parts |= part;
    if (!(parts & (normalize | scaled))) return;
    T* f = scratch<T>(slot_channels, 2 * std::size_t(pitch));
    for (int i = 0; i < m.c; ++i) {
      f[i] = T((t.gamma ? double(t.gamma[i]) : 1.0) / std::sqrt(double(t.var[i]) + double(t.eps)));
      f[pitch + i] = t.beta ? t.beta[i] : T(0);
    }
    factor = f;
    shift = f + pitch;
  }
  /// Padded positions are +1, and nothing is NaN so far.
  void begin_signs() const {
    if (signs.bits)
      std::memset(signs.bits, 0, signs.to.n * signs.to.sample_words() * sizeof(std::uint32_t));
  }
  bool sums_up() const { return parts & (moments | sums); }
  /// Memory for the sums of `tasks` tasks. Their number must not depend on threads.
  void begin(long tasks) {
    if (sums_up()) partial = scratch<double>(slot_partial, std::size_t(tasks) * 2 * pitch);
  }
  /// A task's two rows of sums, zeroed.
  double* task_sums(long task) const {
    if (!partial) return nullptr;
    double* rows = partial + task * 2 * pitch;
    for (int i = 0; i < 2 * pitch; ++i) rows[i] = 0;
    return rows;
  }
  /// Adds the tasks' sums in their order.
  void end(long tasks) const {
    if (!partial) return;
    const double count = double(map.rows());
    for (int i = 0; i < map.c; ++i) {
      double first = 0, second = 0;
      for (long t = 0; t < tasks; ++t) {
        first += partial[t * 2 * pitch + i];
        second += partial[(t * 2 + 1) * pitch + i];
      }
      if (tail.mean_out) {
        const double mean = first / count;
        tail.mean_out[i] = T(mean);
        tail.var_out[i] = T(larger(second / count - mean * mean, 0.0));  // a NaN stays one
      } else {
        tail.sums[i] = T(first);
        tail.sums[map.c + i] = T(second / std::sqrt(double(tail.var[i]) + double(tail.eps)));
      }
    }
  }

  /// One vector of channels from `channel` on, `left` of them active, of `count` pixels: values
  /// from + p step, memory offsets at(p). known: the parts, or run_time. What is stored raw has
  /// been (finish).
  template <unsigned known, bool full, class Offset>
  RNX_ALWAYS_INLINE void apply(const T* from, long step, int count, int channel, int left,
                               double* task_sums, Offset at) const {
    constexpr int L = vector_lanes<T>, D = vector_lanes<double>, halves = L / D;
    const unsigned has = known == run_time ? parts : known;
    const auto get = [&](const T* p)
                         RNX_ALWAYS_INLINE { return full ? load<L>(p) : load_first<L>(p, left); };
    const auto put = [&](T* p, const vec<T>& v)
                         RNX_ALWAYS_INLINE { full ? host::store(p, v) : store_first(p, v, left); };
    vec<T> f = {}, m = {}, b = {};
    if (has & (normalize | scaled)) f = get(factor + channel);
    if (has & normalize) {
      m = get(tail.mean + channel);
      b = get(shift + channel);
    }
    vec<double, D> first[halves] = {}, second[halves] = {}, centre[halves] = {};
    if (has & (moments | sums))
#pragma GCC unroll 2
      for (int h = 0; h < halves; ++h)
        first[h] = load<D>(task_sums + channel + h * D),
        second[h] = load<D>(task_sums + pitch + channel + h * D);
    if (has & sums) to_double<T>(get(tail.mean + channel), centre);
    SampleMask<full, T> mask{.bits = tail.mask, .sample = long(map.sample())};
    for (int p = 0; p < count; ++p) {
      vec<T> v = get(from + p * step);
      const long e = at(p);
      if (has & moments) {
        vec<double> d[halves];
        to_double<T>(v, d);
#pragma GCC unroll 2
        for (int h = 0; h < halves; ++h) {
          first[h] += d[h];
          second[h] += d[h] * d[h];
        }
      }
      if (has & normalize) v = normalized_value<T>(v, m, f, b);
      if (has & normalized) put(tail.normalized + e, v);
      if (has & add) v = v + get(tail.addend + e);
      if (has & added) put(tail.added + e, v);
      if (has & relu) v = mask.zeroed(has & masked, v, v, e, left);
      if (has & relu_backward) v = mask.zeroed(has & masked, v, get(tail.relu_output + e), e, left);
      if (has & relu_gradient) put(tail.relu_gradient + e, v);
      if (has & sums) {
        vec<double> d[halves], x[halves];
        to_double<T>(v, d), to_double<T>(get(tail.x + e), x);
#pragma GCC unroll 2
        for (int h = 0; h < halves; ++h) {
          first[h] += d[h];
          second[h] += d[h] * (x[h] - centre[h]);
        }
      }
      if (has & scaled) v = f * v;
      put(y + e, v);
    }
    if (has & (moments | sums))
#pragma GCC unroll 2
      for (int h = 0; h < halves; ++h)
        host::store(task_sums + channel + h * D, first[h]),
            host::store(task_sums + pitch + channel + h * D, second[h]);
  }
};

template <unsigned parts> constexpr std::integral_constant<unsigned, parts> constant_part{};

/// The tails behind convolutions that are compiled for themselves, so that they test nothing for
/// each vector, without `masked`.
template <class T> struct UsualTails {
  using C = FusedTail<T>;
  static constexpr unsigned training = C::moments, evaluation = C::normalize | C::relu,
                            evaluation_add = C::normalize | C::add | C::relu,
                            training_backward = C::relu_backward | C::sums,
                            training_backward_add = C::add | training_backward,
                            attack_backward = C::relu_backward | C::scaled,
                            attack_backward_add = C::add | C::relu_gradient | attack_backward;
};

/// f(parts as a constant) for the usual tails, all with `mask` (FusedTail::masked) or 0; false for
/// others.
template <class T, unsigned mask, class F>
RNX_ALWAYS_INLINE inline bool with_usual_parts(unsigned parts, F& f) {
  using U = UsualTails<T>;
  switch (parts) {
    case U::evaluation | mask: return f(constant_part<U::evaluation | mask>), true;
    case U::evaluation_add | mask: return f(constant_part<U::evaluation_add | mask>), true;
    case U::training_backward | mask: return f(constant_part<U::training_backward | mask>), true;
    case U::training_backward_add | mask:
      return f(constant_part<U::training_backward_add | mask>), true;
    case U::attack_backward | mask: return f(constant_part<U::attack_backward | mask>), true;
    case U::attack_backward_add | mask:
      return f(constant_part<U::attack_backward_add | mask>), true;
    default: return false;
  }
}
/// f(parts as a constant) for the usual tails; run_time for others.
template <class T, class F> RNX_ALWAYS_INLINE inline void with_parts(unsigned parts, F&& f) {
  using C = FusedTail<T>;
  using U = UsualTails<T>;
  if (parts == U::training) return f(constant_part<U::training>);
  if (!(parts & C::masked ? with_usual_parts<T, C::masked>(parts, f)
                          : with_usual_parts<T, 0>(parts, f)))
    f(constant_part<C::run_time>);
}

/// What happens to a convolution's sum: [accumulate +] scale sum [+ bias], product and additions
/// rounded one by one, then the tail.
template <class T> struct Epilogue {
  const T* bias = nullptr;
  const T* scale = nullptr;
  bool accumulate = false;
  const FusedTail<T>* fused = nullptr;
  int group = 0;                ///< first channel of the group
  double* task_sums = nullptr;  ///< the task's sums

  Epilogue of(long task) const {
    Epilogue e = *this;
    if (fused) e.task_sums = fused->task_sums(task);
    return e;
  }
  Epilogue of_group(int first_channel) const {
    Epilogue e = *this;
    e.group = first_channel;
    if (bias) e.bias += first_channel;
    if (scale) e.scale += first_channel;
    return e;
  }
  /// Whether sums are stored as they are.
  bool plain() const { return !scale && !accumulate && !bias && !fused; }
  /// Where `accumulate` finds what it adds to, for an output at y.
  const T* before(const T* y) const {
    return fused && fused->tail.raw ? fused->tail.raw + (y - fused->y) : y;
  }

  /// Channels [at, at + count) of one pixel, without the tail.
  template <class V> RNX_ALWAYS_INLINE V sum(const T* y, V v, int at, int count) const {
    constexpr int N = int(sizeof(V) / sizeof(T));
    if (scale) {
      v = v * load_first<N>(scale + at, count);
      rounded(v);
    }
    if (accumulate) v = load_first<N>(before(y) + at, count) + v;
    if (bias) v = v + load_first<N>(bias + at, count);
    return v;
  }
  template <class V> RNX_ALWAYS_INLINE void store(T* y, V v, int at, int count) const {
    store_first(y + at, sum(y, v, at, count), count);
  }
};

/// Sums (pixel, vectors) of `count` pixels through the epilogue; they are overwritten. One for all
/// tiles: there are many parts to compile.
template <class T>
[[gnu::noinline]] void finish(T* sums, int vectors, T* const* y, int count, int at, int out,
                              const Epilogue<T>& epilogue) {
  constexpr int L = vector_lanes<T>;
  if (!epilogue.fused || epilogue.scale || epilogue.accumulate || epilogue.bias)
    for (int p = 0; p < count; ++p)
      for (int v = 0; v < vectors; ++v) {
        T* from = sums + (p * vectors + v) * L;
        const int channel = at + v * L;
        const vec<T> value = epilogue.sum(y[p], load<L>(from), channel, out - channel);
        if (epilogue.fused)
          store(from, value);
        else
          store_first(y[p] + channel, value, out - channel);
      }
  if (!epilogue.fused) return;
  const FusedTail<T>& fused = *epilogue.fused;
  for (int v = 0; v < vectors; ++v) {
    const int channel = at + v * L, left = out - channel;
    const auto offset = [&](int p) RNX_ALWAYS_INLINE { return y[p] - fused.y + channel; };
    if (T* const raw = fused.tail.raw)  // apart from the parts, which are compiled for each set
      for (int p = 0; p < count; ++p)
        store_first(raw + offset(p), load<L>(sums + (p * vectors + v) * L), left);
    const auto whole = [&](auto known) RNX_ALWAYS_INLINE {
      fused.template apply<decltype(known)::value, true>(sums + v * L, vectors * L, count,
                                                         epilogue.group + channel, L,
                                                         epilogue.task_sums, offset);
    };
    if (left >= L)
      with_parts<T>(fused.parts, whole);
    else if (left > 0)
      fused.template apply<FusedTail<T>::run_time, false>(sums + v * L, vectors * L, count,
                                                          epilogue.group + channel, left,
                                                          epilogue.task_sums, offset);
  }
}
/// Apart from the tiles, so that their registers stay free for sums.
template <int V, class T>
void finish(T* sums, T* const* y, int count, int at, int out, const Epilogue<T>& epilogue) {
  finish(sums, V, y, count, at, out, epilogue);
}

}  // namespace rnx::inline RNX_ISA::host

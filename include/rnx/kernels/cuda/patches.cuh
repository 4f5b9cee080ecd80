// A convolution as matrix products: row (n, h, w) of the matrix holds the values under the kernel
// at that position, (kh, kw, i), zeros beyond the border. Where the map is such a matrix already
// (linear layers, 1x1 kernels) nothing is copied; else patches are, a chunk of samples at a time.
#pragma once

#include "rnx/kernels/cuda/execute.cuh"

namespace rnx::inline RNX_ABI::gpu {

RNX_SHARED int padded(int channels) {
  return (channels + geometry::lanes - 1) / geometry::lanes * geometry::lanes;
}

/// Tap t of position p reads at (p * multiple + first + t) / divide, where that is a place of the
/// map: a convolution has divide 1, its input gradient multiple 1.
struct Reach {
  int multiple, divide, first;
  /// -1: nowhere
  RNX_SHARED int at(int position, int tap, int size) const {
    const int place = position * multiple + first + tap;
    if (place < 0 || place % divide != 0 || place / divide >= size) return -1;
    return place / divide;
  }
};

/// What is read, from where, for one group of channels.
template <class T> struct Patches {
  const T* from;  ///< at the group's first channel
  geometry::Map map;
  int channels;  ///< of the group
  int h, w;      ///< positions of one sample
  int kh, kw;
  Reach down, across;

  int columns() const { return kh * kw * channels; }
  int rows() const { return h * w; }
  /// Whether the map's own rows are the matrix.
  bool are_the_map() const {
    const bool point = kh == 1 && kw == 1 && h == map.h && w == map.w;
    return (point && in_place(down) && in_place(across)) ||
           (are_all_taps() && map.stride == channels);
  }
  /// Whether one kernel covers the whole map.
  bool are_all_taps() const {
    return h == 1 && w == 1 && kh == map.h && kw == map.w && down.first == 0 && across.first == 0;
  }
  /// Between rows of the map.
  long pitch() const { return rows() == map.h * map.w ? map.stride : long(map.sample()); }

 private:
  static bool in_place(const Reach& r) { return r.multiple == 1 && r.divide == 1 && r.first == 0; }
};

template <class T> Patches<T> forward_patches(const geometry::Conv2d& g, const T* x, int group) {
  return {.from = x + group * g.in(),
          .map = g.x,
          .channels = g.in(),
          .h = g.y.h,
          .w = g.y.w,
          .kh = g.kh,
          .kw = g.kw,
          .down = {g.stride, 1, -g.pad_h},
          .across = {g.stride, 1, -g.pad_w}};
}
/// The taps run as in the backward form of weights: flipped.
template <class T> Patches<T> backward_patches(const geometry::Conv2d& g, const T* dy, int group) {
  return {.from = dy + group * g.out(),
          .map = g.y,
          .channels = g.out(),
          .h = g.x.h,
          .w = g.x.w,
          .kh = g.kh,
          .kw = g.kw,
          .down = {1, g.stride, g.pad_h - g.kh + 1},
          .across = {1, g.stride, g.pad_w - g.kw + 1}};
}

/// Values that one thread moves at once.
template <class T, int Width> struct alignas(Width * sizeof(T)) Together { T v[Width]; };

/// Element e of the patches of samples [first, ...): Width channels of a row of taps. Dense: the
/// map's positions follow each other tap by tap (a division is many instructions).
template <class T, int Width, bool Dense> struct CopyPatches {
  Patches<T> p;
  int first;
  Together<T, Width>* to;
  RNX_HD void operator()(std::size_t e) const {
    const int wide = p.channels / Width;
    const Split channel(e, wide), kh(channel.quotient, p.kh), w(kh.quotient, p.w),
        h(w.quotient, p.h);
    const int from_h = place(p.down, int(h.remainder), int(kh.remainder), p.map.h);
    Together<T, Width>* out =
        to + kh.quotient * p.kh * p.kw * wide + kh.remainder * p.kw * wide + channel.remainder;
    const T* row = p.from + offset(p.map, first + h.quotient, from_h < 0 ? 0 : from_h, 0,
                                   int(channel.remainder) * Width);
    for (int kw = 0; kw < p.kw; ++kw) {
      const int from_w = from_h < 0 ? -1 : place(p.across, int(w.remainder), kw, p.map.w);
      if (from_w < 0)
        out[kw * wide] = {};
      else
        out[kw * wide] =
            *reinterpret_cast<const Together<T, Width>*>(row + std::size_t(from_w) * p.map.stride);
    }
  }

 private:
  RNX_SHARED int place(const Reach& reach, int position, int tap, int size) const {
    if (!Dense) return reach.at(position, tap, size);
    const int at = position * reach.multiple + reach.first + tap;
    return at < 0 || at >= size ? -1 : at;
  }
};

template <int Width, bool Dense, class T, class E>
void copy_patches_by(const E& on, const Patches<T>& p, int first, int samples, T* to) {
  const std::size_t threads = std::size_t(samples) * p.rows() * p.kh * (p.channels / Width);
  on.each(threads,
          CopyPatches<T, Width, Dense>{p, first, reinterpret_cast<Together<T, Width>*>(to)});
}
template <class T, class E>
void copy_patches(const E& on, const Patches<T>& p, int first, int samples, T* to) {
  constexpr int wide = 4;
  const bool aligned = p.channels % wide == 0 && p.map.stride % wide == 0 &&
                       reinterpret_cast<std::uintptr_t>(p.from) % (wide * sizeof(T)) == 0,
             dense = p.down.divide == 1;
  if (aligned)
    dense ? copy_patches_by<wide, true>(on, p, first, samples, to)
          : copy_patches_by<wide, false>(on, p, first, samples, to);
  else
    dense ? copy_patches_by<1, true>(on, p, first, samples, to)
          : copy_patches_by<1, false>(on, p, first, samples, to);
}

/// Samples whose patches are in memory at once: few enough to stay in a large cache.
template <class T> int patch_samples(const Patches<T>& p) {
  constexpr std::size_t most = std::size_t(1) << 23;
  const std::size_t sample = std::size_t(p.rows()) * p.columns();
  return int(clamped(most / larger(sample, std::size_t(1)), std::size_t(1), std::size_t(1) << 20));
}

/// use(first, samples, rows, pitch) for chunks of `chunk` samples.
template <class T, class E, class Use>
void for_patches(const E& on, const Patches<T>& p, int chunk, const Use& use) {
  const int n = p.map.n;
  if (p.are_the_map()) return use(0, n, p.from, p.pitch());
  chunk = smaller(chunk, n);
  const Scratch<T, E> memory(on, std::size_t(chunk) * p.rows() * p.columns());
  for (int first = 0; first < n; first += chunk) {
    const int samples = smaller(chunk, n - first);
    copy_patches(on, p, first, samples, memory.data());
    use(first, samples, static_cast<const T*>(memory.data()), long(p.columns()));
  }
}

}  // namespace rnx::inline RNX_ABI::gpu

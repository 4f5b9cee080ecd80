// The Square attack on one row, computed in double.
#pragma once

#include "rnx/attack/auto_pgd_row.hpp"
#include "rnx/attack/square_op.hpp"

namespace rnx::inline RNX_ISA {

namespace rows {

/// Random numbers of a query: of the batch, and of one sample.
struct SquareRandom {
  rng::Stream shared, own;
  RNX_HD SquareRandom(const op::SquareDraws& d, const StepValues* values, std::uint64_t sample)
      : shared(seed(d, values), Purpose::attack, draw(d, values), (std::uint64_t(1) << 63) - 1),
        own(seed(d, values), Purpose::attack, draw(d, values), d.first_sample + sample) {}
  /// -1 or 1 (0 with probability 2^-32, as in the published code)
  RNX_HD static double sign(const rng::Stream& s, std::uint64_t index) {
    return op::direction(2 * s.uniform(index) - 1);
  }
  /// A place of the batch in [0, most); 0 where most is 0.
  RNX_HD int place(int most, std::uint64_t index) const {
    return int(most * shared.uniform(index));
  }
  RNX_HD bool transposed(std::uint64_t index) const { return shared.uniform(index) > 0.5; }

 private:
  RNX_HD static std::uint64_t seed(const op::SquareDraws& d, const StepValues* v) {
    return (v ? v->seed : 0) + d.seed;
  }
  RNX_HD static std::uint64_t draw(const op::SquareDraws& d, const StepValues* v) {
    return (v ? v->draw : 0) + d.draw;
  }
};

/// A square of pixels.
struct Square {
  int row, column, size;
  RNX_HD bool holds(int i, int j) const {
    return i >= row && i < row + size && j >= column && j < column + size;
  }
};

/// to += clean, projected onto the ball: to held a perturbation (L2: scaled to length eps).
template <class T>
RNX_HD void place_in_ball(op::Norm kind, std::size_t count, const T* clean, T* to, double eps) {
  const auto y = [&](std::size_t i) { return double(to[i]); };
  if (kind == op::Norm::l2) {
    const double length = norm(kind, count, y) + 1e-12;
    for (std::size_t i = 0; i < count; ++i)
      to[i] = T(within(clean[i] + to[i] / length * eps, 0, 1));
    return;
  }
  const double shrink = l1_shrink(
      count, [&](std::size_t i) { return double(clean[i]); }, y, eps * (1 - 1e-6));
  for (std::size_t i = 0; i < count; ++i)
    to[i] = T(within(clean[i] + l1_shrunk(clean[i], to[i], shrink), 0, 1));
}

}  // namespace rows

template <class T> struct row<op::square_start<T>> {
  op::square_start<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const int h = a.clean.h, w = a.clean.w, c = a.clean.c, s = a.size;
    const std::size_t count = op::features(a.clean);
    const rows::SquareRandom random(a.draws, a.values, geometry::sample_of(a.samples, n));
    const T* x = a.clean.data + n * count;
    T* to = a.to.data + n * count;
    const double eps = a.values ? a.values->eps : 0;
    if (a.norm == op::Norm::linf) {
      for (std::size_t i = 0; i < count; ++i) {
        const int channel = int(i % c), column = int(i / c % w);
        const double sign = random.sign(random.own, std::uint64_t(channel) * w + column);
        to[i] = T(rows::within(x[i] + eps * sign, 0, 1));
      }
      return;
    }
    const int down = h / s, across = w / s, border = (h - 5 * s) / 2;
    for (int i = 0; i < h; ++i)
      for (int j = 0; j < w; ++j) {
        const int at_i = i - border, at_j = j - border;
        const bool inside = at_i >= 0 && at_j >= 0 && at_i / s < down && at_j / s < across;
        const int tile = inside ? at_i / s * across + at_j / s : 0;
        const bool transposed = inside && random.transposed(16 + std::uint64_t(tile));
        for (int k = 0; k < c; ++k) {
          double v = 0;
          if (inside)
            v = random.sign(random.own, std::uint64_t(tile) * c + k) *
                (transposed ? a.pattern[at_j % s * s + at_i % s]
                            : a.pattern[at_i % s * s + at_j % s]);
          to[(std::size_t(i) * w + j) * c + k] = T(v);
        }
      }
    rows::place_in_ball(a.norm, count, x, to, eps);
  }
};

template <class T> struct row<op::square_propose<T>> {
  op::square_propose<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const std::size_t count = op::features(a.clean);
    const std::size_t at = geometry::sample_of(a.packed, n) * count;
    const T* best = a.best.data + at;
    T* to = a.to.data + n * count;
    rows::copy(best, to, count);
    const int h = a.clean.h, w = a.clean.w, s = a.size;
    const rows::SquareRandom random(a.draws, a.values, geometry::sample_of(a.samples, n));
    const T* x = a.clean.data + at;
    const double eps = a.values ? a.values->eps : 0;
    const rows::Square first{random.place(h - s, 0), random.place(w - s, 1), s};
    if (a.norm == op::Norm::linf) return added(random, first, x, to, eps);
    const rows::Square second{random.place(h - s, 2), random.place(w - s, 3), s};
    for (std::size_t i = 0; i < count; ++i) to[i] = T(double(best[i]) - x[i]);
    const double length = rows::norm(a.norm, count, [&](std::size_t i) { return double(to[i]); });
    for (int k = 0; k < a.clean.c; ++k) moved(random, first, second, k, to, eps, length);
    rows::place_in_ball(a.norm, count, x, to, eps);
  }

 private:
  RNX_HD std::size_t index(int i, int j, int k) const {
    return (std::size_t(i) * a.clean.w + j) * a.clean.c + k;
  }
  RNX_HD void added(const rows::SquareRandom& random, const rows::Square& at, const T* x, T* to,
                    double eps) const {
    for (int k = 0; k < a.clean.c; ++k) {
      const double by = 2 * eps * random.sign(random.shared, 8 + std::uint64_t(k));
      for (int i = at.row; i < at.row + at.size; ++i)
        for (int j = at.column; j < at.column + at.size; ++j) {
          const std::size_t e = index(i, j, k);
          to[e] = T(rows::within(rows::within(to[e] + by, x[e] - eps, x[e] + eps), 0, 1));
        }
    }
  }
  /// Channel k of the perturbation `to`, whose length in all channels is given.
  RNX_HD void moved(const rows::SquareRandom& random, const rows::Square& first,
                    const rows::Square& second, int k, T* to, double eps, double length) const {
    const bool l2 = a.norm == op::Norm::l2, transposed = random.transposed(4);
    const int s = first.size, c = a.clean.c;
    const double sign = random.sign(random.own, std::uint64_t(k));
    const auto size = [&](double v) { return l2 ? v * v : std::fabs(v); };
    double in_first = 0, in_both = 0;
    for (int i = 0; i < a.clean.h; ++i)
      for (int j = 0; j < a.clean.w; ++j) {
        const bool here = first.holds(i, j);
        if (!here && !second.holds(i, j)) continue;
        const double v = size(to[index(i, j, k)]);
        in_both += v;
        if (here) in_first += v;
      }
    if (l2) in_first = std::sqrt(in_first);
    const auto fresh = [&](int i, int j) {  // of the first square
      const double p = transposed ? a.pattern[j * s + i] : a.pattern[i * s + j];
      return p * sign + to[index(first.row + i, first.column + j, k)] / (1e-12 + in_first);
    };
    double sum = 0;
    for (int i = 0; i < s; ++i)
      for (int j = 0; j < s; ++j) sum += size(fresh(i, j));
    const double left = l2 ? eps * eps - length * length : eps - length;
    const double budget = (left > 0 ? left : 0) / c + in_both;
    const double factor =
        l2 ? std::sqrt(budget) / (1e-12 + std::sqrt(sum)) : budget * c / (1e-12 + sum);
    for (int i = 0; i < s; ++i)
      for (int j = 0; j < s; ++j)
        to[index(first.row + i, first.column + j, k)] = T(factor * fresh(i, j));
    for (int i = second.row; i < second.row + s; ++i)
      for (int j = second.column; j < second.column + s; ++j)
        if (!first.holds(i, j)) to[index(i, j, k)] = 0;
  }
};

template <class T> struct row<op::square_accept<T>> {
  op::square_accept<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const std::size_t count = op::features(a.best), at = geometry::sample_of(a.packed, n);
    const T margin = -a.loss[n], before = a.margin[at];
    if (!a.begin) {
      if (!(margin < before || margin <= 0 || margin != margin)) return;
      rows::copy(a.proposal.data + n * count, a.best.data + at * count, count);
    }
    a.margin[at] = margin;
  }
};

}  // namespace rnx::inline RNX_ISA

// What attacks compute of one row in double, for every device: selections and projections that need
// neither a sorted copy nor memory of their own.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "rnx/attack/op.hpp"

namespace rnx::inline RNX_ISA::rows {

/// Sums that stand beside each other, which compilers keep in a vector.
inline constexpr int lanes = 8;
/// f(i, lane) for each i below count: neighbours in other lanes.
template <class F> RNX_HD void in_lanes(std::size_t count, const F& f) {
  const std::size_t whole = count / lanes * lanes;
  for (std::size_t i = 0; i < whole; i += lanes)
    for (int lane = 0; lane < lanes; ++lane) f(i + std::size_t(lane), lane);
  for (std::size_t rest = count - whole; rest > 0; --rest) f(count - rest, 0);
}

/// |v|, largest or summed, over the row.
template <class V> RNX_HD double norm(op::Norm kind, std::size_t count, const V& v) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double d = std::fabs(double(v(i)));
    if (kind == op::Norm::linf)
      sum = d > sum || d != d ? d : sum;
    else
      sum += kind == op::Norm::l2 ? d * d : d;
  }
  return kind == op::Norm::l2 ? std::sqrt(sum) : sum;
}

/// The value nearest to v in [low, high]; a NaN comes through.
RNX_HD inline double within(double v, double low, double high) {
  return v < low ? low : v > high ? high : v;
}

/// How far a pixel of x can move in the direction of d and stay in [0, 1].
RNX_HD inline double room(double x, double d) { return d > 0 ? 1 - x : x; }

/// The pixels of l1_shrink, counted beside each other. A pixel shrinks between two corners: from
/// where its room ends, to its size.
template <class X, class Y> struct L1Pixels {
  std::size_t count;
  const X& x;
  const Y& y;

  // both comparisons are made: no branch stands in the way of vectors
  RNX_HD static bool inside(double low, double v, double high) { return (v > low) & (v < high); }
  RNX_HD static double one(bool yes) { return yes ? 1 : 0; }

  /// The length that is left at `middle`, and its slope to the right; corners inside (low, middle)
  /// and (middle, high).
  struct Cut {
    double length = 0, slope = 0, below = 0, above = 0;
  };
  RNX_HD Cut cut(double low, double middle, double high) const {
    double length[lanes] = {}, slope[lanes] = {}, below[lanes] = {}, above[lanes] = {};
    in_lanes(count, [&](std::size_t i, int lane) {
      const double d = y(i), size = std::fabs(d), full = room(x(i), d), first = size - full;
      const double left = size - middle, shown = left < full ? left : full;
      length[lane] += left > 0 ? shown : 0.;
      slope[lane] += one((first <= middle) & (size > middle));
      below[lane] += one(inside(low, first, middle)) + one(inside(low, size, middle));
      above[lane] += one(inside(middle, first, high)) + one(inside(middle, size, high));
    });
    Cut c;
    for (int lane = 0; lane < lanes; ++lane) {
      c.length += length[lane];
      c.slope += slope[lane];
      c.below += below[lane];
      c.above += above[lane];
    }
    return c;
  }
  RNX_HD double mean_corner(double low, double high, double corners) const {
    double sums[lanes] = {};
    in_lanes(count, [&](std::size_t i, int lane) {
      const double d = y(i), size = std::fabs(d), first = size - room(x(i), d);
      sums[lane] += (inside(low, first, high) ? first : 0.) + (inside(low, size, high) ? size : 0.);
    });
    double sum = 0;
    for (const double s : sums) sum += s;
    return sum / corners;
  }
};

/// The projection of y onto the ball of radius eps in L1 intersected with the box [-x, 1 - x] has
///   z(i) = sign(y(i)) min(max(|y(i)| - shrink, 0), room(x(i), y(i)))
/// with the smallest shrink >= 0 for which its length is at most eps (Duchi et al. 2008, with a
/// box: Croce & Hein 2021, section 3.2). Returns that shrink.
///
/// The length falls piecewise linearly in it. The interval that holds the solution is cut where the
/// piece at its lower end would solve it, or at the mean of the corners inside it, until there is
/// none; the piece that is left gives the same shrink whatever the cuts were, so that lengths on
/// the way may be summed in any order.
template <class X, class Y>
RNX_HD double l1_shrink(std::size_t count, const X& x, const Y& y, double eps) {
  const L1Pixels<X, Y> pixels{count, x, y};
  double low = 0, high = norm(op::Norm::linf, count, y);
  auto at = pixels.cut(0, 0, high);
  if (!(at.length > eps)) return at.length != at.length ? at.length : 0;
  if (!(eps > 0)) return high;
  double length = at.length;
  double slope = at.slope, corners = at.above;
  for (int k = 0; k < 2100 && corners > 0; ++k) {
    // a little beyond, so that rounding does not leave the solution on the other side
    const double solved = low + (length - eps) / slope * (1 + 1e-9);
    const double middle = k % 4 == 3                      ? (low + high) / 2
                          : solved > low && solved < high ? solved
                                                          : pixels.mean_corner(low, high, corners);
    if (!(middle > low && middle < high)) break;
    at = pixels.cut(low, middle, high);
    if (at.length > eps) {
      low = middle;
      length = at.length;
      slope = at.slope;
      corners = at.above;
    } else {
      high = middle;
      corners = at.below;
    }
  }
  double shrinking = 0, whole = 0;  // coordinates that shrink in the piece; all that it adds up
  for (std::size_t i = 0; i < count; ++i) {
    const double d = y(i), size = std::fabs(d), full = room(x(i), d), first = size - full;
    const bool shrinks = first <= low && size >= high;
    shrinking += shrinks;
    whole += shrinks ? size : first >= high ? full : 0;
  }
  return shrinking > 0 ? within((whole - eps) / shrinking, low, high) : high;
}
/// z(i) of l1_shrink.
RNX_HD inline double l1_shrunk(double x, double y, double shrink) {
  const double left = std::fabs(y) - shrink, full = room(x, y);
  if (left != left) return left;
  return op::direction(y) * (left > 0 ? (left < full ? left : full) : 0);
}

/// The largest key t of the row with  sum of weight(i) over key(i) >= t  at least `target`, and the
/// sum over key(i) > t. Keys are not negative; a NaN is larger than every number. Where the whole
/// row weighs less than the target, t is 0.
template <class T> struct Selected {
  T key;
  double above;
};
template <class T, class Key, class Weight>
RNX_HD Selected<T> select_from_top(std::size_t count, const Key& key, const Weight& weight,
                                   double target) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  const auto bits = [&](std::size_t i) {
    const T v = key(i);
    Bits b;
    __builtin_memcpy(&b, &v, sizeof b);
    return b;
  };
  // four bits a pass: numbers that are not negative are ordered as their bits are
  Bits prefix = 0;
  double above = 0;
  for (int shift = int(8 * sizeof(T)) - 4; shift >= 0; shift -= 4) {
    double sums[16] = {};
    const Bits known = shift + 4 == int(8 * sizeof(T)) ? Bits(0) : ~Bits(0) << (shift + 4);
    for (std::size_t i = 0; i < count; ++i) {
      const Bits b = bits(i);
      if ((b & known) == prefix) sums[(b >> shift) & 15] += weight(i);
    }
    int digit = 15;
    for (; digit > 0 && above + sums[digit] < target; --digit) above += sums[digit];
    prefix |= Bits(digit) << shift;
  }
  T t;
  __builtin_memcpy(&t, &prefix, sizeof t);
  return {t, above};
}

}  // namespace rnx::inline RNX_ISA::rows

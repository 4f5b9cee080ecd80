// What attacks compute of one row in double, for every device: selections and projections that need
// neither a sorted copy nor memory of their own.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "rnx/attack/op.hpp"

namespace rnx::inline RNX_ISA::rows {

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

/// The projection of y onto the ball of radius eps in L1 intersected with the box [-x, 1 - x] has
///   z(i) = sign(y(i)) min(max(|y(i)| - shrink, 0), room(x(i), y(i)))
/// with the smallest shrink >= 0 for which its length is at most eps (Duchi et al. 2008, with a
/// box: Croce & Hein 2021, section 3.2). Returns that shrink.
///
/// The length falls piecewise linearly in it, so the interval that holds the solution is cut at the
/// mean of the corners inside it, until there is none.
template <class X, class Y>
RNX_HD double l1_shrink(std::size_t count, const X& x, const Y& y, double eps) {
  struct Cut {
    double length, corners, mean, slope, top;
  };
  // at `low`: length; inside (low, high): corners and their mean; coordinates that shrink there
  const auto cut = [&](double low, double high) {
    Cut c{0, 0, 0, 0, 0};
    for (std::size_t i = 0; i < count; ++i) {
      const double d = y(i), size = std::fabs(d), full = room(x(i), d), first = size - full;
      if (size > c.top || size != size) c.top = size;
      const double left = size - low;
      c.length += left > 0 ? (left < full ? left : full) : 0;
      if (first > low && first < high) {
        c.corners += 1;
        c.mean += first;
      }
      if (size > low && size < high) {
        c.corners += 1;
        c.mean += size;
      }
      c.slope += first <= low && size >= high;
    }
    c.mean = c.corners > 0 ? c.mean / c.corners : 0;
    return c;
  };
  double low = 0;
  Cut at = cut(0, 0);
  if (!(at.length > eps)) return at.length != at.length ? at.length : 0;
  double high = at.top;
  if (!(eps > 0)) return high;
  at = cut(low, high);
  for (int k = 0; k < 2100 && at.corners > 0; ++k) {
    const double middle = k % 4 == 3 ? (low + high) / 2 : at.mean;
    if (!(middle > low && middle < high)) break;
    const Cut next = cut(middle, high);
    if (next.length > eps) {
      low = middle;
      at = next;
    } else {
      high = middle;
      at = cut(low, high);
    }
  }
  return at.slope > 0 ? within(low + (at.length - eps) / at.slope, low, high) : high;
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

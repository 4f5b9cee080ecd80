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
  // of an interval: corners inside it and their mean; coordinates that shrink in all of it
  struct Part {
    double corners = 0, mean = 0, slope = 0;
    RNX_HD void add(double corner) {
      corners += 1;
      mean += corner;
    }
  };
  struct Cut {
    double length = 0, top = 0;
    Part below, above;
  };
  // the length at `middle`, and the parts (low, middle) and (middle, high)
  const auto cut = [&](double low, double middle, double high) {
    Cut c;
    for (std::size_t i = 0; i < count; ++i) {
      const double d = y(i), size = std::fabs(d), full = room(x(i), d), first = size - full;
      if (size > c.top || size != size) c.top = size;
      const double left = size - middle;
      c.length += left > 0 ? (left < full ? left : full) : 0;
      if (first > low && first < middle) c.below.add(first);
      if (first > middle && first < high) c.above.add(first);
      if (size > low && size < middle) c.below.add(size);
      if (size > middle && size < high) c.above.add(size);
      c.below.slope += first <= low && size >= middle;
      c.above.slope += first <= middle && size >= high;
    }
    if (c.below.corners > 0) c.below.mean /= c.below.corners;
    if (c.above.corners > 0) c.above.mean /= c.above.corners;
    return c;
  };
  double low = 0;
  Cut at = cut(0, 0, 0);
  if (!(at.length > eps)) return at.length != at.length ? at.length : 0;
  double high = at.top, length = at.length;
  if (!(eps > 0)) return high;
  Part part = cut(low, low, high).above;
  for (int k = 0; k < 2100 && part.corners > 0; ++k) {
    const double middle = k % 4 == 3 ? (low + high) / 2 : part.mean;
    if (!(middle > low && middle < high)) break;
    at = cut(low, middle, high);
    if (at.length > eps) {
      low = middle;
      length = at.length;
      part = at.above;
    } else {
      high = middle;
      part = at.below;
    }
  }
  return part.slope > 0 ? within(low + (length - eps) / part.slope, low, high) : high;
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

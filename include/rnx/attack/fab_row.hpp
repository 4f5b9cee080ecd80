// The fast adaptive boundary attack on one row, computed in double.
#pragma once

#include "rnx/attack/auto_pgd_row.hpp"
#include "rnx/attack/fab_op.hpp"

namespace rnx::inline RNX_ISA {

namespace rows {

/// The shortest way from a point t in [0, 1] to the plane { z : w.z = w.t - c } within [0, 1]:
/// where the plane is out of reach, every coordinate goes as far as it helps. Coordinates with a
/// weight of at most 1e-8 rest (Linf: of 0).
///   Linf, L2   |d(i)| = min(s r(i), room(i)), r = 1 or |w(i)|: s solves sum |w(i)| |d(i)| = |c|,
///   which
///              is concave and piecewise linear, so that Newton's steps from 0 come to its solution
///              from below; nothing is sorted
///   L1         the largest weights first, to the border each
template <class T, class Point> struct ToPlane {
  op::Norm norm;
  std::size_t count;
  const T* w;
  Point t;
  double c;
  double scale = 0;  // s, or in L1 the weight at which |c| is used up
  double left = 0;   // L1: of |c| for coordinates of that weight

  RNX_HD ToPlane(op::Norm kind, std::size_t n, const T* weights, const Point& point,
                 double distance)
      : norm(kind),
        count(n),
        w(weights),
        t(point),
        c(distance) {
    if (norm == op::Norm::l1)
      greedy();
    else
      newton();
  }
  RNX_HD bool rests(std::size_t i) const {
    const double size = std::fabs(w[i]);
    return norm == op::Norm::linf ? size == 0 : size <= 1e-8;
  }
  /// against sign(c) w(i)
  RNX_HD double towards(std::size_t i) const { return (c >= 0) == (w[i] > 0) ? -1 : 1; }
  RNX_HD double rate(std::size_t i) const { return norm == op::Norm::linf ? 1 : std::fabs(w[i]); }
  RNX_HD void newton() {
    double reached = -1;
    for (std::size_t k = 0; k <= count + 1; ++k) {
      double full = 0, slope = 0, at_border = 0;
      for (std::size_t i = 0; i < count; ++i) {
        if (rests(i)) continue;
        const double size = std::fabs(w[i]), most = room(t(i), towards(i));
        if (scale * rate(i) >= most) {
          full += size * most;
          at_border += 1;
        } else {
          slope += size * rate(i);
        }
      }
      if (slope == 0) {
        scale = HUGE_VAL;  // the border is all that can be reached
        return;
      }
      if (at_border == reached) return;
      reached = at_border;
      scale = (std::fabs(c) - full) / slope;
    }
  }
  RNX_HD void greedy() {
    const auto weight = [&](std::size_t i) {
      return rests(i) ? 0.0 : std::fabs(double(w[i])) * room(t(i), towards(i));
    };
    const Selected<T> at = select_from_top<T>(
        count, [&](std::size_t i) { return rests(i) ? T(0) : T(std::fabs(w[i])); }, weight,
        std::fabs(c));
    scale = at.key;
    left = std::fabs(c) - at.above;
  }
  /// d(i), asked for in the order of i with one `left` for all.
  RNX_HD double operator()(std::size_t i, double& rest) const {
    if (rests(i)) return 0;
    const double size = std::fabs(double(w[i])), most = room(t(i), towards(i));
    double by = most;
    if (norm != op::Norm::l1) {
      const double free = scale * rate(i);
      by = free < most ? free : most;
    } else if (size < scale) {
      by = 0;
    } else if (size == scale) {
      const double needed = rest / size;
      by = needed < most ? needed : most;
      rest -= by * size;
    }
    return towards(i) * by;
  }
  RNX_HD double length() const {
    double rest = left, sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const double d = std::fabs((*this)(i, rest));
      if (norm == op::Norm::linf)
        sum = d > sum || d != d ? d : sum;
      else
        sum += norm == op::Norm::l2 ? d * d : d;
    }
    return norm == op::Norm::l2 ? std::sqrt(sum) : sum;
  }
};

RNX_HD inline op::Norm dual(op::Norm norm) {
  return norm == op::Norm::linf ? op::Norm::l1 : norm == op::Norm::l1 ? op::Norm::linf : norm;
}

}  // namespace rows

template <class T> struct row<op::fab_begin<T>> {
  op::fab_begin<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const std::size_t count = op::features(a.clean), at = n * count;
    rows::copy(a.clean.data + at, a.adversarial.data + at, count);
    a.state[n * op::fab_columns + op::fab_size] = T(op::fab_nothing);
  }
};

template <class T> struct row<op::fab_nearest<T>> {
  op::fab_nearest<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const std::size_t count = op::features(a.gradient), at = n * count;
    T* s = a.state + n * op::fab_columns;
    if (a.first) s[op::fab_distance] = T(HUGE_VAL);
    if (a.labels && a.labels[geometry::sample_of(a.samples, n)] == a.other) return;
    const T* g = a.gradient.data + at;
    const double length =
        rows::norm(rows::dual(a.norm), count, [&](std::size_t i) { return double(g[i]); });
    const double distance = std::fabs(double(a.difference[n])) / (1e-12 + length);
    if (distance >= s[op::fab_distance]) return;
    s[op::fab_distance] = T(distance);
    s[op::fab_difference] = a.difference[n];
    rows::copy(g, a.plane.data + at, count);
  }
};

template <class T> struct row<op::fab_step<T>> {
  op::fab_step<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const std::size_t count = op::features(a.clean), at = n * count;
    const T* w = a.plane.data + at;
    const T* clean = a.clean.data + at;
    T* x = a.x.data + at;
    const auto here = [&](std::size_t i) { return double(x[i]); };
    const auto there = [&](std::size_t i) { return double(clean[i]); };
    const double difference = a.state[n * op::fab_columns + op::fab_difference];
    double between = 0;  // w.(clean - x)
    for (std::size_t i = 0; i < count; ++i)
      between += double(w[i]) * (double(clean[i]) - double(x[i]));
    using Here = decltype(here);
    using There = decltype(there);
    const rows::ToPlane<T, Here> from_x(a.norm, count, w, here, difference);
    const rows::ToPlane<T, There> from_clean(a.norm, count, w, there, difference + between);
    const double of_x = floored(from_x.length()), of_clean = floored(from_clean.length());
    const double share = of_x / (of_x + of_clean), part = share > a.most ? a.most : share;
    double rest_x = from_x.left, rest_clean = from_clean.left;
    for (std::size_t i = 0; i < count; ++i) {
      const double to_x = x[i] + a.eta * from_x(i, rest_x),
                   to_clean = clean[i] + a.eta * from_clean(i, rest_clean);
      x[i] = T(rows::within(to_x * (1 - part) + to_clean * part, 0, 1));
    }
  }

 private:
  RNX_HD static double floored(double length) { return length < 1e-8 ? 1e-8 : length; }
};

template <class T> struct row<op::fab_keep<T>> {
  op::fab_keep<T> a;

  RNX_HD void operator()(std::size_t n) const {
    if (a.fooled[n] == 0) return;
    const std::size_t count = op::features(a.clean), at = n * count;
    const T* clean = a.clean.data + at;
    T* x = a.x.data + at;
    T* size = a.state + n * op::fab_columns + op::fab_size;
    const double found =
        rows::norm(a.norm, count, [&](std::size_t i) { return double(x[i]) - double(clean[i]); });
    if (!(found >= *size)) {
      *size = T(found);
      rows::copy(x, a.adversarial.data + at, count);
    }
    for (std::size_t i = 0; i < count; ++i)
      x[i] = T(clean[i] + (double(x[i]) - double(clean[i])) * a.beta);
  }
};

}  // namespace rnx::inline RNX_ISA

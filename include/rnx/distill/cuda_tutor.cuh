// The search for tutors on CUDA: layers and tutors are few, maps are long.
#pragma once

#include "rnx/core/rng.hpp"
#include "rnx/distill/formulas.hpp"
#include "rnx/kernels/cuda/reduce.cuh"

namespace rnx::inline RNX_ABI::gpu {

RNX_SHARED double temperature_of(const StepValues* values) {
  return values ? values->temperature : 1;
}

template <class T> struct TutorDraw {
  op::tutor_draw<T> a;
  double* scores;  // (layers, tutors)
  RNX_HD void operator()(std::size_t i) const {
    const StepValues* v = a.values;
    const rng::Stream noise(v ? v->seed : 0, Purpose::gumbel, (v ? v->draw : 0) + a.draw, a.site);
    const std::size_t row = i * a.tutors;
    double* z = scores + row;
    int best = 0;
    for (int j = 0; j < a.tutors; ++j) {
      z[j] = a.one_hot ? double(a.logits[row + j])
                       : (a.logits[row + j] + noise.gumbel(row + j)) / temperature_of(v);
      if (z[best] == z[best] && !(z[j] <= z[best])) best = j;
    }
    const double top = z[best], one = top == top ? 1 : top;
    double sum = 0;
    for (int j = 0; j < a.tutors; ++j)
      sum += z[j] = a.one_hot ? (j == best ? one : 0) : std::exp(z[j] - top);
    for (int j = 0; j < a.tutors; ++j) a.g[row + j] = T(z[j] / sum);
  }
};
template <class T> struct body<op::tutor_draw<T>> {
  template <class E> static void run(const E& on, const op::tutor_draw<T>& a) {
    const Scratch<double, E> scores(on, std::size_t(a.layers) * a.tutors);
    on.each(a.layers, TutorDraw<T>{a, scores.data()});
  }
};
template <class T> struct element<op::tutor_draw_backward<T>> {
  op::tutor_draw_backward<T> a;
  std::size_t count() const { return a.layers; }
  RNX_HD void operator()(std::size_t i) const {
    const T* g = a.g + i * a.tutors;
    const T* dg = a.dg + i * a.tutors;
    double mean = 0;
    for (int j = 0; j < a.tutors; ++j) mean += double(g[j]) * dg[j];
    for (int j = 0; j < a.tutors; ++j)
      a.dlogits[i * a.tutors + j] += T(g[j] * (dg[j] - mean) / temperature_of(a.values));
  }
};

/// A segment for each (row, tutor); maps of tutors without a share are not read.
template <class T> struct TutorDistance {
  static constexpr int terms = 1;
  op::tutor_distance<T> a;
  RNX_SHARED void operator()(std::size_t k, std::size_t p, double* acc) const {
    const Split at(k, a.tutors);
    if (a.g[at.remainder] == T(0)) return;
    const double e = double(a.s[at.quotient * a.length + p]) -
                     double(a.t[(at.remainder * a.rows + at.quotient) * a.length + p]);
    acc[0] += e * e;
  }
  RNX_SHARED void operator()(std::size_t k, const double* sums) const {
    a.d[k] = a.g[Split(k, a.tutors).remainder] == T(0) ? T(0) : T(std::sqrt(sums[0]));
  }
};
template <class T> struct body<op::tutor_distance<T>> {
  template <class E> static void run(const E& on, const op::tutor_distance<T>& a) {
    const TutorDistance<T> f{a};
    sum_segments(on, std::size_t(a.rows) * a.tutors, a.length, false, f, f);
  }
};

template <class T> struct TutorValue {
  op::tutor_value<T> a;
  RNX_HD void operator()(std::size_t r) const {
    const double sum = op::tutor_sum(a, r);
    for (int k = 0; k < a.samples; ++k) a.value[r * a.samples + k] = T(a.scale * sum);
  }
};
template <class T> struct TutorMean {
  op::tutor_value<T> a;
  RNX_HD void operator()(std::size_t) const {
    double sum = 0;
    for (int r = 0; r < a.rows; ++r) sum += a.value[std::size_t(r) * a.samples];
    *a.mean = T(sum / a.rows);
  }
};
template <class T> struct body<op::tutor_value<T>> {
  template <class E> static void run(const E& on, const op::tutor_value<T>& a) {
    on.each(a.rows, TutorValue<T>{a});
    on.each(1, TutorMean<T>{a});
  }
};

/// c(r, j), the factor of s(r, :) - t(j, r, :)
template <class T> struct TutorFactors {
  op::tutor_maps_backward<T> a;
  T* factors;
  RNX_HD void operator()(std::size_t k) const {
    const Split at(k, a.tutors);
    const T d = a.d[k], g = a.g[at.remainder];
    const double joint =
        a.joint ? op::joint_distance(a.g, a.d + at.quotient * a.tutors, a.tutors) : 1;
    factors[k] = d == T(0) || joint == 0
                     ? T(0)
                     : T(a.weight * (a.joint ? double(g) * g / joint : double(g) / d));
  }
};
template <class T> struct TutorMapsBackward {
  op::tutor_maps_backward<T> a;
  const T* factors;
  RNX_HD void operator()(std::size_t e) const {
    const Split at(e, a.length);
    T sum = 0;
    for (int j = 0; j < a.tutors; ++j) {
      const T c = factors[at.quotient * a.tutors + j];
      if (c != T(0))  // a map without a share may hold anything
        sum +=
            c * (a.s[e] - a.t[(std::size_t(j) * a.rows + at.quotient) * a.length + at.remainder]);
    }
    a.ds[e] = sum;
  }
};
template <class T> struct body<op::tutor_maps_backward<T>> {
  template <class E> static void run(const E& on, const op::tutor_maps_backward<T>& a) {
    const std::size_t count = std::size_t(a.rows) * a.tutors;
    const Scratch<T, E> factors(on, count);
    on.each(count, TutorFactors<T>{a, factors.data()});
    on.each(a.rows * a.length, TutorMapsBackward<T>{a, factors.data()});
  }
};
template <class T> struct element<op::tutor_weights_backward<T>> {
  op::tutor_weights_backward<T> a;
  std::size_t count() const { return std::size_t(a.layers) * a.tutors; }
  RNX_HD void operator()(std::size_t k) const {
    const Split at(k, a.tutors);
    const std::size_t j = at.remainder;
    const T* g = a.g + at.quotient * a.tutors;
    double sum = 0;
    for (int r = 0; r < a.rows; ++r) {
      const T* d = a.d + (at.quotient * a.rows + r) * a.tutors;
      const double joint = a.joint ? op::joint_distance(g, d, a.tutors) : 1;
      if (d[j] != T(0) && joint != 0)
        sum += a.joint ? double(g[j]) * d[j] * d[j] / joint : double(d[j]);
    }
    a.dg[k] += T(a.weight * sum);
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

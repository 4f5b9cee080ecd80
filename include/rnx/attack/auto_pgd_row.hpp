// AutoPGD on one row, computed in double.
#pragma once

#include "rnx/attack/auto_pgd_op.hpp"
#include "rnx/attack/row_math.hpp"
#include "rnx/core/rng.hpp"

namespace rnx::inline RNX_ISA {

namespace rows {
template <class T> RNX_HD void copy(const T* from, T* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] = from[i];
}
}  // namespace rows

template <class T> struct row<op::ball_start<T>> {
  op::ball_start<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const std::size_t count = op::features(a.clean);
    const StepValues values = a.values ? *a.values : StepValues{};
    const rng::Stream random(values.seed + a.seed, Purpose::attack, values.draw + a.draw,
                             a.first_sample + geometry::sample_of(a.samples, n));
    const T* x = a.clean.data + n * count;
    T* to = a.adversarial.data + n * count;
    const double radius = a.radius * values.eps;
    const bool linf = a.norm == op::Norm::linf;
    const auto noise = [&](std::size_t i) {
      return linf ? 2 * random.uniform(i) - 1 : random.normal(i);
    };
    if (a.kind == op::BallStart::projected || a.kind == op::BallStart::nearest) {
      if (a.kind == op::BallStart::projected)
        for (std::size_t i = 0; i < count; ++i) to[i] = T(x[i] + noise(i));
      const auto y = [&](std::size_t i) { return double(to[i]) - x[i]; };
      const double shrink = rows::l1_shrink(
          count, [&](std::size_t i) { return double(x[i]); }, y, radius);
      for (std::size_t i = 0; i < count; ++i)
        to[i] = T(rows::within(x[i] + rows::l1_shrunk(x[i], y(i), shrink), 0, 1));
      return;
    }
    double factor = radius;
    if (a.kind == op::BallStart::sphere)
      factor /= rows::norm(a.norm, count, noise) + 1e-12;
    else if (!linf)
      factor *=
          std::pow(random.uniform(count), 1.0 / count) / (rows::norm(a.norm, count, noise) + 1e-12);
    for (std::size_t i = 0; i < count; ++i) to[i] = T(rows::within(x[i] + factor * noise(i), 0, 1));
  }
};

template <class T> struct row<op::misclassified<T>> {
  op::misclassified<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const T* z = a.logits.data + n * a.logits.stride;
    const std::int32_t label = a.labels[geometry::sample_of(a.samples, n)];
    bool right = label >= 0 && label < a.logits.c;
    for (int k = 0; right && k < a.logits.c; ++k)
      if (k != label) right = k < label ? z[k] < z[label] : z[k] <= z[label];
    a.flags[n] = T(!right || (a.also && a.flags[n] != 0));
  }
};

template <class T> struct row<op::ranked_class<T>> {
  op::ranked_class<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const T* z = a.logits.data + n * a.logits.stride;
    const int c = a.logits.c;
    int found = c;  // where no order exists (NaN): outside the classes, which losses answer by NaN
    for (int k = 0; k < c; ++k) {
      int larger = 0;
      for (int j = 0; j < c; ++j) larger += z[j] > z[k] || (z[j] == z[k] && j > k);
      if (larger == a.rank - 1 && z[k] == z[k]) found = k;
    }
    a.classes[geometry::sample_of(a.samples, n)] = found;
  }
};

template <class T> struct row<op::accumulate_direction<T>> {
  op::accumulate_direction<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const std::size_t count = op::features(a.gradient), at = n * count;
    const T* g = a.gradient.data + at;
    T* momentum = a.momentum.data + at;
    const double sum = rows::norm(op::Norm::l1, count, [&](std::size_t i) { return double(g[i]); });
    const double scale = sum == 0 ? 0 : double(count) / sum;
    for (std::size_t i = 0; i < count; ++i) momentum[i] = T(a.decay * momentum[i] + g[i] * scale);
  }
};

template <class T> struct row<op::clean_beyond<T>> {
  op::clean_beyond<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const std::size_t count = op::features(a.clean), at = n * count;
    const T* clean = a.clean.data + at;
    T* x = a.adversarial.data + at;
    const double eps = a.values ? a.values->eps : 0;
    const double size =
        rows::norm(a.norm, count, [&](std::size_t i) { return double(x[i]) - double(clean[i]); });
    if (T(size) > eps) rows::copy(clean, x, count);
  }
};

template <class T> struct row<op::auto_pgd_step<T>> {
  op::auto_pgd_step<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const std::size_t count = op::features(a.clean), at = n * count;
    const T* state = a.state + n * op::apgd_columns;
    const double eps = a.values ? a.radius * a.values->eps : 0, step = state[op::apgd_step_size];
    const T* clean = a.clean.data + at;
    const T* g = a.gradient.data + at;
    if (a.norm == op::Norm::linf)
      linf(count, clean, g, a.x.data + at, a.previous.data + at, eps, step);
    else if (a.norm == op::Norm::l2)
      l2(count, clean, g, a.x.data + at, a.previous.data + at, eps, step);
    else
      l1(count, clean, g, a.x.data + at, a.previous.data + at, eps, step, state[op::apgd_share]);
  }

 private:
  RNX_HD double momentum(double x, double z, double previous) const {
    const double of_z = a.first ? 1 : 0.75;
    return x + (z - x) * of_z + (x - previous) * (1 - of_z);
  }
  RNX_HD void linf(std::size_t count, const T* clean, const T* g, T* x, T* previous, double eps,
                   double step) const {
    for (std::size_t i = 0; i < count; ++i) {
      const double low = clean[i] - eps, high = clean[i] + eps, at = x[i];
      const double z =
          rows::within(rows::within(at + step * op::direction(double(g[i])), low, high), 0, 1);
      const double moved =
          rows::within(rows::within(momentum(at, z, previous[i]), low, high), 0, 1);
      previous[i] = x[i];
      x[i] = T(moved);
    }
  }
  RNX_HD void l2(std::size_t count, const T* clean, const T* g, T* x, T* previous, double eps,
                 double step) const {
    const auto factor = [&](double length) {
      return (length < eps || length != length ? length : eps) / (length + 1e-12);
    };
    const double by =
        step /
        (rows::norm(op::Norm::l2, count, [&](std::size_t i) { return double(g[i]); }) + 1e-12);
    const auto ahead = [&](std::size_t i) { return x[i] + by * g[i] - clean[i]; };
    const double in_ball = factor(rows::norm(op::Norm::l2, count, ahead));
    const auto moved = [&](std::size_t i) {
      const double z = rows::within(clean[i] + ahead(i) * in_ball, 0, 1);
      return momentum(x[i], z, previous[i]) - clean[i];
    };
    const double again = factor(rows::norm(op::Norm::l2, count, moved));
    for (std::size_t i = 0; i < count; ++i) {
      const double to = rows::within(clean[i] + moved(i) * again, 0, 1);
      previous[i] = x[i];
      x[i] = T(to);
    }
  }
  RNX_HD void l1(std::size_t count, const T* clean, const T* g, T* x, T* previous, double eps,
                 double step, T share) const {
    long rank = long((T(1) - share) * T(count));
    rank = rank < 0 ? 0 : rank > long(count) - 1 ? long(count) - 1 : rank;
    const T least = rows::select_from_top<T>(
                        count, [&](std::size_t i) { return T(std::fabs(g[i])); },
                        [](std::size_t) { return 1.0; }, double(long(count) - rank))
                        .key;
    // signs of the largest share, whose memory is that of the iterate before until the step is made
    T* const signs = previous;
    for (std::size_t i = 0; i < count; ++i) {
      const T d = op::direction(g[i]);
      signs[i] = std::fabs(g[i]) >= least || d != d ? d : T(0);
    }
    const double by =
        step /
        (rows::norm(op::Norm::l1, count, [&](std::size_t i) { return double(signs[i]); }) + 1e-10);
    const auto ahead = [&](std::size_t i) { return x[i] + by * signs[i] - clean[i]; };
    const double shrink = rows::l1_shrink(
        count, [&](std::size_t i) { return double(clean[i]); }, ahead, eps);
    for (std::size_t i = 0; i < count; ++i) {
      const double to = rows::within(clean[i] + rows::l1_shrunk(clean[i], ahead(i), shrink), 0, 1);
      previous[i] = x[i];
      x[i] = T(to);
    }
  }
};

template <class T> struct row<op::auto_pgd_track<T>> {
  op::auto_pgd_track<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const std::size_t count = op::features(a.clean), at = n * count;
    T* s = a.state + n * op::apgd_columns;
    const T loss = a.loss[n];
    const bool fooled = a.fooled && a.fooled[n] != 0;
    if (a.begin) return begin(s, loss, fooled, at, count);
    if (fooled) {
      rows::copy(a.x.data + at, a.adversarial.data + at, count);
      s[op::apgd_fooled] = 1;
    }
    const bool art = a.rule == op::AutoPgdRule::art;
    const T before = s[art ? op::apgd_best : op::apgd_last];
    const bool rise = loss > before || (art && a.first && loss == before);
    // the paper's window ends before this iteration
    if (a.rule != op::AutoPgdRule::paper) s[op::apgd_rises] += rise;
    s[op::apgd_last] = loss;
    if (loss > s[op::apgd_best]) {
      s[op::apgd_best] = loss;
      rows::copy(a.x.data + at, a.best.data + at, count);
      rows::copy(a.gradient.data + at, a.best_gradient.data + at, count);
      if (art && !a.first) rows::copy(a.previous.data + at, a.before_best.data + at, count);
    }
    if (a.window > 0 && (a.norm == op::Norm::l1 ? sparser(s, at, count) : halved(s))) {
      rows::copy(a.best.data + at, a.x.data + at, count);
      rows::copy(a.best_gradient.data + at, a.gradient.data + at, count);
      if (art) rows::copy(a.before_best.data + at, a.previous.data + at, count);
    }
    if (a.window > 0) s[op::apgd_rises] = 0;
    if (a.rule == op::AutoPgdRule::paper) s[op::apgd_rises] += rise;
  }

 private:
  RNX_HD double eps() const { return a.values ? a.radius * a.values->eps : 0; }
  RNX_HD double moved(const T* x, std::size_t at, std::size_t count) const {
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += x[at + i] != a.clean.data[at + i];
    return sum;
  }
  RNX_HD void begin(T* s, T loss, bool fooled, std::size_t at, std::size_t count) const {
    s[op::apgd_step_size] = T((a.norm == op::Norm::l1 ? 1 : 2) * eps());
    s[op::apgd_best] = loss;
    s[op::apgd_best_at_check] = loss;
    s[op::apgd_reduced] = a.rule == op::AutoPgdRule::code;
    s[op::apgd_rises] = 0;
    s[op::apgd_last] = a.rule == op::AutoPgdRule::code ? T(0) : loss;
    s[op::apgd_fooled] = fooled;
    const double pixels = a.random_start ? double(count) : moved(a.x.data, at, count);
    s[op::apgd_sparsity] = T(pixels);
    s[op::apgd_share] = a.random_start ? T(0.2) : T(pixels) / T(count) / T(1.5);
    rows::copy(a.x.data + at, a.best.data + at, count);
    rows::copy(a.gradient.data + at, a.best_gradient.data + at, count);
    if (a.rule == op::AutoPgdRule::art)
      rows::copy(a.clean.data + at, a.before_best.data + at, count);
    rows::copy(a.x.data + at, a.adversarial.data + at, count);
  }
  /// Linf, L2: halves the step of a row that does not progress.
  RNX_HD bool halved(T* s) const {
    const double needed = a.rho * a.window;
    const bool few =
        a.rule == op::AutoPgdRule::code ? s[op::apgd_rises] <= needed : s[op::apgd_rises] < needed;
    const bool stuck = s[op::apgd_reduced] == 0 && s[op::apgd_best_at_check] >= s[op::apgd_best];
    s[op::apgd_reduced] = few || stuck;
    s[op::apgd_best_at_check] = s[op::apgd_best];
    if (few || stuck) s[op::apgd_step_size] /= 2;
    return few || stuck;
  }
  /// L1: the share of the gradient follows the pixels of the best iterate. Where they became fewer,
  /// the step is the whole radius again, and else shorter.
  RNX_HD bool sparser(T* s, std::size_t at, std::size_t count) const {
    const T pixels = T(moved(a.best.data, at, count)), whole = T(eps());
    const bool fewer = pixels / s[op::apgd_sparsity] < T(0.95);
    s[op::apgd_share] = pixels / T(count) / T(1.5);
    const T step = fewer ? whole : s[op::apgd_step_size] / T(1.5);
    s[op::apgd_step_size] = step < whole / 10 ? whole / 10 : step > whole ? whole : step;
    s[op::apgd_sparsity] = pixels;
    return fewer;
  }
};

template <class T> struct row<op::auto_pgd_collect<T>> {
  op::auto_pgd_collect<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const std::size_t count = op::features(a.best), at = n * count;
    T* s = a.state + n * op::apgd_columns;
    if (a.first) s[op::apgd_done] = 0;
    if (s[op::apgd_done] != 0) return;
    const bool fooled = a.fooled ? a.fooled[n] != 0 : s[op::apgd_fooled] != 0;
    if (fooled || a.first || s[op::apgd_best] > s[op::apgd_record]) {
      rows::copy((fooled ? a.adversarial : a.best).data + at, a.to.data + at, count);
      s[op::apgd_record] = s[op::apgd_best];
    }
    s[op::apgd_done] = fooled;
  }
};

}  // namespace rnx::inline RNX_ISA

// The checks themselves: each finds a share of images, or the excess of one share over another.
#pragma once

#include "rnx/eval/check_bench.hpp"

namespace rnx::inline RNX_ISA::eval::detail {

/// Images whose logits are the numbers of a distribution.
template <class B> Finding probability_outputs(B& b) {
  const auto z = b.logits(b.clean(), b.context(b.o.path));
  const int classes = b.classes();
  Flags found;
  for (int i = 0; i < b.n(); ++i) {
    double sum = 0, least = 0;
    for (int c = 0; c < classes; ++c) {
      sum += z[std::size_t(i) * classes + c];
      least = std::min(least, double(z[std::size_t(i) * classes + c]));
    }
    found.push_back(least == 0 && std::abs(sum - 1) < 1e-3);
  }
  return Finding::share(found);
}

/// Images whose logits differ by more than rounding.
template <class V> Flags differ(const V& a, const V& b, int n) {
  const std::size_t classes = a.size() / std::size_t(n);
  Flags found;
  for (int i = 0; i < n; ++i) {
    double most = 1, distance = 0;
    for (std::size_t c = i * classes; c < (i + 1) * classes; ++c) {
      most = std::max(most, std::abs(double(a[c])));
      distance = std::max(distance, std::abs(double(a[c]) - b[c]));
    }
    found.push_back(distance > 1e-4 * most);
  }
  return found;
}

/// Images whose logits are other ones at another draw of random numbers.
template <class B> Finding randomness(B& b) {
  Context ctx = b.context(b.o.path);
  const auto first = b.logits(b.clean(), ctx);
  ctx.draw = 1;
  return Finding::share(differ(first, b.logits(b.clean(), ctx), b.n()));
}

/// Images whose logits are other ones in a smaller batch.
template <class B> Finding batch_size(B& b) {
  const Context ctx = b.context(b.o.path);
  const auto whole = b.logits(b.clean(), ctx);
  auto parts = whole;
  parts.clear();
  for (int first = 0; first < b.n(); first += 3) {
    const int count = std::min(3, b.n() - first);
    const auto z = b.logits(b.clean().samples(first, count), ctx.part(first, count));
    parts.insert(parts.end(), z.begin(), z.end());
  }
  return Finding::share(differ(whole, parts, b.n()));
}

/// Images whose gradient is zero in every pixel, or not finite in one.
template <class V> Flags lost(const V& gradient, int n) {
  const std::size_t size = gradient.size() / std::size_t(n);
  Flags found;
  for (int i = 0; i < n; ++i) {
    bool zero = true, finite = true;
    for (std::size_t k = i * size; k < (i + 1) * size; ++k) {
      finite = finite && std::isfinite(double(gradient[k]));
      zero = zero && std::abs(double(gradient[k])) < 1e-37;  // and what is denormal in float
    }
    found.push_back(zero || !finite);
  }
  return found;
}
template <class B> Finding zero_gradients_start(B& b) {
  return Finding::share(
      lost(b.gradient(b.clean(), loss::CrossEntropy{.labels = b.labels()}), b.n()));
}
/// Half of the way to the attack's image, and there.
template <class B> Finding zero_gradients_path(B& b) {
  Flags any(std::size_t(b.n()));
  for (const double part : {0.5, 1.0}) {
    auto at = b.images();
    for (std::size_t k = 0; k < at.size(); ++k) at[k] += part * (b.adversarial()[k] - at[k]);
    const auto x = b.tensor(at);
    const Flags here = lost(b.gradient(x.view(), loss::CrossEntropy{.labels = b.labels()}), b.n());
    for (std::size_t i = 0; i < here.size(); ++i) any[i] = any[i] || here[i];
  }
  return Finding::share(any);
}

/// Images on which the margin's slope along its gradient (along random signs, where that is zero)
/// is another one than a central difference over a level of 255, by more than its half. Where
/// neither is above rounding there is no difference to see.
template <class B> Finding finite_differences(B& b) {
  const loss::Margin loss{.labels = b.labels()};
  auto values = b.images();
  const auto g = b.gradient(b.clean(), loss, &values);
  const rng::Stream random(b.o.seed, Purpose::attack);
  const std::size_t size = b.pixels();
  auto ahead = b.images(), behind = b.images();
  std::vector<double> slope(std::size_t(b.n()));
  for (int i = 0; i < b.n(); ++i) {
    double largest = 0;
    for (std::size_t k = i * size; k < (i + 1) * size; ++k)
      largest = std::max(largest, std::abs(double(g[k])));
    for (std::size_t k = i * size; k < (i + 1) * size; ++k) {
      const double u = (largest > 0 ? g[k] / largest : random.bits(k) & 1 ? 1. : -1.) / 510;
      ahead[k] += u;
      behind[k] -= u;
      slope[std::size_t(i)] += g[k] * (double(ahead[k]) - behind[k]);
    }
  }
  auto up = values, down = values;
  const auto tensor_up = b.tensor(ahead), tensor_down = b.tensor(behind);
  b.gradient(tensor_up.view(), loss, &up);
  b.gradient(tensor_down.view(), loss, &down);
  Flags found;
  for (std::size_t i = 0; i < slope.size(); ++i) {
    const double rise = double(up[i]) - down[i],
                 noise = 1e-5 * (1 + std::abs(double(up[i])) + std::abs(double(down[i])));
    found.push_back(
        !(std::abs(rise - slope[i]) <= 0.5 * std::max(std::abs(rise), std::abs(slope[i])) + noise));
  }
  return Finding::share(found);
}

/// Images that an attack without a radius changes the prediction of.
template <class B> Finding eps_zero(B& b) {
  const Flags clean = b.right(b.clean()), robust = b.robust(b.attacked(b.white_box(0, 2)));
  Flags found;
  for (std::size_t i = 0; i < clean.size(); ++i) found.push_back(clean[i] != robust[i]);
  return Finding::share(found);
}
/// More robust in the whole ball than in the ball of half its radius.
template <class B> Finding monotone_in_eps(B& b) {
  return Finding::excess(b.white(), b.robust(b.attacked(b.white_box(b.o.eps / 2, b.o.steps))));
}
/// Right in a ball that holds every image.
template <class Norm, class B> Finding eps_one(B& b) {
  const double d = double(b.pixels()), eps = Norm::kind == op::Norm::linf ? 1
                                             : Norm::kind == op::Norm::l2 ? std::sqrt(d)
                                                                          : d;
  return Finding::share(b.robust(b.attacked(b.white_box(eps, 2 * b.o.steps))));
}
/// Robust to the attack, but not to a longer one.
template <class B> Finding more_steps(B& b) {
  return Finding::excess(b.white(), b.robust(b.attacked(b.white_box(b.o.eps, 4 * b.o.steps, 2))));
}
/// Robust to the attack, but not to one that sees logits alone.
template <class Norm, class B> Finding black_box(B& b) {
  return Finding::excess(
      b.white(), b.robust(b.attacked(attack::Square<Norm>{
                     .eps = b.o.eps, .queries = b.o.queries, .rescaled = true, .seed = b.o.seed})));
}
/// Robust to the attack, but not to the one that was made on another model.
template <class B> Finding made_on(B& b, const typename B::Ref& other, const Context& ctx) {
  std::optional<attack::Workspace<typename B::Value, typename B::Where>> work;
  B::make_workspace(other, b.n(), work);
  return Finding::excess(b.white(),
                         b.robust(b.attacked(b.white_box(b.o.eps, b.o.steps), other, *work, ctx)));
}
template <class B> Finding transfer(B& b) {
  if (!b.o.other) return {};
  return made_on(b, typename B::Ref(*b.o.other), {.mode = Mode::eval, .stop = b.o.stop});
}
/// Robust to the attack, but not to the one along another surrogate's gradients.
template <class B> Finding another_surrogate(B& b) {
  if (!b.o.surrogate) return {};
  Context ctx = b.context(b.o.attack_path);
  if (!b.o.surrogate->network()) ctx.path = 0;
  attack::Predictor<typename B::Value, typename B::Where> predictor(*b.o.surrogate, b.n());
  const auto ours = b.logits(b.clean(), b.context(b.o.attack_path)),
             theirs = to_host(predictor(b.clean(), ctx));
  require<UsageError>(
      ours.size() == theirs.size() && Finding::share(differ(ours, theirs, b.n())).value == 0,
      "eval: the network with another surrogate computes other logits");
  return made_on(b, *b.o.surrogate, ctx);
}
/// Robust to the attack's images as files hold them, but not to its floats.
template <class Norm, class B> Finding eight_bits(B& b) {
  auto moved = b.adversarial();
  using Value = typename B::Value;
  const std::size_t size = b.pixels();
  for (int i = 0; i < b.n(); ++i)
    project_to_lattice<Value>(Norm::kind, b.o.eps, std::span(b.images()).subspan(i * size, size),
                              std::span(moved).subspan(i * size, size));
  return Finding::excess(b.robust(moved), b.white());
}
/// Robust on the path that predicts, but not on the batch-norm path where it is least.
template <class B> Finding worst_path(B& b) {
  if (b.o.paths < 2 || !b.victim().network()) return {};
  Finding worst;
  for (int path = 0; path < b.o.paths; ++path) {
    if (path == b.o.path) continue;
    auto& work = b.work();
    const auto moved =
        b.attacked(b.white_box(b.o.eps, b.o.steps), b.victim(), work, b.context(path));
    const Finding here = Finding::excess(b.white(), b.robust(moved, path));
    if (!worst.found || here.interval.low > worst.interval.low) worst = here;
  }
  return worst;
}

}  // namespace rnx::inline RNX_ISA::eval::detail

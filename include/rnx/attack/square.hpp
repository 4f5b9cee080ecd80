// The Square attack (Andriushchenko et al. 2020; in L1 Croce & Hein 2021): random search over
// squares of pixels, which asks the network for logits alone.
#pragma once

#include <cmath>
#include <vector>

#include "rnx/attack/square_row.hpp"
#include "rnx/attack/standing.hpp"
#include "rnx/loss/margin.hpp"

namespace rnx::inline RNX_ISA::attack {

namespace detail {

/// Of the pixels' share that a square has, by the query (of 10000): halved after 10, 50, 200, ...
inline double square_share(double share, int query) {
  for (const int last : {10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000})
    if (query > last) share /= 2;
  return share;
}
/// The side of a square: whole in Linf; odd and at least 3 in L2 and L1; at most the image's.
inline int square_side(op::Norm norm, double share, int h, int w) {
  const bool linf = norm == op::Norm::linf;
  int side = std::max(int(std::nearbyint(std::sqrt(share * h * w))), linf ? 1 : 3);
  if (!linf && side % 2 == 0) ++side;
  return std::min({side, h, w});
}

/// A pyramid over a x b pixels: at distance d from its centre the sum of 1 / k^power, k from d + 1
/// to max(a, b) / 2 + 1; of length 1 in the norm.
inline std::vector<double> square_pyramid(op::Norm norm, int a, int b) {
  const bool l2 = norm == op::Norm::l2;
  std::vector<double> v(std::size_t(a) * b, 0);
  const int middle_a = a / 2, middle_b = b / 2, most = std::max(middle_a, middle_b) + 1;
  double sum = 0;
  for (int i = 0; i < a; ++i)
    for (int j = 0; j < b; ++j) {
      double& at = v[std::size_t(i) * b + j];
      for (int k = std::max(std::abs(i - middle_a), std::abs(j - middle_b)); k < most; ++k)
        at += 1 / std::pow(k + 1, l2 ? 2 : 4);
      sum += l2 ? at * at : at;
    }
  for (double& at : v) at /= l2 ? std::sqrt(sum) : sum;
  return v;
}
/// What a square of L2 and L1 adds (figure 2 of the paper): a pyramid in its upper half, one with
/// the other sign in its lower; of length 1.
inline std::vector<double> square_pattern(op::Norm norm, int side) {
  const int upper = side / 2;
  std::vector<double> v = square_pyramid(norm, upper, side);
  for (const double p : square_pyramid(norm, side - upper, side)) v.push_back(-p);
  double sum = 0;
  for (const double p : v) sum += norm == op::Norm::l2 ? p * p : std::abs(p);
  for (double& p : v) p /= norm == op::Norm::l2 ? std::sqrt(sum) : sum;
  return v;
}

/// values(i) = the loss::Margin of sample i, of several outputs the largest.
template <class T, class Device>
void margins(const VictimRef<T, Device>& victim, Workspace<T, Device>& work,
             View<const T, Device> x, const std::int32_t* labels, const Context& ctx, T* values) {
  if (!victim.network())
    return loss_values<T, Device>(victim, work, x, loss::Margin{.labels = labels}, ctx, values);
  run<Device>({ctx.stream}, op::logit_margin<T>{.logits = work.predictor(victim)(x, ctx),
                                                .labels = labels,
                                                .value = values,
                                                .samples = ctx.samples.data});
}

}  // namespace detail

/// Every query proposes another square for each sample and keeps it where the margin of the label
/// over the other classes falls. Of the loss that it is called with it takes the labels alone. A
/// sample whose margin is not above 0 leaves, and costs no more queries.
template <class Norm = norm::Linf> struct Square {
  using norm = Norm;
  Rational eps = px(8);
  int queries = 5000;
  double share = 0.8;     ///< of the pixels, of the first squares
  bool rescaled = false;  ///< the shares fall over `queries` instead of 10000
  int restarts = 1;
  std::uint64_t seed = 0;  ///< as Pgd's

  /// Forwards; there is no backward.
  int passes() const { return restarts * (queries + 1); }
  void set(StepValues& v) const {
    v.eps = eps;
    v.step = eps;
  }
  std::string describe() const {
    return std::string("square ") + Norm::name + " eps " + exact_text(eps) + " queries " +
           std::to_string(queries) + " share " + exact_text(share) + (rescaled ? " rescaled" : "") +
           " restarts " + std::to_string(restarts) + " seed " + std::to_string(seed);
  }

  /// As Pgd's, in eval mode. Throws UsageError also for options out of range and, in L2 and L1, for
  /// images of fewer than 5 x 5 pixels.
  template <class T, class Device, Labelled Loss>
  void operator()(std::type_identity_t<VictimRef<T, Device>> victim, Workspace<T, Device>& work,
                  std::type_identity_t<View<const T, Device>> x,
                  std::type_identity_t<View<T, Device>> adversarial, const Loss& loss,
                  Context ctx = {}, std::uint64_t draw = 0) const {
    check(x.dims);
    const detail::Begun begun = detail::begin<Norm>(*this, work, x, adversarial, ctx, draw);
    detail::Standing<T, Device> standing(victim, work, x, adversarial, loss.labels, begun.ctx);
    for (int r = 0; r < restarts; ++r)
      standing.attack([&](const auto& part, const auto& to, const Context& c) {
        Context at = c;
        at.draw += std::uint64_t(r) << draw_bits_of_run;
        run_once<T, Device>(victim, work, part, to, loss.labels, at, begun.seed);
      });
  }

 private:
  void check(Dims dims) const {
    require<UsageError>(queries >= 0 && restarts > 0 && share > 0 && share <= 1,
                        "attack: Square needs a restart, and squares of a share in (0, 1]");
    require<UsageError>(Norm::kind == op::Norm::linf || (dims.h >= 5 && dims.w >= 5), [&] {
      return "attack: Square in L2 and L1 needs images of at least 5 x 5 pixels, found " +
             dims.text();
    });
  }
  template <class T, class Device>
  void run_once(const VictimRef<T, Device>& victim, Workspace<T, Device>& work,
                View<const T, Device> x, View<T, Device> best, const std::int32_t* labels,
                Context ctx, std::uint64_t seed) const {
    const Stream stream{ctx.stream};
    const View<T, Device> proposals = detail::rows(work, "square proposal", x.n);
    const Dims one{1, 1, 1};
    T* margin = detail::rows(work, "square margin", x.n, one).data;
    T* value = detail::rows(work, "square loss", x.n, one).data;

    Buffer<T, Device> pattern(std::size_t(x.dims.h) * x.dims.w);
    detail::Active<Device> active(ctx, x.n);
    op::SquareDraws draws{.draw = ctx.draw, .first_sample = ctx.first_sample, .seed = seed};
    const auto judge = [&](View<const T, Device> at, bool begin) {
      detail::margins<T, Device>(victim, work, at, labels, active.context(draws.draw), value);
      rnx::run<Device>(stream, op::square_accept<T>{.proposal = detail::map(at),
                                                    .best = detail::map(best),
                                                    .margin = margin,
                                                    .loss = value,
                                                    .begin = begin,
                                                    .packed = active.list()});
      active.remove(done<T, Device>(margin, x.n, active));
    };
    int side = x.dims.h / 5;
    place_pattern(pattern, side);
    rnx::run<Device>(stream, op::square_start<T>{.clean = x,
                                                 .to = detail::map(best),
                                                 .values = ctx.values,
                                                 .norm = Norm::kind,
                                                 .draws = draws,
                                                 .pattern = pattern.data(),
                                                 .size = side,
                                                 .samples = ctx.samples.data});
    judge(best, true);
    for (int q = 0; q < queries && !active.empty(); ++q) {
      ++draws.draw;
      const int query = rescaled ? int(double(q) / queries * 10000) : q;
      const int next =
          detail::square_side(Norm::kind, detail::square_share(share, query), x.dims.h, x.dims.w);
      if (next != side) place_pattern(pattern, next);
      side = next;
      const View<T, Device> proposal = proposals.samples(0, active.size());
      rnx::run<Device>(stream, op::square_propose<T>{.clean = x,
                                                     .best = detail::map(best),
                                                     .to = detail::map(proposal),
                                                     .values = ctx.values,
                                                     .norm = Norm::kind,
                                                     .draws = draws,
                                                     .pattern = pattern.data(),
                                                     .size = side,
                                                     .samples = active.context().samples.data,
                                                     .packed = active.list()});
      judge(View<const T, Device>(proposal), false);
    }
  }
  template <class T, class Device> void place_pattern(Buffer<T, Device>& to, int side) const {
    if (Norm::kind == op::Norm::linf) return;
    const std::vector<double> v = detail::square_pattern(Norm::kind, side);
    to.upload(std::vector<T>(v.begin(), v.end()));
  }
  /// Of each sample that is still attacked, whether its margin is no longer above 0.
  template <class T, class Device>
  std::vector<bool> done(const T* margin, int n, const detail::Active<Device>& active) const {
    std::vector<T> m(std::size_t(n), T(0));
    memory<Device>::download(m.data(), margin, m.size() * sizeof(T), {active.context().stream});
    std::vector<bool> found;
    for (const std::int32_t row : active.rows()) found.push_back(!(m[std::size_t(row)] > 0));
    return found;
  }
};

}  // namespace rnx::inline RNX_ISA::attack

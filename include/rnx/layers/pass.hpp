// One trace's execution of a network: bases of parameters, buffers and prepared weights, the arena,
// and what forward recorded. Layers are stateless; what differs between two uses of one bound type
// is the site number.
#pragma once

#include "rnx/layers/fusion.hpp"

namespace rnx::inline RNX_ABI {

/// Where a network keeps one site's data: offsets, never pointers, so that networks copy and move.
struct Site {
  std::size_t parameters = 0, buffers = 0, prepared = 0;
  int slot = -1;
  Dims out{};
  quant::Bits bits{};  ///< of its maps; bases count as bits
};

/// Where a trace keeps one site's data, in elements of the arena; `none` where it keeps nothing.
struct Placement {
  static constexpr std::size_t none = std::size_t(-1);
  std::size_t output = none, gradient = none, saved = none, work_forward = none,
              work_backward = none, branch = none;
  std::size_t seed = none, seed_full = none, reduced = none, saved_seed = none;
  bool reads_alone = false;  ///< nobody else ever reads its first input
};

/// NoGrads: parameter gradients are not computed and their code is not instantiated.
struct NoGrads {};

}  // namespace rnx::inline RNX_ABI

namespace rnx::inline RNX_ISA {

/// Parameter gradients go here: += at the parameters' offsets.
template <class T> struct GradSink { T* base; };
template <class Sink> constexpr bool wants_grads = !std::is_same_v<Sink, NoGrads>;

template <class T, class Device> struct Pass {
  using In = View<const T, Device>;
  using Out = View<T, Device>;
  struct Record {
    In x{};
    Out y{};
  };  // y.n == 0: the site did not run

  const T* parameters = nullptr;
  const T* buffers = nullptr;
  T* prepared_weights = nullptr;
  const Site* sites = nullptr;
  T* arena = nullptr;
  const Placement* places = nullptr;
  Record* records = nullptr;
  Context ctx{};
  int n = 0;
  // active channels of the map that the surrounding join::Gate multiplies
  int gated = every_maximum;
  int first_trained = 0;  // where backward ends (Context::first_trained); 0: at the images
  bool fusing = true;
  PendingFusion<T, Device> pending{};

  Stream stream() const { return {ctx.stream}; }
  bool train() const { return ctx.mode == Mode::train; }
  const T* parameter(int site, std::size_t at = 0) const {
    return parameters + sites[site].parameters + at;
  }
  const T* buffer(int site, std::size_t at = 0) const { return buffers + sites[site].buffers + at; }
  T* prepared(int site, std::size_t at = 0) const {
    return prepared_weights + sites[site].prepared + at;
  }
  T* saved(int site) const { return arena + places[site].saved; }
  T* work_forward(int site) const { return arena + places[site].work_forward; }
  T* work_backward(int site) const { return arena + places[site].work_backward; }

  /// The subnet's choice for slot `k` of a site, or `maximum`.
  int choice(int site, int k, int maximum) const {
    return ctx.subnet && sites[site].slot >= 0 ? ctx.subnet->choice[sites[site].slot + k] : maximum;
  }
  /// The planned output of a site, at its maximum.
  Out output(int site) const {
    return {arena + places[site].output, n, sites[site].out, sites[site].out.c};
  }
  /// The gradient of a site's output, with the channels that were active.
  Out gradient(int site) const {
    return {arena + places[site].gradient, n, records[site].y.dims, sites[site].out.c};
  }
  /// A branch's share of a join's input gradient: the join adds it.
  Out branch(int site, Dims active, int stride) const {
    return {arena + places[site].branch, n, active, stride};
  }

  /// Runs an operation, or takes it into the pending fused operation (layers/fusion.hpp).
  /// Not inlined: a kernel is compiled once, not once for each shape of layer that calls it (a
  /// tenth of a model's compile time).
  template <class Operation> [[gnu::noinline]] void run(const Operation& a) {
    if constexpr (has_fusion<Device>) {
      if (fusing && pending.take(stream(), a)) return;
      pending.flush(stream());
    }
    kernel<Device, Operation>::run(stream(), a);
  }
  /// Runs what is pending: before memory is read or written by other means than run().
  void flush() {
    if constexpr (has_fusion<Device>) pending.flush(stream());
  }

  /// Notes what a site read and wrote, and reduces it where the trace keeps a reduction.
  void record(int site, In x, Out y) {
    records[site] = {x, y};
    if (places[site].reduced == Placement::none) return;
    const op::attention_map<T> reduction{.x = y, .f = arena + places[site].reduced};
    if constexpr (has_fusion<Device>)
      pending.reduce(stream(), reduction);
    else
      run(reduction);
  }
  /// The gradient arriving at a site, plus the seed that a loss wrote there.
  In seeded(int site, In dy) {
    const Placement& p = places[site];
    if (p.seed == Placement::none) return dy;
    const Out y = records[site].y;
    if (p.reduced == Placement::none) {
      const Out sum{arena + p.seed, n, y.dims, sites[site].out.c};
      if (dy) run(op::accumulate<T>{.from = dy, .to = sum});
      return sum;
    }
    const Out sum{arena + p.seed_full, n, y.dims, sites[site].out.c};
    run(op::copy<T>{.from = dy, .to = sum});
    run(op::attention_map_backward<T>{.x = y, .dx = sum, .df = arena + p.seed});
    return sum;
  }
};

namespace layer {

/// Bound layers that say `static constexpr bool fusible = true` touch maps through pass.run only.
/// Before and inside others nothing is pending.
template <class L> constexpr bool fusible = requires { requires L::fusible; };

template <class P> struct Unfused {
  P& pass;
  const bool before = pass.fusing;
  explicit Unfused(P& p) : pass(p) {
    pass.flush();
    pass.fusing = false;
  }
  ~Unfused() { pass.fusing = before; }
};

/// Runs a bound layer's forward; leaves are recorded. y arrives at its maximum and leaves with its
/// active channels.
template <class L, class T, class Device>
void forward(View<const T, Device> x, View<T, Device>& y, Pass<T, Device>& pass, int site) {
  if constexpr (fusible<L>) {
    L::forward(x, y, pass, site);
  } else {
    const Unfused alone(pass);
    L::forward(x, y, pass, site);
  }
  if constexpr (L::leaf) pass.record(site, x, y);
}

/// Runs a bound layer's backward; at leaves the seed of the output is added first. Nothing is
/// computed for sites before the first trained one, nor the gradient of its input.
template <class L, class T, class Device, class Sink>
void backward(View<const T, Device> dy, View<T, Device> dx, Sink sink, Pass<T, Device>& pass,
              int site) {
  if (site < pass.first_trained && L::leaf) return;
  if (pass.first_trained > 0 && site <= pass.first_trained) dx = {};
  if constexpr (L::leaf) dy = pass.seeded(site, dy);
  if constexpr (fusible<L>) {
    L::backward(dy, dx, sink, pass, site);
  } else {
    const Unfused alone(pass);
    L::backward(dy, dx, sink, pass, site);
  }
}

}  // namespace layer

}  // namespace rnx::inline RNX_ISA

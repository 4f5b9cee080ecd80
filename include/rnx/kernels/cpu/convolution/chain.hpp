// The kernels of convolutions and their input gradients, direct or by Winograd's algorithm, alone
// or with all that follows elementwise (op::Tail).
#pragma once

#include "rnx/kernels/cpu/convolution/few.hpp"
#include "rnx/kernels/cpu/convolution/winograd.hpp"

namespace rnx::inline RNX_ISA::host {

/// Runs a convolution and, where it has one, its chain.
template <class T> void convolve(Convolution<T> c, Chain<T>* chain = nullptr) {
  c.epilogue.chain = chain;
  const ConvolutionTasks<T> direct(c);
  const bool few = few_outputs(c);
  const long tasks = c.winograd ? winograd_tasks(c) : few ? c.dst.n : direct.count();
  if (chain) chain->begin(tasks);
  if (c.winograd)
    winograd(c);
  else if (few)
    c.dst.c == 1 ? convolve_few<1>(c) : convolve_few<3>(c);
  else
    convolve(c, direct);
  if (chain) chain->end(tasks);
}

/// The last channels of a map, fewer than a vector.
template <class T>
[[gnu::noinline]] void chain_rest(const Chain<T>& chain, const T* from, long step, int count,
                                  int channel, long at, double* own) {
  chain.template apply<Chain<T>::run_time, false>(
      from, step, count, channel, chain.map.c - channel, own,
      [&](int p) { return at + p * long(chain.map.stride); });
}

/// Rows [begin, end) of a map: vectors of channels inside blocks of rows that stay in the
/// first-level cache.
template <unsigned known, class T>
void chain_rows(const Chain<T>& chain, const T* x, long x_stride, std::size_t begin,
                std::size_t end, double* own) {
  constexpr int L = vector_lanes<T>;
  const long stride = chain.map.stride, block = clamped(4096l / larger(chain.map.c, 1), 4l, 64l);
  for (std::size_t row = begin; row < end; row += block) {
    const int count = int(smaller(long(end - row), block));
    for (int channel = 0; channel < chain.map.c; channel += L) {
      const long e0 = long(row) * stride + channel;
      const auto offset = [&](int p) RNX_ALWAYS_INLINE { return e0 + p * stride; };
      const T* from = x + long(row) * x_stride + channel;
      if (chain.map.c - channel >= L)
        chain.template apply<known, true>(from, x_stride, count, channel, L, own, offset);
      else
        chain_rest(chain, from, x_stride, count, channel, e0, own);
    }
  }
}

template <class T> void chain_values(Chain<T>& chain, const T* x, long x_stride) {
  using C = Chain<T>;
  const std::size_t rows = chain.map.rows();
  const int c = chain.map.c;
  const long tasks = clamped(long(rows * c / 8192), 1l, 64l);  // fixed: they sum up
  chain.begin(tasks);
  auto run = chain_rows<C::run_time, T>;
  switch (chain.parts) {  // the usual ones, without tests for each vector
    case C::normalize: run = chain_rows<C::normalize, T>; break;
    case C::normalize | C::relu: run = chain_rows<C::normalize | C::relu, T>; break;
    case C::normalize | C::add | C::relu:
      run = chain_rows<C::normalize | C::add | C::relu, T>;
      break;
    case C::mask | C::sums: run = chain_rows<C::mask | C::sums, T>; break;
    case C::sums: run = chain_rows<C::sums, T>; break;
    case C::mask | C::scaled: run = chain_rows<C::mask | C::scaled, T>; break;
  }
  parallel_for(
      tasks,
      [&](long task) {
        run(chain, x, x_stride, chunk_begin(long(rows), tasks, task),
            chunk_begin(long(rows), tasks, task + 1), chain.own(task));
      },
      double(rows) * c);
  chain.end(tasks);
}

}  // namespace rnx::inline RNX_ISA::host

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::conv2d_forward<T>> {
  static void run(Stream, const op::conv2d_forward<T>& a) { host::convolve(host::forward(a)); }
};

template <class T> struct kernel<cpu, op::conv2d_backward_input<T>> {
  static void run(Stream, const op::conv2d_backward_input<T>& a) {
    host::convolve(host::backward_input(a));
  }
};

template <class T> struct kernel<cpu, op::chain<T>> {
  static void run(Stream, const op::chain<T>& a) {
    host::Chain<T> chain(a.tail, a.y.data, a.y);
    switch (a.source) {
      case op::ChainSource::values: return host::chain_values(chain, a.x.data, a.x.stride);
      case op::ChainSource::forward:
        return host::convolve(host::forward<T>({.x = a.x,
                                                .w = a.w,
                                                .bias = a.bias,
                                                .scale = a.scale,
                                                .y = a.y,
                                                .filter = a.filter,
                                                .accumulate = a.accumulate}),
                              &chain);
      case op::ChainSource::backward_input:
        return host::convolve(
            host::backward_input<T>({.dy = a.x, .w = a.w, .dx = a.y, .filter = a.filter}), &chain);
    }
  }
};

}  // namespace rnx::inline RNX_ISA

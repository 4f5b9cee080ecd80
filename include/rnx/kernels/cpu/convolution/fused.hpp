// The kernels of convolutions and their input gradients, direct or by Winograd's algorithm, alone
// or with all that follows elementwise (op::Tail).
#pragma once

#include "rnx/kernels/cpu/convolution/binary.hpp"
#include "rnx/kernels/cpu/convolution/few.hpp"
#include "rnx/kernels/cpu/convolution/winograd.hpp"

namespace rnx::inline RNX_ISA::host {

/// Runs a convolution and, where it has one, its tail.
template <class T> void convolve(Convolution<T> c, FusedTail<T>* fused = nullptr) {
  c.epilogue.fused = fused;
  const ConvolutionTasks<T> direct(c);
  const bool few = few_outputs(c);
  const long tasks = c.winograd ? winograd_tasks(c) : few ? c.dst.n : direct.count();
  if (fused) fused->begin(tasks);
  if (c.winograd)
    winograd(c);
  else if (few)
    c.dst.c == 1 ? convolve_few<1>(c) : convolve_few<3>(c);
  else
    convolve(c, direct);
  if (fused) fused->end(tasks);
}

/// The last channels of a map, fewer than a vector.
template <class T>
[[gnu::noinline]] void fused_rest(const FusedTail<T>& fused, const T* from, long step, int count,
                                  int channel, long at, double* task_sums) {
  fused.template apply<FusedTail<T>::run_time, false>(
      from, step, count, channel, fused.map.c - channel, task_sums,
      [&](int p) { return at + p * long(fused.map.stride); });
}

/// Rows [begin, end) of a map: vectors of channels inside blocks of rows that stay in the
/// first-level cache.
template <unsigned known, class T>
void fused_rows(const FusedTail<T>& fused, const T* x, long x_stride, std::size_t begin,
                std::size_t end, double* task_sums) {
  constexpr int L = vector_lanes<T>;
  const long stride = fused.map.stride, block = clamped(4096l / larger(fused.map.c, 1), 4l, 64l);
  for (std::size_t row = begin; row < end; row += block) {
    const int count = int(smaller(long(end - row), block));
    for (int channel = 0; channel < fused.map.c; channel += L) {
      const long e0 = long(row) * stride + channel;
      const auto offset = [&](int p) RNX_ALWAYS_INLINE { return e0 + p * stride; };
      const T* from = x + long(row) * x_stride + channel;
      if (fused.map.c - channel >= L)
        fused.template apply<known, true>(from, x_stride, count, channel, L, task_sums, offset);
      else
        fused_rest(fused, from, x_stride, count, channel, e0, task_sums);
    }
    if (fused.signs.bits) put_signs(fused.signs, fused.y, stride, long(row), count);
  }
}

template <class T> void fused_values(FusedTail<T>& fused, const T* x, long x_stride) {
  using C = FusedTail<T>;
  using U = UsualTails<T>;
  constexpr unsigned masked = C::masked;
  const std::size_t rows = fused.map.rows();
  const int c = fused.map.c;
  const long tasks = clamped(long(rows * c / 8192), 1l, 64l);  // fixed: they sum up
  fused.begin(tasks);
  auto run = fused_rows<C::run_time, T>;
  switch (fused.parts) {  // the usual ones, without tests for each vector
    case C::normalize: run = fused_rows<C::normalize, T>; break;
    case U::evaluation: run = fused_rows<U::evaluation, T>; break;
    case U::evaluation | masked: run = fused_rows<U::evaluation | masked, T>; break;
    case U::evaluation_add: run = fused_rows<U::evaluation_add, T>; break;
    case U::evaluation_add | masked: run = fused_rows<U::evaluation_add | masked, T>; break;
    case U::training_backward: run = fused_rows<U::training_backward, T>; break;
    case C::sums: run = fused_rows<C::sums, T>; break;
    case U::attack_backward: run = fused_rows<U::attack_backward, T>; break;
  }
  parallel_for(
      tasks,
      [&](long task) {
        run(fused, x, x_stride, chunk_begin(long(rows), tasks, task),
            chunk_begin(long(rows), tasks, task + 1), fused.task_sums(task));
      },
      double(rows) * c);
  fused.end(tasks);
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

template <class T> struct kernel<cpu, op::fused<T>> {
  static void run(Stream, const op::fused<T>& a) {
    host::FusedTail<T> fused(a.tail, a.y.data, a.y);
    fused.signs = a.signs;
    switch (a.source) {
      case op::FusedSource::values:
        fused.begin_signs();
        return host::fused_values(fused, a.x.data, a.x.stride);
      case op::FusedSource::forward:
        return host::convolve(host::forward<T>({.x = a.x,
                                                .w = a.w,
                                                .bias = a.bias,
                                                .scale = a.scale,
                                                .y = a.y,
                                                .filter = a.filter,
                                                .accumulate = a.accumulate}),
                              &fused);
      case op::FusedSource::binary:
        return host::binary_convolve<T>(
            {.in = a.binary, .bias = a.bias, .scale = a.scale, .y = a.y, .filter = a.filter},
            &fused);
      case op::FusedSource::backward_input:
        return host::convolve(
            host::backward_input<T>({.dy = a.x, .w = a.w, .dx = a.y, .filter = a.filter}), &fused);
    }
  }
};

}  // namespace rnx::inline RNX_ISA

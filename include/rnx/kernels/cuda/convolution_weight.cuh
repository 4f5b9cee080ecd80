// Weight gradient of a convolution: dw(group, kh, kw, i, o) = sum over n, oh, ow of x(n, oh s - pad
// + kh, ow s - pad + kw, i) dy(n, oh, ow, o). Slices of samples are matrix products side by side,
// added in order.
#pragma once

#include "rnx/kernels/cuda/convolution.cuh"
#include "rnx/kernels/cuda/convolution_weight.hpp"

namespace rnx::inline RNX_ABI::gpu {

/// sum (elements) = the chunks of partial (chunks, elements), added in order
template <class T> struct AddChunks {
  const T* partial;
  std::size_t elements, chunks;
  T* sum;
  RNX_HD void operator()(std::size_t e) const {
    T all = 0;
    for (std::size_t k = 0; k < chunks; ++k) all += partial[k * elements + e];
    sum[e] = all;
  }
};

/// How a sum over samples is cut: into slices of equal length but for the last, `chunk` of which
/// have their patches in memory at once.
struct SampleSlices {
  int length = 1, count = 0, chunk = 1;
  template <class T> SampleSlices(const Patches<T>& p, std::size_t elements) {
    constexpr std::size_t most_slices = 128, most_values = std::size_t(1) << 22;
    const int n = p.map.n, most = int(clamped(most_values / larger(elements, std::size_t(1)),
                                              std::size_t(1), most_slices));
    length = larger((n + most - 1) / most, 1);
    count = (n + length - 1) / length;
    chunk = larger(patch_samples(p) / length, 1);
  }
};

/// dw (columns of patches, out) of one group; dy at the group's first channel.
template <class T, class E>
void weight_gradient(const E& on, const Patches<T>& p, op::Map<const T> dy, int out, T* dw) {
  const std::size_t elements = std::size_t(p.columns()) * out;
  const SampleSlices slices(p, elements);
  const Scratch<T, E> partial(on, slices.count == 1 ? 0 : slices.count * elements);
  T* sums = slices.count == 1 ? dw : partial.data();
  for_patches(on, p, slices.chunk * slices.length,
              [&](int first, int samples, const T* rows, long ld) {
                const long length = long(slices.length) * p.rows();
                const int whole = samples / slices.length, rest = samples % slices.length;
                Gemm<T> product{.transposed = true,
                                .m = p.columns(),
                                .n = out,
                                .k = int(length),
                                .a = rows,
                                .lda = ld,
                                .b = dy.data + std::size_t(first) * p.rows() * dy.stride,
                                .ldb = dy.stride,
                                .c = sums + first / slices.length * elements,
                                .ldc = out,
                                .batch = whole,
                                .step_a = length * ld,
                                .step_b = length * dy.stride,
                                .step_c = long(elements)};
                if (whole) on.gemm(product);
                if (!rest) return;
                product.a += whole * product.step_a;
                product.b += whole * product.step_b;
                product.c += whole * product.step_c;
                product.k = rest * p.rows();
                product.batch = 1;
                on.gemm(product);
              });
  if (slices.count != 1)
    on.each(elements, AddChunks<T>{sums, elements, std::size_t(slices.count), dw});
}

template <class T> struct body<op::conv2d_backward_weight<T>> {
  template <class E> static void run(const E& on, const op::conv2d_backward_weight<T>& a) {
    const geometry::Conv2d g = a.sizes();
    for (int group = 0; group < g.groups; ++group) {
      const Patches<T> p = forward_patches(g, a.x.data, group);
      op::Map<const T> dy = a.dy;
      dy.data += group * g.out();
      weight_gradient(on, p, dy, g.out(), a.dw + std::size_t(group) * p.columns() * g.out());
    }
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_CONVOLUTION_WEIGHT(RNX_CUDA_DEFINE)
}  // namespace rnx::inline RNX_ABI

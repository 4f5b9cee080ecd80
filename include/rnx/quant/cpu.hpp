// CPU kernels of the maps. Reductions over a tensor run in one fixed order: the same bits for every
// number of threads.
#pragma once

#include "rnx/quant/cpu_activations.hpp"
#include "rnx/quant/cpu_multi_bit.hpp"
#include "rnx/quant/cpu_weights.hpp"

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::base_products<T>> {
  static void run(Stream, const op::base_products<T>& a) {
    for (int k = 0; k < a.k; ++k)
      for (int n = 0; n < a.n; ++n)
        for (int o = 0; o < a.o; ++o) {
          const T scale = a.scales ? a.scales[k * a.o + o] : T(1);
          a.products[(k * a.n + n) * a.o + o] = scale * (a.betas ? a.betas[n] : T(1));
        }
  }
};

namespace quant_detail {
/// Which kernels a map is without. The kernels above for many maps say whether they know it; one
/// that a user wrote for a map is there. Of other devices it is known only where they run
/// (core/fault.hpp).
enum class Lacks { nothing, forward, backward };
template <class Operation> constexpr bool no_kernel = requires {
  requires !kernel<cpu, Operation>::known;
};
template <class Device, class Map, class Forward, class Backward>
constexpr Lacks lacks = !std::is_same_v<Device, cpu> || Map::identity ? Lacks::nothing
                        : no_kernel<Forward>                          ? Lacks::forward
                        : no_kernel<Backward>                         ? Lacks::backward
                                                                      : Lacks::nothing;
template <class W, class Device, class T>
constexpr Lacks lacks_of_weights =
    lacks<Device, W, op::weight_bases<W, T>, op::weight_bases_backward<W, T>>;
template <class A, class Device, class T>
constexpr Lacks lacks_of_activations =
    lacks<Device, A, op::activation_bases<A, T>, op::activation_bases_backward<A, T>>;
}  // namespace quant_detail

}  // namespace rnx::inline RNX_ISA

// CPU kernels of weight maps of one base.
#pragma once

#include <numeric>

#include "rnx/quant/cpu_filters.hpp"
#include "rnx/quant/int8.hpp"

namespace rnx::inline RNX_ISA {

namespace quant_detail {
template <class W> constexpr bool elementwise = std::is_base_of_v<quant::Elementwise, W>;
}  // namespace quant_detail

template <class W, class T> struct kernel<cpu, op::weight_bases<W, T>> {
  static constexpr bool known = quant_detail::elementwise<W>;
  static void run(Stream, const op::weight_bases<W, T>& a) {
    static_assert(
        !W::scaled || !known,
        "rnx: an elementwise weight map with scales needs a kernel of its own that writes them");
    if constexpr (known)
      host::every_weight(
          a.g, [&](std::size_t k, std::size_t at) { a.bases[k] = W::value(a.theta[at]); });
  }
};
template <class W, class T> struct kernel<cpu, op::weight_bases_backward<W, T>> {
  static constexpr bool known = quant_detail::elementwise<W>;
  static void run(Stream, const op::weight_bases_backward<W, T>& a) {
    if constexpr (known)
      host::every_weight(a.g, [&](std::size_t k, std::size_t at) {
        if (const T slope = W::slope(a.theta[at]); slope != T(0)) a.dtheta[at] += slope * a.dsum[k];
      });
  }
};

template <int Bits, class T> struct kernel<cpu, op::weight_bases<quant::DoReFaWeights<Bits>, T>> {
  static void run(Stream, const op::weight_bases<quant::DoReFaWeights<Bits>, T>& a) {
    if constexpr (Bits == 1) {
      const double mean =
          host::filter_sums<1>(a.g,
                               [&](long begin, long end, auto& sums) {
                                 host::each_weight(a.g, begin, end,
                                                   [&](std::size_t k, std::size_t at) {
                                                     a.bases[k] = quant::sign(a.theta[at]);
                                                     sums[0] += std::abs(a.theta[at]);
                                                   });
                               })[0] /
          double(a.g.count());
      std::fill_n(a.scales, a.g.groups * a.g.o, T(mean));
    } else {
      const int bits = quant::bits_of<quant::DoReFaWeights<Bits>>(a.told);
      const T levels = T((1 << bits) - 1);
      const T m = std::tanh(largest(a.g, a.theta));
      host::every_weight(a.g, [&](std::size_t k, std::size_t at) {
        a.bases[k] = quant::DoReFaWeights<Bits>::level(a.theta[at], m, levels);
      });
    }
  }
  /// max |w|; a NaN is the largest of all.
  static T largest(const geometry::Weights& g, const T* theta) {
    T parts[host::most_filter_chunks];
    const auto larger = [](T most, T v) { return v <= most || std::isnan(most) ? most : v; };
    const long chunks = host::each_filters(g, [&](long begin, long end, long i) {
      T most = 0;
      host::each_weight(g, begin, end, [&](std::size_t, std::size_t at) {
        most = larger(most, std::abs(theta[at]));
      });
      parts[i] = most;
    });
    return std::accumulate(parts, parts + chunks, T(0), larger);
  }
};
template <int Bits, class T>
struct kernel<cpu, op::weight_bases_backward<quant::DoReFaWeights<Bits>, T>> {
  using Map = quant::DoReFaWeights<Bits>;
  static void run(Stream, const op::weight_bases_backward<Map, T>& a) {
    if constexpr (Bits == 1) {
      host::every_weight(a.g, [&](std::size_t k, std::size_t at) { a.dtheta[at] += a.dsum[k]; });
    } else {
      const T most = kernel<cpu, op::weight_bases<Map, T>>::largest(a.g, a.theta),
              m = std::tanh(most);
      if (m == T(0)) return;
      const auto [along, ties] = host::filter_sums<2>(a.g, [&](long begin, long end, auto& sums) {
        host::each_weight(a.g, begin, end, [&](std::size_t k, std::size_t at) {
          sums[0] += double(std::tanh(a.theta[at])) * a.dsum[k];
          sums[1] += std::abs(a.theta[at]) == most;
        });
      });
      const T of_most = T(along / (double(m) * m * ties));
      host::every_weight(a.g, [&](std::size_t k, std::size_t at) {
        const T t = std::tanh(a.theta[at]);
        const T share = std::abs(a.theta[at]) == most ? quant::sign(t) * of_most : T(0);
        a.dtheta[at] += (a.dsum[k] / m - share) * (1 - t * t);
      });
    }
  }
};

namespace quant_detail {
/// f(k, theta offset, c) for the weights of one filter, c less its mean over input channels where
/// there are several.
template <class T, class F>
inline void each_centred(const geometry::Weights& g, const T* theta, long filter, F f) {
  const std::size_t base = filter / g.o * g.sg + filter % g.o * g.so,
                    k = filter * host::filter_count(g);
  for (int y = 0; y < g.kh; ++y)
    for (int x = 0; x < g.kw; ++x) {
      const std::size_t at = base + y * g.sh + x * g.sw;
      double mean = 0;
      if (g.i > 1)
        for (int i = 0; i < g.i; ++i) mean += double(theta[at + i * g.si]) / g.i;
      for (int i = 0; i < g.i; ++i)
        f(k + (std::size_t(i) * g.kh + y) * g.kw + x, at + i * g.si,
          T(theta[at + i * g.si] - mean));
    }
}
}  // namespace quant_detail

template <class T> struct kernel<cpu, op::weight_bases<quant::XnorWeights, T>> {
  static void run(Stream, const op::weight_bases<quant::XnorWeights, T>& a) {
    host::every_filter(a.g, [&](long filter) {
      double sum = 0;
      quant_detail::each_centred(a.g, a.theta, filter, [&](std::size_t k, std::size_t, T c) {
        a.bases[k] = quant::sign(c);
        const T size = std::abs(c);
        sum += size > T(1) ? T(1) : size;
      });
      a.scales[filter] = T(sum / double(host::filter_count(a.g)));
    });
  }
};
template <class T> struct kernel<cpu, op::weight_bases_backward<quant::XnorWeights, T>> {
  static void run(Stream, const op::weight_bases_backward<quant::XnorWeights, T>& a) {
    const T factor = a.g.i > 1 ? T(1) - T(1) / T(a.g.i) : T(1);
    const std::size_t row = host::filter_count(a.g);
    host::every_filter(a.g, [&](long filter) {
      double along = 0;
      for (std::size_t k = filter * row; k < (filter + 1) * row; ++k)
        along += double(a.bases[k]) * a.dsum[k];
      const T mean = T(along / double(row));
      quant_detail::each_centred(a.g, a.theta, filter, [&](std::size_t k, std::size_t at, T c) {
        const T through = std::abs(c) <= T(1) ? a.scales[filter] * a.dsum[k] : T(0);
        a.dtheta[at] += factor * (through + a.bases[k] * mean);
      });
    });
  }
};

template <class T> struct kernel<cpu, op::weight_bases<quant::BiRealWeights, T>> {
  static void run(Stream, const op::weight_bases<quant::BiRealWeights, T>& a) {
    host::every_filter(a.g, [&](long filter) {
      double sum = 0;
      host::each_weight(a.g, filter, filter + 1, [&](std::size_t k, std::size_t at) {
        a.bases[k] = quant::sign(a.theta[at]);
        sum += std::abs(a.theta[at]);
      });
      a.scales[filter] = T(sum / double(host::filter_count(a.g)));
    });
  }
};
template <class T> struct kernel<cpu, op::weight_bases_backward<quant::BiRealWeights, T>> {
  static void run(Stream, const op::weight_bases_backward<quant::BiRealWeights, T>& a) {
    host::every_weight(a.g, [&](std::size_t k, std::size_t at) {
      if (std::abs(a.theta[at]) <= T(1)) a.dtheta[at] += a.dsum[k];
    });
  }
};

template <class T> struct kernel<cpu, op::weight_bases<quant::Int8Weights, T>> {
  static void run(Stream, const op::weight_bases<quant::Int8Weights, T>& a) {
    host::every_filter(a.g, [&](long filter) {
      T most = 0;
      host::each_weight(a.g, filter, filter + 1, [&](std::size_t, std::size_t at) {
        const T size = std::abs(a.theta[at]);
        most = size <= most || std::isnan(most) ? most : size;
      });
      const T scale = most / T(127);
      host::each_weight(a.g, filter, filter + 1, [&](std::size_t k, std::size_t at) {
        a.bases[k] = scale == T(0) ? T(0) : quant::round_quotient(a.theta[at] / scale);
      });
      a.scales[filter] = scale;
    });
  }
};
template <class T> struct kernel<cpu, op::weight_bases_backward<quant::Int8Weights, T>> {
  static void run(Stream, const op::weight_bases_backward<quant::Int8Weights, T>& a) {
    host::every_weight(a.g, [&](std::size_t k, std::size_t at) { a.dtheta[at] += a.dsum[k]; });
  }
};

template <quant::Per P, class T> struct kernel<cpu, op::weight_bases<quant::TernaryWeights<P>, T>> {
  static void run(Stream, const op::weight_bases<quant::TernaryWeights<P>, T>& a) {
    host::each_scope<P>(a.g, [&](long begin, long end) {
      const double sum = host::scope_sums<1>(
          a.g, begin, end,
          [&](std::size_t, std::size_t at, auto& sums) { sums[0] += std::abs(a.theta[at]); })[0];
      const double threshold = 0.7 * sum / double((end - begin) * host::filter_count(a.g));
      const auto [kept, many] =
          host::scope_sums<2>(a.g, begin, end, [&](std::size_t k, std::size_t at, auto& sums) {
            const T w = a.theta[at];
            a.bases[k] = std::abs(w) <= threshold ? T(0) : quant::sign(w);  // a NaN stays one
            if (a.bases[k] == T(0)) return;
            sums[0] += std::abs(w);
            ++sums[1];
          });
      std::fill(a.scales + begin, a.scales + end, T(many > 0 ? kept / many : 0));
    });
  }
};
template <quant::Per P, class T>
struct kernel<cpu, op::weight_bases_backward<quant::TernaryWeights<P>, T>> {
  static void run(Stream, const op::weight_bases_backward<quant::TernaryWeights<P>, T>& a) {
    host::every_weight(a.g, [&](std::size_t k, std::size_t at) { a.dtheta[at] += a.dsum[k]; });
  }
};

}  // namespace rnx::inline RNX_ISA

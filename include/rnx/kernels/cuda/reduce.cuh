// Sums in double with a fixed order: strided chunks by one thread each, folded, then added in chunk
// order.
#pragma once

#include "rnx/kernels/cuda/execute.cuh"

namespace rnx::inline RNX_ABI::gpu {

/// term(segment, j, acc) adds term j of a segment's sums. across: neighbouring threads take
/// neighbouring segments, else terms.
template <class Term> struct PartialSums {
  Term term;
  std::size_t segments, chunks, length;
  bool across;
  double* partial;  // (terms, chunks, segments)
  RNX_HD void operator()(std::size_t t) const {
    const Split s(t, across ? segments : chunks);
    const std::size_t segment = across ? s.remainder : s.quotient,
                      chunk = across ? s.quotient : s.remainder;
    double acc[Term::terms] = {};
    for (std::size_t j = chunk; j < length; j += chunks) term(segment, j, acc);
    for (int k = 0; k < Term::terms; ++k)
      partial[(k * chunks + chunk) * segments + segment] = acc[k];
  }
};

struct FoldSums {
  std::size_t segments, from_chunks, chunks;
  const double* from;
  double* to;
  RNX_HD void operator()(std::size_t t) const {
    const Split s(t, segments), k(s.quotient, chunks);
    double sum = 0;
    for (std::size_t j = k.remainder; j < from_chunks; j += chunks)
      sum += from[(k.quotient * from_chunks + j) * segments + s.remainder];
    to[t] = sum;
  }
};

/// finish(segment, sums)
template <int Terms, class Finish> struct FinishSums {
  Finish finish;
  std::size_t segments, chunks;
  const double* partial;
  RNX_HD void operator()(std::size_t segment) const {
    double sums[Terms];
    for (int k = 0; k < Terms; ++k) {
      double sum = 0;
      for (std::size_t chunk = 0; chunk < chunks; ++chunk)
        sum += partial[(k * chunks + chunk) * segments + segment];
      sums[k] = sum;
    }
    finish(segment, sums);
  }
};

/// finish(segment, sums) with the sums over j in [0, length) of Term::terms terms each.
template <class E, class Term, class Finish>
void sum_segments(const E& on, std::size_t segments, std::size_t length, bool across,
                  const Term& term, const Finish& finish) {
  if (segments == 0) return;
  constexpr std::size_t threads = 1 << 17, shortest = 32, last = 64;
  const std::size_t chunks =
      clamped(length / shortest, std::size_t(1), larger(threads / segments, std::size_t(1)));
  const Scratch<double, E> partial(on, Term::terms * chunks * segments);
  on.each(chunks * segments,
          PartialSums<Term>{term, segments, chunks, length, across, partial.data()});
  if (chunks <= 4 * last)
    return on.each(segments,
                   FinishSums<Term::terms, Finish>{finish, segments, chunks, partial.data()});
  const Scratch<double, E> folded(on, Term::terms * last * segments);
  on.each(Term::terms * last * segments,
          FoldSums{segments, chunks, last, partial.data(), folded.data()});
  on.each(segments, FinishSums<Term::terms, Finish>{finish, segments, last, folded.data()});
}

}  // namespace rnx::inline RNX_ABI::gpu

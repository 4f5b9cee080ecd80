// Operations on attention maps: resizing, normalising, and the search for tutors; and on the rows
// of a batch: how they lie to each other, and to those of batches before. A map has one channel.
//
// Resized maps of one layer are `rows` rows of `length` values, dense: one row per sample, or one
// row for the whole batch.
#pragma once

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI {

/// How a map is brought to another size; both are the identity where sizes agree.
///   bilinear   two neighbours of the position (o + 1/2) in / out - 1/2, held inside the map
///              (interpolate, align_corners = False)
///   average    mean of the pixels [floor(o in / out), ceil((o + 1) in / out))
///              (adaptive average pooling)
enum class Resize { bilinear, average };

}  // namespace rnx::inline RNX_ABI

namespace rnx::inline RNX_ABI::op {

/// y(n, oh, ow) = sum over (ih, iw) of a(oh, ih) b(ow, iw) x(n, ih, iw), assigned; x (n, h, w, 1),
/// y (n, h', w', 1), any sizes
template <class T> struct resize_map {
  Map<const T> x;
  Map<T> y;
  Resize method;
  auto pointers() { return std::tie(x.data, y.data); }
};
/// dx += the transpose of resize_map on dy
template <class T> struct resize_map_backward {
  Map<const T> dy;
  Map<T> dx;
  Resize method;
  auto pointers() { return std::tie(dy.data, dx.data); }
};
/// y(r, :) = x(r, :) / max(|x(r, :)|, eps); norm(r) = |x(r, :)| (null: unwanted). y may be x.
template <class T> struct normalize_rows {
  int rows;
  std::size_t length;
  double eps;
  const T* px;
  T* py;
  T* norm;
  auto pointers() { return std::tie(px, py, norm); }
};
/// dx = (dy - y <y, dy>) / norm where norm >= eps, dy / eps elsewhere; assigned, dx may be dy
template <class T> struct normalize_rows_backward {
  int rows;
  std::size_t length;
  double eps;
  const T* py;
  const T* norm;
  const T* dy;
  T* dx;
  auto pointers() { return std::tie(py, norm, dy, dx); }
};
/// g(i, :) = softmax((v(i, :) + G(i, :)) / tau) (Jang et al. 2017), G standard Gumbel noise of the
/// stream (values->seed, gumbel, values->draw + draw, site) at index i tutors + j, tau =
/// values->temperature; no values: 0, 0 and 1. one_hot: g(i, :) = onehot(argmax v(i, :)) without
/// noise, the first of equal ones. A NaN makes its row NaN.
template <class T> struct tutor_draw {
  int layers, tutors;
  bool one_hot;
  std::uint64_t draw, site;
  const StepValues* values;
  const T* logits;
  T* g;
  auto pointers() { return std::tie(values, logits, g); }
};
/// dv(i, j) += g(i, j) (dg(i, j) - sum over k of g(i, k) dg(i, k)) / tau
template <class T> struct tutor_draw_backward {
  int layers, tutors;
  const StepValues* values;
  const T* g;
  const T* dg;
  T* dlogits;
  auto pointers() { return std::tie(values, g, dg, dlogits); }
};
/// d(r, j) = |s(r, :) - t(j, r, :)|; 0 where g(j) = 0, which has no share in the loss. s (rows,
/// length), t (tutors, rows, length)
template <class T> struct tutor_distance {
  int rows, tutors;
  std::size_t length;
  const T* s;
  const T* t;
  const T* g;
  T* d;
  auto pointers() { return std::tie(s, t, g, d); }
};
/// value of each sample of row r (`samples` of them) = scale sum over i of L(i, r), mean = their
/// mean over rows; g (layers, tutors), d (layers, rows, tutors)
///   L = sum over j of g(i, j) d(i, r, j), or with `joint` sqrt(sum over j of g(i, j)^2 d(i, r,
///   j)^2)
template <class T> struct tutor_value {
  int layers, tutors, rows, samples;
  bool joint;
  double scale;
  const T* g;
  const T* d;
  T* value;
  T* mean;
  auto pointers() { return std::tie(g, d, value, mean); }
};
/// ds(r, :) = weight dL(i, r)/ds for one layer i, assigned: weight sum over j of c(j) (s(r, :) -
/// t(j, r, :))
///   c = g(j) / d(r, j), or with `joint` g(j)^2 / L(r); 0 where the denominator is 0
template <class T> struct tutor_maps_backward {
  int rows, tutors;
  std::size_t length;
  bool joint;
  double weight;
  const T* s;
  const T* t;
  const T* g;
  const T* d;
  T* ds;
  auto pointers() { return std::tie(s, t, g, d, ds); }
};
/// dg(i, j) += weight sum over r of dL(i, r)/dg(i, j): d(i, r, j), or with `joint` g(i, j) d(i, r,
/// j)^2 / L(i, r)
template <class T> struct tutor_weights_backward {
  int layers, tutors, rows;
  bool joint;
  double weight;
  const T* g;
  const T* d;
  T* dg;
  auto pointers() { return std::tie(g, d, dg); }
};
/// What is compared of the rows x(i) of a batch, psi; H(e) = e^2 / 2 for |e| <= 1, |e| - 1/2 beyond
/// (Huber).
///   similarity   psi(i, j) = q(i, j) / |q(i, :)|, q(i, j) = <x(i), x(j)>
///                value(i) = 1/n sum over j of (psi_s - psi_t)^2
///   distance     psi(i, j) = |x(i) - x(j)| / their mean over i != j
///                value(i) = 1/n sum over j of H(psi_s - psi_t)
///   angle        psi(i, j, k) = cosine of the angle at x(i) between x(j) and x(k); 0 without one
///                value(i) = 1/n^2 sum over j, k of H(psi_s - psi_t)
enum class Relation { similarity, distance, angle };
/// Compares the relations among the n rows of s with those among the rows of t, which may have
/// another length. ds = weight d (sum over i of value(i)) / ds, assigned, or added where `add` is
/// set; no data: not computed.
template <class T> struct row_relations {
  Map<const T> s;
  Map<const T> t;
  Map<T> ds;
  T* value;
  Relation kind;
  double weight;
  bool add;
  auto pointers() { return std::tie(s.data, t.data, ds.data, value); }
};
/// A memory of unit rows, a ring of `capacity` rows of `length` values, dense; at: the slot where
/// the next row goes, how many rows have been remembered, and how many have been put since. Row i
/// of those is in slot at[0] + i.
template <class T> struct ring_of_rows {
  int capacity;
  int length;
  T* rows;
  T* at;
};
/// row i of the batch: x(i) / max(|x(i)|, 1e-12)
template <class T> struct put_rows {
  Map<const T> x;
  ring_of_rows<T> ring;
  auto pointers() { return std::tie(x.data, ring.rows, ring.at); }
};
/// The rows that were put count as remembered; where none was, nothing changes.
template <class T> struct remember_rows {
  ring_of_rows<T> ring;
  auto pointers() { return std::tie(ring.rows, ring.at); }
};
/// value(i) = -log softmax over c of (<s(i) / max(|s(i)|, 1e-12), v(c)> / temperature) at c = i
/// v: the n rows that were put for this batch, then the `newest` rows remembered last, or all that
/// there are. ds as in row_relations.
template <class T> struct row_contrast {
  Map<const T> s;
  Map<T> ds;
  ring_of_rows<T> ring;
  int newest;
  T* value;
  double temperature;
  double weight;
  bool add;
  auto pointers() { return std::tie(s.data, ds.data, ring.rows, ring.at, value); }
};

}  // namespace rnx::inline RNX_ABI::op

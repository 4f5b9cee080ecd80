// Operations of room distill on a device against the CPU's.
#pragma once

#include "ops.hpp"

#include "rnx/distill/cpu_batch.hpp"
#include "rnx/distill/cpu_tutor.hpp"

namespace test {

template <class Device, class T> struct DistillOps : Ops<Device, T> {
  using Base = Ops<Device, T>;
  using Base::check, Base::map, Base::positive, Base::values;
  static constexpr T nan = std::numeric_limits<T>::quiet_NaN();

  static void resizing(int h, int w) {
    for (const auto method : {rnx::Resize::bilinear, rnx::Resize::average}) {
      const geometry::Map x = map(3, 6, 5, 1, 2), y = map(3, h, w, 1, 1);
      Arrays m;
      check("resize_map", m,
            op::resize_map<T>{.x = {x, m.add(Field<T>(x, 1))},
                              .y = {y, m.add(Field<T>(y, 2, true))},
                              .method = method});
      check("resize_map_backward", m,
            op::resize_map_backward<T>{.dy = {y, m.add(Field<T>(y, 3))},
                                       .dx = {x, m.add(Field<T>(x, 4, true))},
                                       .method = method});
    }
  }
  /// Rows of which one is zero and one is NaN.
  static void normalizing(int rows, std::size_t length) {
    Arrays m;
    std::vector<T> x = numbers<T>(rows * length, 1), norm = positive(rows, 2);
    std::fill_n(x.begin(), length, T(0));
    x.back() = nan;
    norm[0] = 0;
    T *px = m.add(x), *py = m.add(numbers<T>(x.size(), 3)), *pn = m.add(norm),
      *to = m.add(numbers<T>(x.size(), 4));
    for (T* wanted : {pn, static_cast<T*>(nullptr)})
      check("normalize_rows", m,
            op::normalize_rows<T>{
                .rows = rows, .length = length, .eps = 1e-6, .px = px, .py = to, .norm = wanted});
    for (T* dx : {to, py})
      check("normalize_rows_backward", m,
            op::normalize_rows_backward<T>{.rows = rows,
                                           .length = length,
                                           .eps = 1e-6,
                                           .py = px,
                                           .norm = pn,
                                           .dy = py,
                                           .dx = dx});
  }

  static void draws(bool one_hot) {
    constexpr int layers = 4, tutors = 5;
    std::vector<T> logits = numbers<T>(layers * tutors, 1);
    logits[7] = nan;
    logits[11] = logits[13] = 2;
    for (const bool with_values : {false, true}) {
      Arrays m;
      const rnx::StepValues* v = with_values ? m.add(values()) : nullptr;
      T *pl = m.add(logits), *g = m.add(numbers<T>(layers * tutors, 2)),
        *dg = m.add(numbers<T>(layers * tutors, 3));
      check("tutor_draw", m,
            op::tutor_draw<T>{.layers = layers,
                              .tutors = tutors,
                              .one_hot = one_hot,
                              .draw = 3,
                              .site = 2,
                              .values = v,
                              .logits = pl,
                              .g = g});
      check("tutor_draw_backward", m,
            op::tutor_draw_backward<T>{
                .layers = layers, .tutors = tutors, .values = v, .g = g, .dg = dg, .dlogits = pl});
    }
  }
  /// The last tutor has no share, and its maps hold anything.
  static void tutors(int rows, std::size_t length, bool joint) {
    constexpr int layers = 2, tutors = 3;
    const int samples = rows == 1 ? 5 : 1;
    std::vector<T> t = numbers<T>(tutors * rows * length, 1),
                   d = positive(layers * rows * tutors, 2);
    std::fill(t.end() - long(rows * length), t.end(), nan);
    for (std::size_t k = 2; k < d.size(); k += 3) d[k] = 0;
    std::fill_n(d.begin(), tutors, T(0));
    Arrays m;
    T *s = m.add(numbers<T>(rows * length, 3)), *pt = m.add(t),
      *g = m.add(std::vector<T>{T(0.25), T(0.75), 0, T(0.5), T(0.5), 0}), *pd = m.add(d),
      *ds = m.add(numbers<T>(rows * length, 4));
    check("tutor_distance", m,
          op::tutor_distance<T>{
              .rows = rows, .tutors = tutors, .length = length, .s = s, .t = pt, .g = g, .d = pd});
    check("tutor_value", m,
          op::tutor_value<T>{.layers = layers,
                             .tutors = tutors,
                             .rows = rows,
                             .samples = samples,
                             .joint = joint,
                             .scale = 0.7,
                             .g = g,
                             .d = pd,
                             .value = m.add(std::vector<T>(std::size_t(rows) * samples)),
                             .mean = m.add(std::vector<T>(1))});
    check("tutor_maps_backward", m,
          op::tutor_maps_backward<T>{.rows = rows,
                                     .tutors = tutors,
                                     .length = length,
                                     .joint = joint,
                                     .weight = 0.3,
                                     .s = s,
                                     .t = pt,
                                     .g = g,
                                     .d = pd,
                                     .ds = ds});
    check("tutor_weights_backward", m,
          op::tutor_weights_backward<T>{.layers = layers,
                                        .tutors = tutors,
                                        .rows = rows,
                                        .joint = joint,
                                        .weight = 0.3,
                                        .g = g,
                                        .d = pd,
                                        .dg = m.add(numbers<T>(layers * tutors, 5))});
  }

  /// Two rows are equal; where `undefined`, one has a NaN.
  static void relations(int n, int c, bool undefined) {
    const geometry::Map s = map(n, 1, 1, c, 1), t = map(n, 1, 1, c + 3, 2);
    Field<T> own(s, 1);
    for (int k = 0; k < c && n > 1; ++k) own.at(1, 0, 0, k) = own.at(0, 0, 0, k);
    if (undefined) own.at(n - 1, 0, 0, 0) = nan;
    for (const auto kind : {op::Relation::similarity, op::Relation::distance, op::Relation::angle})
      for (const bool add : {false, true}) {
        Arrays m;
        op::row_relations<T> a{.s = {s, m.add(own)},
                               .t = {t, m.add(Field<T>(t, 2))},
                               .ds = {s, m.add(Field<T>(s, 3, true))},
                               .value = m.add(std::vector<T>(n)),
                               .kind = kind,
                               .weight = 0.6,
                               .add = add};
        check("row_relations", m, a);
        a.value = nullptr;
        check("row_relations without values", m, a);
        a.ds.data = nullptr;
        a.value = m.add(std::vector<T>(n));
        check("row_relations without gradient", m, a);
      }
  }
  /// remembered: rows of batches before; the batch's own wrap around the end of the ring.
  static void contrast(int remembered, int newest) {
    constexpr int n = 4, capacity = 600, length = 6;
    const geometry::Map x = map(n, 1, 1, length, 2);
    Field<T> own(x, 1);
    for (int k = 0; k < length; ++k) own.at(2, 0, 0, k) = 0;
    Arrays m;
    const op::ring_of_rows<T> ring{.capacity = capacity,
                                   .length = length,
                                   .rows = m.add(numbers<T>(std::size_t(capacity) * length, 2)),
                                   .at = m.add(std::vector<T>{capacity - 2, T(remembered), 3})};
    T *px = m.add(own), *value = m.add(std::vector<T>(n)), *ds = m.add(Field<T>(x, 3, true));
    check("put_rows", m, op::put_rows<T>{.x = {x, px}, .ring = ring});
    check("remember_rows", m, op::remember_rows<T>{.ring = ring});
    for (const bool add : {false, true})
      for (T* gradient : {ds, static_cast<T*>(nullptr)})
        check("row_contrast", m,
              op::row_contrast<T>{.s = {x, px},
                                  .ds = {x, gradient},
                                  .ring = ring,
                                  .newest = newest,
                                  .value = value,
                                  .temperature = 0.07,
                                  .weight = 0.5,
                                  .add = add});
    px[length - 1] = nan;
    check("row_contrast of a row that has no value", m,
          op::row_contrast<T>{.s = {x, px},
                              .ds = {x, ds},
                              .ring = ring,
                              .newest = newest,
                              .value = value,
                              .temperature = 0.07,
                              .weight = 0.5,
                              .add = false});
  }

  static void all() {
    resizing(6, 5);
    resizing(3, 11);
    resizing(1, 1);
    normalizing(3, 7);
    normalizing(2, 5000);
    draws(false);
    draws(true);
    for (const bool joint : {false, true}) {
      tutors(4, 9, joint);
      tutors(1, 3000, joint);
    }
    relations(6, 4, false);
    relations(6, 4, true);
    relations(1, 3, false);
    contrast(0, 590);
    contrast(7, 590);
    contrast(590, 590);
    contrast(590, 5);
  }
};

}  // namespace test

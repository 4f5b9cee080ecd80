// Operations of room linearize on a device against the CPU's.
#pragma once

#include "ops.hpp"

#include "rnx/linearize/cpu.hpp"

namespace test {

template <class Device, class T> struct LinearizeOps : Ops<Device, T> {
  using Base = Ops<Device, T>;
  using Base::check, Base::map;

  static void slopes(int extra) {
    const geometry::Map x = map(3, 4, 3, 5, extra), y = map(3, 4, 3, 5, 2 * extra);
    Field<T> values(x, 1);
    values.at(1, 2, 1, 3) = std::numeric_limits<T>::quiet_NaN();
    Arrays m;
    T *px = m.add(values), *slopes = m.add(numbers<T>(60, 2)), *dslopes = m.add(numbers<T>(60, 3)),
      *dy = m.add(Field<T>(y, 4)), *to = m.add(Field<T>(y, 5, true));
    check("sloped_relu_forward", m,
          op::sloped_relu_forward<T>{.x = {x, px}, .y = {y, to}, .slopes = slopes});
    op::sloped_relu_backward<T> backward{
        .x = {x, px}, .dy = {y, dy}, .dx = {y, to}, .slopes = slopes, .dslopes = dslopes};
    check("sloped_relu_backward", m, backward);
    backward.dx.data = dy;
    check("sloped_relu_backward in place", m, backward);
    backward.dslopes = nullptr;
    check("sloped_relu_backward of the input", m, backward);
    backward.dslopes = dslopes;
    backward.dx.data = nullptr;
    check("sloped_relu_backward of the slopes", m, backward);
  }
  static void distances(int extra) {
    const geometry::Map t = map(3, 4, 3, 5, extra), s = map(3, 4, 3, 5, 2 * extra);
    Field<T> student(s, 2);
    student.at(2, 1, 1, 4) = std::numeric_limits<T>::quiet_NaN();
    std::vector<T> sums = numbers<T>(60, 3), rest = numbers<T>(60, 4);
    for (std::size_t i = 0; i < 60; ++i) {
      sums[i] *= 1000;
      rest[i] *= std::numeric_limits<T>::epsilon();
    }
    Arrays m;
    check("distance_sums", m,
          op::distance_sums<T>{.t = {t, m.add(Field<T>(t, 1))},
                               .s = {s, m.add(student)},
                               .sums = m.add(sums),
                               .rest = m.add(rest)});
  }
  static void all() {
    distances(0);
    distances(2);
    slopes(0);
    slopes(2);
  }
};

}  // namespace test

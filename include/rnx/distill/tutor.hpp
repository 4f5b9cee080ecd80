// The tutor loss: every layer of a student searches its tutor among the layers of a teacher
// (RNAS-CL, sections 3.1 and 3.2).
#pragma once

#include "rnx/distill/cpu_tutor.hpp"
#include "rnx/distill/maps.hpp"

namespace rnx::inline RNX_ISA::distill {

/// The paper's Eq. 1 by default. Its released code is {.per_batch = true, .joint = true}.
struct TutorOptions {
  /// Layers whose attention maps are compared: nodes to which one of the rules applies.
  std::vector<Keep> student{Keep::every(Kind::convolution)},
      teacher{Keep::every(Kind::convolution)};
  int size = 14;  ///< maps are resized to size x size, bilinear
  /// a layer's maps of all samples are one vector, normalised and compared as a whole
  bool per_batch = false;
  /// sum over i of sqrt(sum over j of g_ij^2 d_ij^2), without the factor 1 / (n_s n_t)
  bool joint = false;
  std::uint64_t site = 0;  ///< tells the draws of several tutor losses apart
};

/// Random streams of losses lie behind those of layers, whose sites are node numbers.
constexpr std::uint64_t loss_sites = std::uint64_t(1) << 32;

/// L = 1/N sum over samples n of 1/(n_s n_t) sum over i, j of g_ij | s_i / |s_i| - t_j / |t_j| |
///   (RNAS-CL, Eq. 1, per sample)
///   s_i, t_j    attention maps F(h, w) = sum over c of x^2 of the student's and the teacher's
///               layers, resized to a common size
///   g_i         softmax((v_i + G_i) / tau): v the parameter "tutor.logits" (n_s, n_t), at the
///               start 1 / n_t; G standard Gumbel noise,
///               one draw per forward, of the student context's seed and draw; tau =
///               StepValues::temperature. Or see one_hot().
/// Both traces keep the maps (student_keep, teacher_keep). Memory is allocated by the first
/// forward, for the student's capacity.
///   forward     draws g and writes the value; then weights() and value() may be read, and dL/dg of
///               others added to weights_seed()
///   backward    += to the seeds of the student's maps and to the logits' gradients, once per
///               forward, before the student's backward
/// A student layer that did not run has no share; the factor 1 / (n_s n_t) counts it all the same.
/// Throws StateError where a map is not kept or has no seed, or backward has no forward; ShapeError
/// where the traces' samples differ.
template <class T = float, class Device = default_device>
class TutorLoss : public Parametrised<T, Device> {
 public:
  using TraceType = Trace<T, Device>;

  /// Throws UsageError when the rules find no layer or the size is not positive.
  TutorLoss(const Graph& student, const Graph& teacher, TutorOptions o = {})
      : options_(std::move(o)),
        student_(options_.student, student),
        teacher_(options_.teacher, teacher) {
    require<UsageError>(options_.size > 0, "tutor loss: the common size must be positive");
    require<UsageError>(students() > 0 && teachers() > 0,
                        "tutor loss: no layer to compare; see TutorOptions::student and ::teacher");
    NamedParameter p{"tutor.logits",
                     {students(), teachers()},
                     ParameterKind::architecture,
                     Init::constant,
                     1.0 / teachers()};
    p.count = std::size_t(students()) * teachers();
    this->parameters_ = Buffer<T, Device>(p.count);
    this->parameters_.upload(initial_values<T>(p, 0));
    weights_ = weights_seed_ = Buffer<T, Device>(p.count);
    list_.push_back(std::move(p));
  }
  const std::vector<NamedParameter>& parameter_list() const override { return list_; }

  /// n_s, n_t and the layers' names, in graph order.
  int students() const { return student_.size(); }
  int teachers() const { return teacher_.size(); }
  const std::vector<std::string>& student_layers() const { return student_.paths; }
  const std::vector<std::string>& teacher_layers() const { return teacher_.paths; }
  /// For TraceOptions::keep. The student's maps take seeds.
  std::vector<Keep> student_keep() const { return student_.keep(true); }
  std::vector<Keep> teacher_keep() const { return teacher_.keep(false); }

  /// true: g is the argmax of the logits, without noise and without a gradient: training what was
  /// found (section 3.4).
  void one_hot(bool on) { one_hot_ = on; }
  /// The teacher layer with the largest logit for each student layer. Reads memory back.
  /// Throws NumericError where a logit is NaN.
  std::vector<int> tutors() const {
    const std::vector<T> v = this->parameters_.download();
    for (const T logit : v)
      require<NumericError>(!std::isnan(logit), "tutor loss: a logit is NaN, expected numbers");
    std::vector<int> best;
    for (auto row = v.begin(); row != v.end(); row += teachers())
      best.push_back(int(std::max_element(row, row + teachers()) - row));
    return best;
  }

  void forward(const TraceType& student, const TraceType& teacher) {
    require<StateError>(student.n() > 0, "tutor loss: the student's trace has run no forward");
    require<ShapeError>(student.n() == teacher.n(), [&] {
      return "tutor loss: the student has " + std::to_string(student.n()) +
             " samples, the teacher " + std::to_string(teacher.n());
    });
    const Context& ctx = student.context();
    stream_ = {ctx.stream};
    step_ = ctx.values;
    n_ = student.n();
    version_ = this->parameter_version_;
    pending_ = false;
    reserve(student.capacity());
    const T* logits = std::as_const(*this).parameters();
    launch(op::tutor_draw<T>{.layers = students(),
                             .tutors = teachers(),
                             .one_hot = one_hot_,
                             .draw = ctx.draw,
                             .site = loss_sites + options_.site,
                             .values = step_,
                             .logits = logits,
                             .g = weights_.data()});
    memory<Device>::zero(weights_seed_.data(), weights_seed_.size() * sizeof(T), stream_);
    memory<Device>::zero(distances_.data(), distances_.size() * sizeof(T),
                         stream_);  // of layers that do not run
    teacher_.each(teacher, [&](int j, const Kept<T, Device>& kept) {
      require<StateError>(kept.active, [&] {
        return "tutor loss: the teacher's layer '" + kept.path + "' did not run";
      });
      normalised_map<T, Device>(stream_, kept, common(), Resize::bilinear, rows(), t(j), nullptr);
    });
    student_.each(student, [&](int i, const Kept<T, Device>& kept) {
      if (!kept.active) return;
      normalised_map<T, Device>(stream_, kept, common(), Resize::bilinear, rows(), s(i), norm(i));
      launch(op::tutor_distance<T>{.rows = rows(),
                                   .tutors = teachers(),
                                   .length = length(),
                                   .s = s(i),
                                   .t = t(0),
                                   .g = g(i),
                                   .d = d(i)});
    });
    launch(op::tutor_value<T>{.layers = students(),
                              .tutors = teachers(),
                              .rows = rows(),
                              .samples = n_ / rows(),
                              .joint = options_.joint,
                              .scale = scale(),
                              .g = g(0),
                              .d = d(0),
                              .value = values_.data(),
                              .mean = value_.data()});
    pending_ = true;
  }

  /// Gradients of weight L. grads: of this loss's logits; null: not computed.
  void backward(const TraceType& student, double weight, Grads<T, Device>* grads) {
    require<StateError>(pending_ && student.n() == n_,
                        "tutor loss: backward needs a forward of the same samples before it");
    require<StateError>(version_ == this->parameter_version_,
                        "tutor loss: a logit changed since forward");
    require<ShapeError>(!grads || grads->flat.size() == this->parameters_.size(),
                        "tutor loss: these gradients belong to another object");
    const double each = weight * scale() / rows();
    student_.each(student, [&](int i, const Kept<T, Device>& kept) {
      if (!kept.active) return;
      require<StateError>(bool(kept.seed), [&] {
        return "tutor loss: the map of '" + kept.path + "' has no seed; use student_keep()";
      });
      T* ds = gradient_.data();
      launch(op::tutor_maps_backward<T>{.rows = rows(),
                                        .tutors = teachers(),
                                        .length = length(),
                                        .joint = options_.joint,
                                        .weight = each,
                                        .s = s(i),
                                        .t = t(0),
                                        .g = g(i),
                                        .d = d(i),
                                        .ds = ds});
      normalised_map_backward<T, Device>(stream_, kept, common(), Resize::bilinear, rows(), s(i),
                                         norm(i), ds);
    });
    pending_ = false;
    if (!grads || one_hot_) return;
    launch(op::tutor_weights_backward<T>{.layers = students(),
                                         .tutors = teachers(),
                                         .rows = rows(),
                                         .joint = options_.joint,
                                         .weight = each,
                                         .g = g(0),
                                         .d = d(0),
                                         .dg = weights_seed_.data()});
    launch(op::tutor_draw_backward<T>{.layers = students(),
                                      .tutors = teachers(),
                                      .values = step_,
                                      .g = g(0),
                                      .dg = weights_seed_.data(),
                                      .dlogits = grads->flat.data()});
  }

  void operator()(const TraceType& student, const TraceType& teacher, double weight,
                  Grads<T, Device>* grads) {
    forward(student, teacher);
    backward(student, weight, grads);
  }

  /// Device memory of the last forward: L; one value per sample (with per_batch each is L); g
  /// (n_s, n_t), and its gradient for others.
  const T* value() const { return value_.data(); }
  const T* values() const { return values_.data(); }
  const T* weights() const { return weights_.data(); }
  T* weights_seed() { return weights_seed_.data(); }
  const TutorOptions& options() const { return options_; }
  /// Of this loss's own memory.
  std::size_t bytes() const {
    std::size_t k = 0;
    for (const auto* b :
         {&weights_, &weights_seed_, &s_, &t_, &norms_, &distances_, &gradient_, &values_, &value_})
      k += b->size();
    return k * sizeof(T);
  }

 private:
  template <class Operation> void launch(const Operation& a) const { run<Device>(stream_, a); }
  void reserve(int capacity) {
    if (capacity <= capacity_) return;
    using Memory = Buffer<T, Device>;
    const std::size_t n = std::size_t(capacity), map = n * options_.size * options_.size;
    s_ = Memory(students() * map);
    t_ = Memory(teachers() * map);
    gradient_ = Memory(map);
    norms_ = Memory(students() * n);
    distances_ = Memory(students() * n * teachers());
    values_ = Memory(n);
    value_ = Memory(1);
    capacity_ = capacity;
  }
  int rows() const { return options_.per_batch ? 1 : n_; }
  geometry::Map common() const { return {n_, options_.size, options_.size, 1, 1}; }
  std::size_t length() const { return common().rows() / rows(); }
  double scale() const { return options_.joint ? 1.0 : 1.0 / (double(students()) * teachers()); }
  // of one layer: normalised maps (rows, length), norms (rows), distances (rows, n_t), Gumbel
  // weights (n_t)
  T* s(int i) { return s_.data() + i * common().rows(); }
  T* t(int j) { return t_.data() + j * common().rows(); }
  T* norm(int i) { return norms_.data() + std::size_t(i) * rows(); }
  T* d(int i) { return distances_.data() + std::size_t(i) * rows() * teachers(); }
  const T* g(int i) const { return weights_.data() + std::size_t(i) * teachers(); }

  TutorOptions options_;
  MapLayers<T, Device> student_, teacher_;
  std::vector<NamedParameter> list_;
  Buffer<T, Device> weights_, weights_seed_, s_, t_, norms_, distances_, gradient_, values_, value_;
  int capacity_ = 0;
  bool one_hot_ = false;

  // of the last forward
  Stream stream_{};
  const StepValues* step_ = nullptr;
  int n_ = 0;
  std::uint64_t version_ = 0;
  bool pending_ = false;
};

}  // namespace rnx::inline RNX_ISA::distill

// What an objective works on in each step: the batch, its passes, gradients, values. Built once
// from a Plan; a step allocates nothing.
#pragma once

#include "rnx/attack.hpp"
#include "rnx/optim.hpp"
#include "rnx/train/stage_memory.hpp"
#include "rnx/train/term_values.hpp"

namespace rnx::inline RNX_ISA::train {

/// A term's share of a step: see Stage::descend.
struct Descent {
  std::string_view pass{};     ///< whose logits and taps the loss reads
  std::string_view name{};     ///< of its value in logs
  double weight = 1;           ///< of the mean over the pass's samples
  bool over_elements = false;  ///< the mean is over samples and classes (loss::elementmean)
  std::string_view target{};   ///< the pass that the loss's target comes from; empty: the batch's
};

template <class T, class Device> class Stage {
 public:
  using In = rnx::View<const T, Device>;
  using Out = rnx::View<T, Device>;
  using Network = NetworkBase<T, Device>;
  using TraceType = Trace<T, Device>;

  Stage(Network& student, Plan<T, Device> plan)
      : net(student),
        labels(plan.batch, student.classes()),
        plan_(std::move(plan)),
        rows_(1 + plan_.attacks.size()),
        device_rows_(rows_.size()),
        memory_(net, plan_),
        terms_(plan_.batch) {
    for (std::size_t k = 0; k < plan_.views.size(); ++k)
      views_.emplace_back(plan_.batch, net.input_dims());
    for (const auto& s : plan_.states) {
      std::size_t count = 1;
      for (const int k : s.shape) count *= std::size_t(k);
      states_.emplace_back(count);
    }
    make_grads();
    for (const auto& part : plan_.parts) part_grads_.push_back(part.object->make_grads());
    for (std::size_t k = 0; k < plan_.passes.size(); ++k) add_pass(k);
    find_counted();
  }
  Stage(const Stage&) = delete;

  Network& net;
  Moment now{};
  loss::Labels<Device> labels;  ///< of the batch

  const Plan<T, Device>& plan() const { return plan_; }
  int batch() const { return plan_.batch; }

  // what items do in a step

  /// A view of the batch's samples, (n, h, w, c) in [0, 1].
  In view(std::string_view name) const {
    return views_[index_of(plan_.views, name)].view().samples(0, now.n);
  }
  /// The same, to be filled by the item that provides it.
  Out writable(std::string_view name) {
    return views_[index_of(plan_.views, name)].view().samples(0, now.n);
  }
  /// Runs a pass. The statistics of a trained pass in train mode are folded in at once, as in
  /// PyTorch.
  void forward(std::string_view name) {
    PassState& p = state_of(name);
    const PassOptions& o = p.plan->options;
    p.first = o.rows.first(now.n);
    p.n = o.rows.count(now.n);
    p.ran = true;
    p.seeded = false;
    if (p.n == 0) return;
    const Context ctx = context(o, p);
    p.plan->net->forward(*p.trace, view(o.view).samples(p.first, p.n), ctx);
    if (o.trained && o.mode == Mode::train)
      for (int k = 0; k < o.commits; ++k) net.commit_statistics(*p.trace);
    if (&p == counted_) count_logits(p);
  }
  /// Of a pass that has run: its logits, (n, classes), and the batch's number of its first sample.
  In logits(std::string_view name) { return ran(name).trace->logits(); }
  TraceType& trace(std::string_view name) { return *ran(name).trace; }
  int first(std::string_view name) { return ran(name).first; }
  int count(std::string_view name) { return ran(name).n; }
  bool trained(std::string_view name) { return state_of(name).plan->options.trained; }
  /// The student's subnet in the passes to come of this step; without one it is the largest.
  void choose(Subnet subnet) {
    subnet_ = std::move(subnet);
    chosen_ = true;
  }
  /// d loss / d view of a pass that asked for it, there once the pass has been closed.
  In input_gradient(std::string_view name) const {
    const PassState& p = passes_[index_of(plan_.passes, name)];
    return std::as_const(*p.dx).view().samples(0, p.n);
  }

  /// Adds weight mean(loss) to the step's objective: gradients to the pass, its mean to the values.
  /// The loss's target is in whole batches, or in the rows of the pass `target`. Errors: those of
  /// the loss, StateError where the pass has not run.
  template <class Loss> void descend(const Descent& d, const Loss& loss) {
    PassState& p = ran(d.pass);
    if (p.n == 0) return;
    auto& t = terms_.term(d.name, item_, d.pass);
    loss::Call<T> call = terms_.call(t, p.n, p.seeded, stream());
    aim(call, d, p, p.gain);
    loss::evaluate(loss, *p.trace, call);
    p.seeded = true;
    terms_.add(t, call.weight * p.n, stream());
  }
  /// The same on a pass whose gradient alone is wanted: the other side of a term on `target` that
  /// has its value.
  template <class Loss> void descend_silently(const Descent& d, const Loss& loss) {
    PassState& p = ran(d.pass);
    if (p.n == 0) return;
    loss::Call<T> call{.add = p.seeded};
    aim(call, d, p, d.target.empty() ? p.gain : ran(d.target).gain);
    loss::evaluate(loss, *p.trace, call);
    p.seeded = true;
  }
  /// Multiplies the terms to come on a pass.
  void set_gain(std::string_view pass, double gain) { state_of(pass).gain = gain; }
  double gain(std::string_view pass) { return state_of(pass).gain; }

  /// Device memory of a declared state.
  T* state(std::string_view name) { return states_[index_of(plan_.states, name)].data(); }
  Grads<T, Device>& part_grads(std::string_view name) {
    return part_grads_[index_of(plan_.parts, name)];
  }
  /// An object of the item that runs, made when it is first asked for: make() returns it. Items do
  /// not share names.
  template <class Make> auto& once(std::string_view name, Make make) {
    using Object = decltype(make());
    for (const Owned& o : objects_)
      if (o.item == item_ && o.name == name) return *static_cast<Object*>(o.object.get());
    objects_.push_back({item_, std::string(name), std::make_shared<Object>(make())});
    return *static_cast<Object*>(objects_.back().object.get());
  }
  /// A part of the plan, as the item that gave it knows it.
  template <class Object> Object& part_as(std::string_view name) {
    return dynamic_cast<Object&>(*plan_.parts[index_of(plan_.parts, name)].object);
  }
  /// A number for logs that is no term.
  void note(std::string_view name, double value) { terms_.note(name, value); }
  Stream stream() const { return {stream_}; }
  /// What a pass of the student is told.
  Context context(Mode mode, int path, int first) const {
    return {.mode = mode,
            .path = path,
            .subnet = chosen_ ? &subnet_ : nullptr,
            .values = device_rows_.data(),
            .first_sample = std::uint64_t(first),
            .stream = stream_,
            .frozen = frozen_.empty() ? nullptr : frozen_.data(),
            .first_trained = first_trained_};
  }

  /// What an attack works with.
  struct Attacker {
    attack::Workspace<T, Device>* work;  ///< null where it wanted none
    const StepValues* values;            ///< device memory, with its radius and step
    std::uint64_t draw;                  ///< tells the attacks of one step apart
  };
  Attacker attacker(std::string_view name) {
    const std::size_t k = index_of(plan_.attacks, name);
    return {memory_.attack(k), device_rows_.data() + 1 + k,
            std::uint64_t(k) << draw_bits_of_attack};
  }
  /// Rows [first, first + n) of the batch of a pass's logits. Errors: UsageError (it has not all).
  In logits(std::string_view name, int first, int n) {
    const PassState& p = ran(name);
    require<UsageError>(first >= p.first && first + n <= p.first + p.n, [&] {
      return "objective: pass '" + std::string(name) + "' has not all of the rows that are read";
    });
    return p.trace->logits().samples(first - p.first, n);
  }

  // what a Step does

  /// Seed, draw, temperature and rates of the step to come, to device memory.
  void set_values(const StepValues& v, Stream stream = {}) {
    rows_[0] = v;
    for (std::size_t k = 0; k < plan_.attacks.size(); ++k) {
      rows_[k + 1] = v;
      rows_[k + 1].eps = -1;  // an attack that writes no radius is refused
      if (plan_.attacks[k].options.set) plan_.attacks[k].options.set(rows_[k + 1]);
    }
    memory<Device>::upload(device_rows_.data(), rows_.data(), rows_.size() * sizeof(StepValues),
                           stream);
  }
  void begin(const Moment& moment, Stream stream) {
    now = moment;
    stream_ = stream.handle;
    item_ = 0;
    chosen_ = false;
    counted_n_ = 0;
    for (Grads<T, Device>& g : grads_) g.zero(stream);
    for (Grads<T, Device>& g : part_grads_) g.zero(stream);
    for (PassState& p : passes_) {
      p.ran = false;
      p.gain = 1;
    }
    terms_.begin();
  }
  int item() const { return item_; }
  void set_item(int item) { item_ = item; }
  /// Whether a trained pass that has run ends at this item.
  template <class F> void closing(F f) {
    for (PassState& p : passes_)
      if (ends_here(p)) f(p.plan->name);
  }
  /// Behind each item: what no later item reads runs backward, in the order of the list.
  void end_item() {
    for (PassState& p : passes_)
      if (ends_here(p)) close(p);
    ++item_;
  }
  /// Context::frozen and first_trained of the student's passes.
  void freeze(std::vector<std::uint32_t> batch_norms, int first_trained) {
    frozen_ = std::move(batch_norms);
    first_trained_ = first_trained;
  }
  /// The loader's view k; 0 is "clean".
  Tensor<T, Device>& images(std::size_t k) {
    for (std::size_t i = 0; i < plan_.views.size(); ++i)
      if ((i == 0 || plan_.views[i].augment) && k-- == 0) return views_[i];
    throw UsageError("stage: the objective has fewer views of the loader");
  }

  /// Gradients: those of passes without `into`, and those for each stepper that passes name.
  /// Optimizers keep the address.
  Grads<T, Device>& grads(const std::string& into = "") {
    for (std::size_t k = 0; k < into_.size(); ++k)
      if (into_[k] == into) return grads_[k];
    throw NameError("objective: no pass is for the stepper '" + into + "'");
  }
  Parametrised<T, Device>& part(std::size_t k) { return *plan_.parts[k].object; }
  Grads<T, Device>& part_grads(std::size_t k) { return part_grads_[k]; }

  /// Of the last step, downloaded: the mean of each term over its samples, without its weight.
  std::vector<NamedValue> values() const { return terms_.all(); }
  /// The mean of one term in this step, unweighted; reads memory back. Errors: NameError,
  /// NumericError.
  double value(std::string_view term) const { return terms_.one(term); }
  /// The sum of the means times their weights and gains, so far: of all terms, or of those on one
  /// pass. Reads memory back. Errors: NumericError where one is not finite.
  double objective_value(std::string_view pass = {}) const { return terms_.total(pass); }
  /// The logits of the first trained pass in the last step, on the host, and its samples.
  struct Counted {
    std::vector<T> logits;
    int first = 0, n = 0;
  };
  Counted counted() const {
    Counted c{.logits = std::vector<T>(std::size_t(counted_n_) * net.classes()),
              .first = counted_first_,
              .n = counted_n_};
    memory<Device>::download(c.logits.data(), counted_logits_.data(), c.logits.size() * sizeof(T));
    return c;
  }
  /// States and the parameters of parts, as checkpoints hold them.
  std::vector<optim::State<T>> states() {
    std::vector<optim::State<T>> list;
    for (std::size_t k = 0; k < states_.size(); ++k)
      list.push_back({.name = plan_.states[k].name,
                      .shape = plan_.states[k].shape,
                      .data = states_[k].data(),
                      .count = states_[k].size()});
    for (const auto& part : plan_.parts) {
      T* const base = part.object->mutable_parameters();
      for (const NamedParameter& p : part.object->parameter_list())
        list.push_back({.name = part.name + "." + p.name,
                        .shape = p.shape,
                        .data = base + p.offset,
                        .count = p.count});
    }
    return list;
  }
  /// Memory of traces and of attacks' traces, in bytes, by name.
  std::vector<std::pair<std::string, std::size_t>> bytes() const { return memory_.bytes(); }
  /// Since the stage was made.
  StagePasses passes() const { return memory_.passes(); }
  /// See StageMemory.
  void count_attack(const Passes& passes) { memory_.count_attack(passes); }

 private:
  struct PassState {
    const typename Plan<T, Device>::Pass* plan = nullptr;
    TraceType* trace = nullptr;
    std::unique_ptr<Tensor<T, Device>> dx{};
    int first = 0, n = 0;
    bool ran = false, seeded = false;
    double gain = 1;
  };
  struct Owned {
    int item;
    std::string name;
    std::shared_ptr<void> object;
  };
  template <class List> static std::size_t index_of(const List& list, std::string_view name) {
    for (std::size_t k = 0; k < list.size(); ++k)
      if (list[k].name == name) return k;
    throw NameError("objective: it has no '" + std::string(name) + "'");
  }
  PassState& state_of(std::string_view name) { return passes_[index_of(plan_.passes, name)]; }
  PassState& ran(std::string_view name) {
    PassState& p = state_of(name);
    require<StateError>(p.ran, [&] {
      return "objective: pass '" + std::string(name) +
             "' has not run, or its backward has: an item that reads it says so by reads_pass";
    });
    return p;
  }
  Context context(const PassOptions& o, const PassState& p) const {
    Context ctx = context(o.mode, o.path, p.first);
    if (o.largest) ctx.subnet = nullptr;
    if (!p.plan->of_student()) {
      ctx.subnet = o.subnet;
      ctx.frozen = nullptr;
      ctx.first_trained = 0;
    }
    return ctx;
  }
  void make_grads() {
    into_.push_back("");
    for (const auto& p : plan_.passes)
      if (std::find(into_.begin(), into_.end(), p.options.into) == into_.end())
        into_.push_back(p.options.into);
    for (std::size_t k = 0; k < into_.size(); ++k) grads_.push_back(net.make_grads());
  }
  void add_pass(std::size_t k) {
    PassState state{.plan = &plan_.passes[k], .trace = &memory_.pass(k)};
    if (plan_.passes[k].options.input_gradient)
      state.dx = std::make_unique<Tensor<T, Device>>(batch(), net.input_dims());
    passes_.push_back(std::move(state));
  }
  /// Which samples of its target a loss takes, and how its gradients are weighted.
  void aim(loss::Call<T>& call, const Descent& d, const PassState& p, double gain) {
    call.first = p.first - (d.target.empty() ? 0 : ran(d.target).first);
    call.weight = d.weight * gain *
                  (d.over_elements ? loss::elementmean(p.n, net.classes()) : loss::batchmean(p.n));
  }
  /// Training accuracy is counted on the first trained pass.
  void find_counted() {
    for (PassState& p : passes_)
      if (!counted_ && p.plan->options.trained) counted_ = &p;
    if (counted_) counted_logits_ = Buffer<T, Device>(std::size_t(batch()) * net.classes());
  }
  void count_logits(const PassState& p) {
    const In z = p.trace->logits();
    const geometry::Map rows{z.n, 1, 1, z.dims.c, net.classes()};
    run<Device>(stream(), op::copy<T>{.from = z, .to = {rows, counted_logits_.data()}});
    counted_first_ = p.first;
    counted_n_ = p.n;
  }
  bool ends_here(const PassState& p) const {
    return p.ran && p.n > 0 && p.plan->options.trained && p.plan->last == item_;
  }
  void close(PassState& p) {
    require<StateError>(p.seeded, [&] {
      return "objective: pass '" + p.plan->name + "' is trained, but no term reads it";
    });
    const Out dx = p.dx ? p.dx->view().samples(0, p.n) : Out{};
    net.backward(*p.trace, dx, &grads(p.plan->options.into));
    p.ran = false;
  }

  Plan<T, Device> plan_;
  std::vector<Tensor<T, Device>> views_;
  std::vector<Buffer<T, Device>> states_;
  std::vector<StepValues> rows_;  ///< 0: of passes; others: of adversaries
  Buffer<StepValues, Device> device_rows_;
  std::vector<Grads<T, Device>> grads_, part_grads_;
  std::vector<std::string> into_;
  StageMemory<T, Device> memory_;
  std::vector<PassState> passes_;
  TermValues<T, Device> terms_;
  std::vector<Owned> objects_;
  std::vector<std::uint32_t> frozen_;
  Subnet subnet_{};
  bool chosen_ = false;
  int first_trained_ = 0;
  const PassState* counted_ = nullptr;
  Buffer<T, Device> counted_logits_;
  int counted_first_ = 0, counted_n_ = 0, item_ = 0;
  void* stream_ = nullptr;
};

}  // namespace rnx::inline RNX_ISA::train

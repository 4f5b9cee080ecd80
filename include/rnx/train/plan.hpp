// What an objective asks for before the first step: views, passes, memory, values that schedules
// move. Items say it to a Planner; a Stage (stage.hpp) is built from the Plan.
#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "rnx/data/augment.hpp"
#include "rnx/train/moment.hpp"

namespace rnx::inline RNX_ISA::train {

/// A forward of a view.
struct PassOptions {
  std::string view = "clean";  ///< what it reads
  NetRef net{};                ///< empty: the student
  bool trained = true;         ///< gradients of its terms reach the student's parameters
  Mode mode = Mode::train;
  int path = 0;  ///< batch-norm path
  Rows rows{};
  bool largest = false;            ///< the largest subnet, whatever the step's subnet is
  const Subnet* subnet = nullptr;  ///< of a network other than the student; null: the largest
  int commits = 1;                 ///< how often its batch statistics are folded in
  std::string into{};              ///< the stepper that takes its gradients; empty: all others
  bool input_gradient = false;     ///< Stage::input_gradient is wanted
};

/// An attack on the student, which makes a view.
struct AttackOptions {
  Mode mode = Mode::eval;  ///< of the student under attack
  int path = 0;            ///< batch-norm path
  Rows rows{};
  int commits = 0;                         ///< how often each forward's statistics are folded in
  bool memory = true;                      ///< false: it needs no workspace
  std::vector<Keep> keep{};                ///< what its loss reads
  std::function<void(StepValues&)> set{};  ///< writes its radius and step
};

template <class T, class Device> struct Plan {
  struct View {
    std::string name;
    Rows rows{};
    std::optional<data::Augment> augment{};  ///< made by the loader; empty: made by an item
  };
  struct Pass {
    std::string name;
    PassOptions options;
    const NetworkBase<T, Device>* net = nullptr;
    std::vector<Keep> keep{};
    int first = 0, last = 0;  ///< items between which its trace is in use

    bool of_student() const { return !options.net; }
  };
  struct Attack {
    std::string name;
    AttackOptions options;
    int item = 0;
  };
  struct State {
    std::string name;
    std::vector<int> shape;
  };
  struct Part {
    std::string name;
    std::unique_ptr<Parametrised<T, Device>> object;
  };
  struct Value {
    std::string name;
    double start;
    std::function<void(double)> set;
  };

  int batch = 0, items = 0, replays = 1;
  bool labels = false;  ///< whether an item reads the batch's labels
  std::vector<View> views;
  std::vector<Pass> passes;
  std::vector<Attack> attacks;
  std::vector<State> states;
  std::vector<Part> parts;
  std::vector<Value> values;
  std::vector<std::string> facts;  ///< what else the bits depend on

  /// All that a run's bits depend on, as one line: a resume with another one is refused.
  std::string describe() const {
    std::string text = replays == 1 ? "" : "replays " + std::to_string(replays) + "; ";
    for (const View& v : views)
      if (v.name != "clean")
        text += "view " + v.name + rows_text(v.rows) +
                (v.augment ? " " + v.augment->describe() : std::string()) + "; ";
    for (const Pass& p : passes) text += pass_text(p) + "; ";
    for (const Value& v : values) text += v.name + " " + exact_text(v.start) + "; ";
    for (const std::string& fact : facts) text += fact + "; ";
    if (text.size() >= 2) text.resize(text.size() - 2);
    return text;
  }

 private:
  static std::string rows_text(const Rows& rows) {
    if (rows == Rows{}) return "";
    return " rows " + exact_text(rows.begin) + " to " + exact_text(rows.end);
  }
  static std::string pass_text(const Pass& p) {
    const PassOptions& o = p.options;
    std::string text = std::string(o.trained ? "pass " : "still ") + p.name + " of " + o.view +
                       rows_text(o.rows) + (o.mode == Mode::train ? " train" : " eval") + " path " +
                       std::to_string(o.path);
    if (!p.of_student()) text += " of another network";
    if (o.subnet) text += " subnet " + std::to_string(o.subnet->id);
    if (o.largest) text += " largest";
    if (o.trained && o.commits != 1) text += " commits " + std::to_string(o.commits);
    if (!o.into.empty()) text += " into " + o.into;
    return text;
  }
};

/// Collects a Plan. Names of views and of passes are two sets. Errors: NameError where a name is
/// given twice or is not known, UsageError where what is asked for cannot be.
template <class T, class Device> class Planner {
 public:
  Planner(const NetworkBase<T, Device>& student, int batch) : student_(student) {
    plan_.batch = batch;
    plan_.views.push_back({.name = "clean"});
  }

  const NetworkBase<T, Device>& student() const { return student_; }
  int batch() const { return plan_.batch; }

  /// A further view of each sample, which the loader makes.
  void loaded(const std::string& name, data::Augment augment) {
    add_view({.name = name, .augment = std::move(augment)});
  }
  /// A view of these rows that an item fills (Stage::writable).
  void view(const std::string& name, Rows rows = {}) { add_view({.name = name, .rows = rows}); }
  /// The view is read by this item.
  void reads_view(const std::string& name, Rows rows = {}) {
    const auto& v = named(plan_.views, name, "view");
    require<UsageError>(v.rows.holds(rows), [&] {
      return "objective: the view '" + name + "' has not all of the rows that are read of it";
    });
  }

  void pass(const std::string& name, PassOptions o) {
    check_new(plan_.passes, name, "pass");
    check_rows(o.rows, name);
    reads_view(o.view, o.rows);
    const NetworkBase<T, Device>& net = o.net ? o.net.template of<T, Device>(name) : student_;
    require<ShapeError>(net.input_dims() == student_.input_dims(), [&] {
      return "objective: the network of pass '" + name + "' takes " + net.input_dims().text() +
             ", the student " + student_.input_dims().text();
    });
    require<UsageError>(!o.net || !o.trained, [&] {
      return "objective: pass '" + name + "' would train another network than the student";
    });
    check_path(name, o.path, net);
    require<UsageError>(o.commits >= 0, "objective: the number of commits must not be negative");
    const int now = plan_.items;
    plan_.passes.push_back(
        {.name = name, .options = std::move(o), .net = &net, .first = now, .last = now});
  }
  /// The pass is read by this item, which may add gradients to it: its backward runs behind the
  /// last item that reads it. `rows`: samples that are read of it.
  void reads_pass(const std::string& name, std::optional<Rows> rows = {}) {
    auto& p = named(plan_.passes, name, "pass");
    require<UsageError>(!rows || p.options.rows.holds(*rows), [&] {
      return "objective: the pass '" + name + "' has not all of the rows that are read of it";
    });
    p.last = plan_.items;
  }
  /// A term on `pass` that compares it with `target`.
  void reads_target(const std::string& pass, const std::string& target) {
    const auto& p = named(plan_.passes, pass, "pass");
    reads_pass(target, p.options.rows);
    check_classes(target, p.net->classes(), "'" + pass + "'");
  }
  /// An attack on the student's `rows` that compares it with `target`.
  void reads_target(const Rows& rows, const std::string& target) {
    reads_pass(target, rows);
    check_classes(target, student_.classes(), "the student");
  }
  const NetworkBase<T, Device>& network(const std::string& pass) {
    return *named(plan_.passes, pass, "pass").net;
  }
  const PassOptions& options(const std::string& pass) {
    return named(plan_.passes, pass, "pass").options;
  }
  /// An attack that fills the view `name`, by memory of the stage (Stage::attacker).
  void attack(const std::string& name, AttackOptions o) {
    check_new(plan_.attacks, name, "attack");
    constexpr std::size_t most = std::size_t(1) << (draw_bits_of_step - draw_bits_of_attack);
    require<UsageError>(plan_.attacks.size() < most, [&] {
      return "objective: a step has room for the draws of " + std::to_string(most) + " attacks";
    });
    plan_.attacks.push_back({.name = name, .options = std::move(o), .item = plan_.items});
  }
  /// Errors: UsageError where the student has no such batch-norm path.
  void check_path(const std::string& name, int path, const NetworkBase<T, Device>& net) const {
    require<UsageError>(path >= 0 && path < path_count(net.graph()), [&] {
      return "objective: '" + name + "' asks for batch-norm path " + std::to_string(path) +
             "; its network has " + std::to_string(path_count(net.graph()));
    });
  }
  /// An activation of a pass that losses read; returns the dims of the first one. Errors: NameError
  /// where the network has none.
  Dims keep(const std::string& pass, Keep rule) {
    auto& p = named(plan_.passes, pass, "pass");
    const auto& nodes = p.net->graph().nodes;
    const auto found =
        std::find_if(nodes.begin(), nodes.end(), [&](const Node& n) { return rule.applies(n); });
    require<NameError>(found != nodes.end(), [&] {
      return "objective: the network of pass '" + pass + "' has no " +
             (rule.by == Keep::By::path ? "layer '" + rule.path + "'"
                                        : std::string("layer of this tag or kind")) +
             " to keep";
    });
    p.keep.push_back(std::move(rule));
    return found->out;
  }
  /// A tap of `pass`, with a seed, that `term` compares with the same tap of `target`. Errors:
  /// NameError, and ShapeError where their dims differ and must not.
  template <class Tag>
  Dims keep_pair(const std::string& term, const std::string& pass, const std::string& target,
                 bool alike = true) {
    const Dims own = keep(pass, Keep::tap<Tag>().seeded()), other = keep(target, Keep::tap<Tag>());
    require<ShapeError>(!alike || own == other, [&] {
      return "objective: " + term + " compares " + own.text() + " of '" + pass + "' with " +
             other.text() + " of '" + target + "'";
    });
    return own;
  }

  /// Memory that starts at zero and is part of checkpoints (Stage::state).
  void state(const std::string& name, std::vector<int> shape) {
    check_new(plan_.states, name, "state");
    plan_.states.push_back({name, std::move(shape)});
  }
  /// An object whose parameters optimizers step and checkpoints hold, called "name.parameter".
  /// Returns it: the stage owns it.
  template <class Object> Object& part(const std::string& name, std::unique_ptr<Object> object) {
    check_new(plan_.parts, name, "part");
    Object& result = *object;
    plan_.parts.push_back({name, std::move(object)});
    return result;
  }
  /// A number that a schedule may move; it must stay where it is. A name that is taken gets a
  /// number: the second "kl.adv.weight" is "kl.adv.weight#2".
  void value(const std::string& name, double& number) {
    value(name, number, [&number](double v) { number = v; });
  }
  void value(const std::string& name, double start, std::function<void(double)> set) {
    std::string free = name;
    for (int k = 2; std::any_of(plan_.values.begin(), plan_.values.end(),
                                [&](const auto& v) { return v.name == free; });
         ++k)
      free = name + "#" + std::to_string(k);
    plan_.values.push_back({free, start, std::move(set)});
  }
  /// An item reads the batch's labels.
  void labels() { plan_.labels = true; }
  /// What is behind this item runs several times in a step.
  void repeats_rest() { repeated_from_ = std::min(repeated_from_, plan_.items); }
  /// Each batch is used so often.
  void replays(int count) {
    require<UsageError>(count > 0, "objective: the number of replays must be positive");
    plan_.replays *= count;
  }
  /// What the bits depend on beside what is declared: an attack's description.
  void fact(std::string text) { plan_.facts.push_back(std::move(text)); }

  /// Called behind each item.
  void next_item() { ++plan_.items; }
  Plan<T, Device> take() {
    keep_for_repeats();
    check_statistics();
    return std::move(plan_);
  }

 private:
  template <class List> static auto& named(List& list, const std::string& name, const char* what) {
    for (auto& entry : list)
      if (entry.name == name) return entry;
    throw NameError("objective: no item before this one provides the " + std::string(what) + " '" +
                    name + "'");
  }
  template <class List>
  static void check_new(const List& list, const std::string& name, const char* what) {
    for (const auto& entry : list)
      require<NameError>(entry.name != name, [&] {
        return "objective: the " + std::string(what) + " '" + name + "' is given twice";
      });
  }
  void add_view(typename Plan<T, Device>::View view) {
    check_new(plan_.views, view.name, "view");
    check_rows(view.rows, view.name);
    plan_.views.push_back(std::move(view));
  }
  static void check_rows(const Rows& r, const std::string& name) {
    require<UsageError>(r.begin >= 0 && r.begin < r.end && r.end <= 1, [&] {
      return "objective: the rows of '" + name + "' must be a part of the batch, found " +
             exact_text(r.begin) + " to " + exact_text(r.end);
    });
  }
  void check_classes(const std::string& target, int classes, const std::string& other) {
    const int own = named(plan_.passes, target, "pass").net->classes();
    require<ShapeError>(own == classes, [&] {
      return "objective: the pass '" + target + "' has " + std::to_string(own) + " classes, " +
             other + " has " + std::to_string(classes);
    });
  }
  /// What stands before a repeated part and is read in it must be there in each turn.
  void keep_for_repeats() {
    for (auto& p : plan_.passes) {
      if (p.first > repeated_from_ || p.last <= repeated_from_) continue;
      require<UsageError>(!p.options.trained, [&] {
        return "objective: pass '" + p.name + "' is trained before Subnets and read behind it";
      });
      p.last = plan_.items;
    }
  }
  /// An eval-mode pass reads the running statistics again in its backward: nothing may be folded
  /// into them between.
  void check_statistics() const {
    for (const auto& p : plan_.passes)
      if (p.options.trained && p.options.mode == Mode::train && p.options.commits > 0)
        check_statistics("pass '" + p.name + "'", p.options.path, p.first);
    for (const auto& a : plan_.attacks)
      if (a.options.commits > 0)
        check_statistics("attack '" + a.name + "'", a.options.path, a.item);
  }
  void check_statistics(const std::string& changing, int path, int item) const {
    for (const auto& p : plan_.passes) {
      const PassOptions& o = p.options;
      const bool reads = o.trained && o.mode == Mode::eval && o.path == path;
      require<UsageError>(!reads || item < p.first || p.last < item, [&] {
        return "objective: " + changing + " changes the running statistics that pass '" + p.name +
               "' still reads";
      });
    }
  }

  const NetworkBase<T, Device>& student_;
  Plan<T, Device> plan_;
  int repeated_from_ = std::numeric_limits<int>::max();
};

}  // namespace rnx::inline RNX_ISA::train

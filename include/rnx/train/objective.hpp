// An objective is a list of items, run in order; a list is an item. An item is any struct with some
// of
//   void plan(Planner<T, Device>&)         once: what it needs (plan.hpp)
//   void begin_epoch(Epoch<T, Device>&)
//   void step(Stage<T, Device>&)           its part of a step (stage.hpp)
//   void close(Stage<T, Device>&, std::string_view pass)    before that pass runs backward
//   void around(Stage<T, Device>&, const Rest&)    runs what is behind it, once or several times
//   void finish(Stage<T, Device>&)         behind all items, before the optimizers
//   void end_epoch(Epoch<T, Device>&)      before the epoch's evaluation
//   auto items() const                     instead of all: options that stand for a list
// Views: Augmented, Adversary. Passes: Forward, Still, Teacher (passes.hpp). Terms: Ce, Kl, Match
// (terms.hpp). Ready lists: Natural, Adversarial, Trades, ... (recipes.hpp).
#pragma once

#include <array>
#include <tuple>

#include "rnx/train/stage.hpp"

namespace rnx::inline RNX_ISA::train {

/// What hooks at the ends of an epoch are given.
template <class T, class Device> struct Epoch {
  Moment now;
  NetworkBase<T, Device>& net;
  Stage<T, Device>& stage;
};

/// What comes behind an item, as it sees it: most call it once; Subnets calls it for each subnet.
class Rest {
 public:
  template <class F>
  explicit Rest(F& f) : object_(&f),
                        call_([](void* object) { (*static_cast<F*>(object))(); }) {}
  void operator()() const { call_(object_); }

 private:
  void* object_;
  void (*call_)(void*);
};

/// A name that an item provides or reads, where its type says so.
struct NameOf {
  enum class Kind : unsigned char { view, pass } kind;
  const char* text;

  constexpr bool operator==(const NameOf& o) const {
    return kind == o.kind && std::string_view(text) == o.text;
  }
};
constexpr NameOf view_named(const char* name) { return {NameOf::Kind::view, name}; }
constexpr NameOf pass_named(const char* name) { return {NameOf::Kind::pass, name}; }

namespace detail {

template <class Item>
concept HasItems = requires(const Item& item) {
  item.items();
};
template <class Item, class P, class S>
concept Plans = requires(Item& item, P& planner) {
  item.plan(planner);
};
template <class Item, class P, class S>
concept RunsOn = Plans<Item, P, S> || requires(Item& item, S& stage) {
  item.step(stage);
};
template <class Item> constexpr auto provided() {
  if constexpr (requires { Item::provides; })
    return Item::provides;
  else
    return std::array<NameOf, 0>{};
}
template <class Item> constexpr auto read() {
  if constexpr (requires { Item::reads; })
    return Item::reads;
  else
    return std::array<NameOf, 0>{};
}
/// Whether an item's type says its names; another one may plan names that nobody knows here.
template <class Item> constexpr bool says_names() {
  if constexpr (requires { Item::provides; })
    return true;
  else
    return requires { Item::reads; };
}

/// Finds, among the names of items in their order, what does not fit.
template <class... Items> struct NameCheck {
  static constexpr int none = -1;

  /// f(index, provided names, read names, whether its names are known)
  template <class F> static constexpr void each([[maybe_unused]] F f) {
    int index = 0;
    (f(index++, provided<Items>(), read<Items>(), says_names<Items>()), ...);
  }
  static constexpr bool known_before(int end, NameOf name) {
    bool found = name == NameOf{NameOf::Kind::view, "clean"};
    each([&](int index, const auto& names, const auto&, bool known) {
      if (index >= end) return;
      found |= !known;
      for (const NameOf& n : names) found |= n == name;
    });
    return found;
  }
  /// The first item that reads a name which nothing before it provides.
  static constexpr int missing() {
    int wrong = none;
    each([&](int index, const auto&, const auto& names, bool) {
      for (const NameOf& n : names)
        if (wrong == none && !known_before(index, n)) wrong = index;
    });
    return wrong;
  }
  /// The first item that provides a name again.
  static constexpr int twice() {
    int wrong = none;
    each([&](int index, const auto& names, const auto&, bool) {
      for (const NameOf& n : names)
        each([&](int before, const auto& others, const auto&, bool) {
          for (const NameOf& o : others)
            if (wrong == none && before < index && o == n) wrong = index;
        });
    });
    return wrong;
  }
};

template <int Index, class Item> struct rejected_missing {
  static_assert(sizeof(Item) == 0,
                "rnx: this item of an objective names a view or a pass that no item before it "
                "provides (views: Augmented, Adversary; passes: Forward, Still, Teacher)");
};
template <int Index, class Item> struct rejected_twice {
  static_assert(sizeof(Item) == 0,
                "rnx: this item of an objective gives a name that an item before it has given");
};

}  // namespace detail

template <class... Items> class Objective;

/// The list that options stand for; any other item is itself.
template <class Item> auto expanded(Item item) {
  if constexpr (detail::HasItems<Item>)
    return item.items();
  else
    return item;
}

/// Items in the order in which they run. Itself an item.
template <class... Items> class Objective {
 public:
  explicit Objective(Items... items) : items_(std::move(items)...) {}

  template <class P> void plan(P& planner) {
    each([&](auto& item) {
      if constexpr (requires { item.plan(planner); }) item.plan(planner);
      if constexpr (!requires { item.is_list; }) planner.next_item();
    });
  }
  template <class E> void begin_epoch(E& epoch) {
    each([&](auto& item) {
      if constexpr (requires { item.begin_epoch(epoch); }) item.begin_epoch(epoch);
    });
  }
  template <class E> void end_epoch(E& epoch) {
    each([&](auto& item) {
      if constexpr (requires { item.end_epoch(epoch); }) item.end_epoch(epoch);
    });
  }
  template <class S> void close(S& stage, std::string_view pass) {
    each([&](auto& item) {
      if constexpr (requires { item.close(stage, pass); }) item.close(stage, pass);
    });
  }
  template <class S> void finish(S& stage) {
    each([&](auto& item) {
      if constexpr (requires { item.finish(stage); }) item.finish(stage);
    });
  }
  /// All items, then `rest`. root: the whole objective, told which passes close.
  template <class S, class Root> void run(S& stage, Root& root, const Rest& rest) {
    run_from<0>(stage, root, rest);
  }
  static constexpr bool is_list = true;

 private:
  template <class F> void each(F f) {
    std::apply([&](auto&... items) { (f(items), ...); }, items_);
  }
  template <std::size_t I, class S, class Root>
  void run_from(S& stage, Root& root, const Rest& rest) {
    if constexpr (I == sizeof...(Items)) {
      rest();
    } else {
      auto next = [&] { run_from<I + 1>(stage, root, rest); };
      run_item(std::get<I>(items_), stage, root, Rest(next));
    }
  }
  template <class Item, class S, class Root>
  static void run_item(Item& item, S& stage, Root& root, const Rest& rest) {
    if constexpr (requires { item.is_list; }) {
      item.run(stage, root, rest);
    } else {
      if constexpr (requires { item.step(stage); }) item.step(stage);
      stage.closing([&](const std::string& pass) { root.close(stage, pass); });
      stage.end_item();
      if constexpr (requires { item.around(stage, rest); })
        item.around(stage, rest);
      else
        rest();
    }
  }

  std::tuple<Items...> items_;
};

/// A list of items. A name that nothing before it provides, or one that is given twice, is one
/// sentence of the compiler's where the items' types say their names, and a NameError of the
/// planner's otherwise.
template <class... Items> auto objective(Items... items) {
  using Check = detail::NameCheck<Items...>;
  using Tuple = std::tuple<Items...>;
  constexpr int missing = Check::missing(), twice = Check::twice();
  if constexpr (missing >= 0)
    return detail::rejected_missing<missing, std::tuple_element_t<missing, Tuple>>{};
  else if constexpr (twice >= 0)
    return detail::rejected_twice<twice, std::tuple_element_t<twice, Tuple>>{};
  else
    return Objective<decltype(expanded(std::declval<Items>()))...>(expanded(std::move(items))...);
}

/// An objective whose type is forgotten: one virtual call a phase, so that runs, checkpoints and
/// fit are compiled once. Lists made at run time are vectors of it.
template <class T = float, class Device = default_device> class AnyObjective {
 public:
  static constexpr bool is_list = true;
  using P = Planner<T, Device>;
  using S = Stage<T, Device>;
  using E = Epoch<T, Device>;

  template <class Item>
    requires(!std::is_same_v<Item, AnyObjective>)
  AnyObjective(Item item) {
    constexpr bool fits = detail::HasItems<Item> || detail::RunsOn<Item, P, S>;
    static_assert(fits,
                  "rnx: an item of an objective has `void step(train::Stage<T, Device>&)` or "
                  "`items()`; see train/objective.hpp");
    if constexpr (fits) {
      auto list = as_list(expanded(std::move(item)));
      held_ = std::make_unique<Held<decltype(list)>>(std::move(list));
    }
  }

  void plan(P& planner) { held_->plan(planner); }
  void begin_epoch(E& epoch) { held_->begin_epoch(epoch); }
  void end_epoch(E& epoch) { held_->end_epoch(epoch); }
  void close(S& stage, std::string_view pass) { held_->close(stage, pass); }
  void finish(S& stage) { held_->finish(stage); }
  void run(S& stage, AnyObjective& root, const Rest& rest) { held_->run(stage, root, rest); }

 private:
  /// A list is one already; any other item becomes one of its own.
  template <class Item> static auto as_list(Item item) {
    if constexpr (requires { item.is_list; })
      return item;
    else
      return Objective<Item>(std::move(item));
  }
  struct Base {
    virtual ~Base() = default;
    virtual void plan(P&) = 0;
    virtual void begin_epoch(E&) = 0;
    virtual void end_epoch(E&) = 0;
    virtual void close(S&, std::string_view) = 0;
    virtual void finish(S&) = 0;
    virtual void run(S&, AnyObjective&, const Rest&) = 0;
  };
  template <class List> struct Held final : Base {
    explicit Held(List l) : list(std::move(l)) {}
    void plan(P& p) override { list.plan(p); }
    void begin_epoch(E& e) override { list.begin_epoch(e); }
    void end_epoch(E& e) override { list.end_epoch(e); }
    void close(S& s, std::string_view pass) override { list.close(s, pass); }
    void finish(S& s) override { list.finish(s); }
    void run(S& s, AnyObjective& root, const Rest& rest) override { list.run(s, root, rest); }
    List list;
  };
  std::unique_ptr<Base> held_;
};

/// Items that are known at run time alone, one after another.
template <class T = float, class Device = default_device> class ObjectiveList {
 public:
  static constexpr bool is_list = true;
  explicit ObjectiveList(std::vector<AnyObjective<T, Device>> items) : items_(std::move(items)) {}

  void plan(Planner<T, Device>& p) {
    for (auto& item : items_) item.plan(p);
  }
  void begin_epoch(Epoch<T, Device>& e) {
    for (auto& item : items_) item.begin_epoch(e);
  }
  void end_epoch(Epoch<T, Device>& e) {
    for (auto& item : items_) item.end_epoch(e);
  }
  void close(Stage<T, Device>& s, std::string_view pass) {
    for (auto& item : items_) item.close(s, pass);
  }
  void finish(Stage<T, Device>& s) {
    for (auto& item : items_) item.finish(s);
  }
  template <class Root> void run(Stage<T, Device>& s, Root& root, const Rest& rest) {
    run_from(0, s, root, rest);
  }

 private:
  template <class Root>
  void run_from(std::size_t k, Stage<T, Device>& s, Root& root, const Rest& rest) {
    if (k == items_.size()) return rest();
    auto next = [&] { run_from(k + 1, s, root, rest); };
    items_[k].run(s, root, Rest(next));
  }
  std::vector<AnyObjective<T, Device>> items_;
};

}  // namespace rnx::inline RNX_ISA::train

// Magnitude pruning (Han et al. 2015; of channels Li et al. 2017): the smallest weights, or the
// channels with the smallest filters, become zero, by ratios that are given or searched under a
// budget of multiply-accumulates. What is pruned is zero and nothing else says it: files, costs
// (cost/pruned.hpp) and fine-tuning (train/hold_zeros.hpp) read it from the values.
#pragma once

#include <cmath>

#include "rnx/network/pruned.hpp"
#include "rnx/search/prunable.hpp"

namespace rnx::inline RNX_ISA::search {

namespace detail {

/// Ranks once, then prunes by as many ratios as are tried.
template <class T> class Pruner {
 public:
  /// values: the flat parameters. before: what earlier pruning left of them.
  Pruner(const Graph& graph, const Pruning& o, const std::vector<T>& values, Remains before)
      : graph_(graph),
        global_(o.global),
        units_(prunable_units(graph, o)),
        before_(std::move(before)) {
    for (std::size_t u = 0; u < units_.size(); ++u) rank(u, values, o.norm);
    if (!global_) return;
    std::vector<Ranked> all;
    for (auto& list : ranked_)
      all.insert(all.end(), list.begin(), list.end() - 1);  // of each layer the largest stays
    std::sort(all.begin(), all.end());
    ranked_.assign(1, std::move(all));
  }

  std::size_t units() const { return units_.size(); }
  /// 1 for each flat parameter that stays; one ratio, or one for each unit.
  std::vector<char> kept(const std::vector<double>& ratios) const {
    std::vector<char> kept = before_.parameters;
    for (std::size_t k = 0; k < ranked_.size(); ++k) {
      const auto& list = ranked_[k];
      const double share = ratios[ratios.size() == 1 ? 0 : k];
      const std::size_t whole = global_ ? total() : list.size(),
                        most = global_ ? list.size() : list.size() - 1,
                        goes = std::min(std::size_t(share * double(whole) + 1e-9), most);
      for (std::size_t i = 0; i < goes; ++i) remove(list[i], kept);
    }
    return kept;
  }
  /// Multiply-accumulates of the weights that stay.
  long long macs(const std::vector<char>& kept) const {
    long long sum = 0;
    for (const NamedParameter& p : graph_.parameters) {
      const Node& n = graph_.nodes[std::size_t(p.node)];
      if (!has_weights(n) || p.kind != ParameterKind::weight) continue;
      const auto first = kept.begin() + std::ptrdiff_t(p.offset);
      sum +=
          n.out.pixels() * (long long)std::count(first, first + std::ptrdiff_t(p.count), char(1));
    }
    return sum;
  }
  /// The smallest ratio, in ten-thousandths, with which at most so many stay; then the layers, from
  /// the first on, take one step less, while they do. Errors: UsageError.
  std::vector<double> search(long long budget) const {
    constexpr int steps = 10000;
    const auto left = [&](int k) { return macs(kept({double(k) / steps})); };
    int low = 0, high = steps - 1;
    const long long most = left(low), least = left(high);
    require<UsageError>(least <= budget && budget <= most, [&] {
      return "prune: expected a budget of " + std::to_string(least) + " to " +
             std::to_string(most) + " multiply-accumulates, found " + std::to_string(budget);
    });
    while (low < high) {
      const int middle = (low + high) / 2;
      if (left(middle) <= budget)
        high = middle;
      else
        low = middle + 1;
    }
    std::vector<double> ratios(global_ ? 1 : units(), double(low) / steps);
    for (double& r : ratios) {
      const double whole = r;
      r = double(std::max(low - 1, 0)) / steps;
      if (macs(kept(ratios)) > budget) r = whole;
    }
    return ratios;
  }

 private:
  struct Ranked {
    double score;
    std::size_t unit, index;
    bool operator<(const Ranked& o) const {
      return std::tie(score, unit, index) < std::tie(o.score, o.unit, o.index);
    }
  };
  std::size_t total() const {
    std::size_t sum = 0;
    for (const Prunable& u : units_) sum += u.count;
    return sum;
  }
  void rank(std::size_t u, const std::vector<T>& values, int norm) {
    const Prunable& unit = units_[u];
    std::vector<Ranked> list(unit.count);
    for (std::size_t i = 0; i < unit.count; ++i) list[i] = {0, u, i};
    const auto add = [&](const NamedParameter& p) {
      for (std::size_t i = 0; i < p.count; ++i) {
        const double w = double(values[p.offset + i]);
        require<NumericError>(std::isfinite(w), [&] {
          return "prune: '" + p.name + "' holds a value that is not finite";
        });
        list[i / (p.count / unit.count)].score += norm == 2 ? w * w : std::abs(w);
      }
    };
    if (unit.weight) add(*unit.weight);
    for (const NamedParameter* p : unit.filters) add(*p);
    std::sort(list.begin(), list.end());
    ranked_.push_back(std::move(list));
  }
  void remove(const Ranked& r, std::vector<char>& kept) const {
    const Prunable& unit = units_[r.unit];
    if (unit.weight)
      kept[unit.weight->offset + r.index] = 0;
    else
      for (const std::size_t at : unit.channels[r.index]) kept[at] = 0;
  }

  const Graph& graph_;
  bool global_;
  std::vector<Prunable> units_;
  Remains before_;
  std::vector<std::vector<Ranked>> ranked_;  // the smallest first
};

/// Errors: UsageError.
inline void check_ratios(const Pruning& o, std::size_t units) {
  require<UsageError>(o.ratios.empty() != (o.macs == 0),
                      "prune: expected ratios or a budget of multiply-accumulates, one of the two");
  require<UsageError>(!o.global || o.unit == Pruning::Unit::weights,
                      "prune: channels of different layers are not ranked together");
  require<UsageError>(o.norm == 1 || o.norm == 2, "prune: expected the norm 1 or 2");
  for (const double r : o.ratios)
    require<UsageError>(r >= 0 && r < 1, [&] {
      return "prune: expected ratios from 0 to below 1, found " + exact_text(r);
    });
  const std::size_t n = o.ratios.size(), all = o.global ? 1 : units;
  require<UsageError>(n <= 1 || n == all, [&] {
    return "prune: expected one ratio or " + std::to_string(all) + ", found " + std::to_string(n);
  });
}

}  // namespace detail

struct PruningResult {
  std::vector<double> ratios;  ///< as given, or found: one for each, or for all where global
  long long macs;              ///< that stay
};

/// Sets what goes to zero; of a network that is pruned already, zeros go first.
/// Errors: UsageError (ratios outside [0, 1), another number of them, a budget that cannot be kept
/// to or is above the whole, a spared layer that is not there, weights of few bits), NumericError
/// (weights that are not finite).
template <class T, class Device>
PruningResult prune(NetworkBase<T, Device>& net, const Pruning& o) {
  std::vector<T> values(net.parameter_storage());
  const std::size_t bytes = values.size() * sizeof(T);
  memory<Device>::download(values.data(), std::as_const(net).parameters(), bytes);
  const detail::Pruner<T> pruner(std::as_const(net).graph(), o, values, remains(net));
  detail::check_ratios(o, pruner.units());
  const std::vector<double> ratios = o.macs ? pruner.search(o.macs) : o.ratios;
  const std::vector<char> kept = pruner.kept(ratios);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!kept[i]) values[i] = T(0);
  memory<Device>::upload(net.mutable_parameters(), values.data(), bytes, {});
  return {ratios, pruner.macs(kept)};
}

}  // namespace rnx::inline RNX_ISA::search

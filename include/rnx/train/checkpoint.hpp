// Checkpoints as the store of fit: include this one. The folder itself is in checkpoint_folder.hpp.
#pragma once

#include "rnx/train/checkpoint_folder.hpp"

namespace rnx::inline RNX_ISA::train {

/// Checkpoints as the store of fit. `configuration`: what the run is; it is kept with each
/// checkpoint, and a resume with another one is refused. `told` hears a sentence where a damaged
/// checkpoint is passed over for the one before it (Checkpoints::recover).
template <class Device = default_device> class CheckpointStore final : public Store<Device> {
 public:
  using typename Store<Device>::Net, typename Store<Device>::States;
  using Json = Checkpoints::Json;

  explicit CheckpointStore(Checkpoints& checkpoints, Json configuration = nullptr,
                           std::function<void(const std::string&)> told = {})
      : checkpoints_(checkpoints),
        configuration_(std::move(configuration)),
        told_(std::move(told)) {}

  std::optional<Position> position(const Facts& facts) override {
    name_ = checkpoints_.recover(told_);
    if (name_.empty()) return {};
    const std::string where = checkpoints_.path(name_).string();
    try {
      const Json state = checkpoints_.state(name_);
      const std::string difference =
          first_difference(state.value("configuration", Json()), configuration_);
      require<UsageError>(difference.empty(), [&] {
        return where + " is a checkpoint of another configuration: " + difference;
      });
      const std::string other = first_difference(state.at("run"), run_of(facts));
      require<UsageError>(other.empty(),
                          [&] { return where + " is a checkpoint of another run: " + other; });
      Position p = position_of(state);
      if (!names_one("BEST-clean", state)) p.best.clean.reset();
      if (!names_one("BEST-pgd", state)) p.best.pgd.reset();
      return p;
    } catch (const Json::exception& e) {
      throw FileError(where + ": it is damaged: " + e.what());
    }
  }
  void restore(Net& net, const States& states) override {
    checkpoints_.restore(name_, net, states);
  }
  void save(const Position& p, const Net& net, const States& states, const Facts& facts,
            const std::vector<std::string>& marks) override {
    Json state{{"done", p.done},       {"epoch", p.epoch},
               {"step", p.step},       {"means", json_of(p.means)},
               {"rates", p.rates},     {"scored", p.scored},
               {"run", run_of(facts)}, {"configuration", configuration_}};
    if (p.best.clean) state["best_clean"] = *p.best.clean;
    if (p.best.pgd) state["best_pgd"] = *p.best.pgd;
    checkpoints_.save(p.done, net, states, std::move(state), marks);
  }

 private:
  static Json run_of(const Facts& facts) {
    Json run = Json::object();
    for (const auto& [name, text] : facts) run[name] = text;
    return run;
  }
  static Json json_of(const EpochMeans& m) {
    Json values = Json::object();
    for (const EpochMeans::Sum& v : m.values)
      values[v.name] = {{"sum", v.sum}, {"samples", v.samples}};
    return {{"samples", m.samples},
            {"counted", m.counted},
            {"right", m.right},
            {"loss", m.loss},
            {"values", values}};
  }
  static EpochMeans means_of(const Json& json) {
    EpochMeans m{.samples = json.at("samples"),
                 .counted = json.at("counted"),
                 .right = json.at("right"),
                 .loss = json.at("loss")};
    for (const auto& [name, value] : json.at("values").items())
      m.values.push_back({name, value.at("sum"), value.at("samples")});
    return m;
  }
  static Position position_of(const Json& state) {
    Position p{.done = state.at("done"),
               .epoch = state.at("epoch"),
               .step = state.at("step"),
               .means = means_of(state.at("means")),
               .best = {}};
    if (state.contains("best_clean")) p.best.clean = state["best_clean"].template get<double>();
    if (state.contains("best_pgd")) p.best.pgd = state["best_pgd"].template get<double>();
    p.rates = state.at("rates");
    p.scored = state.at("scored");
    return p;
  }
  /// A score without its checkpoint (recover() took the mark) is not the best of any. Marks of the
  /// newest itself are set by restore().
  bool names_one(const std::string& mark, const Json& newest) const {
    const auto own = newest.value("marks", std::vector<std::string>{});
    if (std::find(own.begin(), own.end(), mark) != own.end()) return true;
    try {
      return !checkpoints_.marked(mark).empty();
    } catch (const FileError&) {
      return false;
    }
  }

  Checkpoints& checkpoints_;
  Json configuration_;
  std::string name_;
  std::function<void(const std::string&)> told_;
};

}  // namespace rnx::inline RNX_ISA::train

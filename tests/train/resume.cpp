// fit: a run that is stopped anywhere and resumed ends with the bits of one that was not;
// checkpoints that cannot be trusted are refused.
#include "support/batch.hpp"
#include "support/error_of.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include <rnx/train.hpp>
#include <rnx/train/checkpoint.hpp>
#include <rnx/train/log.hpp>

using namespace rnx;
namespace fs = std::filesystem;

namespace {

using Net = Network<support::SmallResNet<>, Shape<3, 8, 8>>;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("rnx_resume_test_" + std::to_string(::getpid()));
  Folder() {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
};

data::Images images(int n) {
  data::Images set{.n = n,
                   .dims = {3, 8, 8},
                   .classes = 10,
                   .pixels = {},
                   .labels = support::labels(n, 10),
                   .class_names = {}};
  const rng::Stream random(5, Purpose::test);
  for (int i = 0; i < n * 192; ++i) set.pixels.push_back(std::uint8_t(random.bits(i)));
  return set;
}

std::vector<float> all(const Net& net) {
  std::vector<float> v = support::parameters<float, cpu>(net), w(net.buffer_storage());
  std::copy_n(net.buffers(), w.size(), w.begin());
  v.insert(v.end(), w.begin(), w.end());
  return v;
}

train::FitOptions options() {
  return {.epochs = 3,
          .batch = 8,
          .seed = 4,
          .augment = data::crop_and_flip(1),
          .schedule = optim::OneCycle{.max = 0.05}};
}

std::unique_ptr<optim::Optimizer<float>> sgd() {
  return std::make_unique<optim::Sgd<float>>(
      optim::SgdOptions{.momentum = 0.9, .weight_decay = 1e-3});
}
std::unique_ptr<optim::Optimizer<float>> adam() {
  return std::make_unique<optim::Adam<float>>(optim::AdamOptions{.weight_decay = 1e-3});
}

/// A callback with a number of its own.
struct Counter {
  std::int64_t batches = 0;
  void operator()(const train::Progress&) { ++batches; }
  std::vector<optim::State<float>> state() { return {{.name = "batches", .number = &batches}}; }
};

std::vector<float> values(optim::Ema<float>& average) {
  std::vector<float> v;
  for (const auto& s : average.state()) v.insert(v.end(), s.data, s.data + s.count);
  return v;
}

/// Trains in one go, and again in pieces of 1, 2, 3, ... batches, each by a new network, optimizer,
/// average and counter.
template <class Objective>
void same_bits(const Objective& objective,
               std::unique_ptr<optim::Optimizer<float>> (*make)() = sgd) {
  const data::Images set = images(30);
  Net whole(1);
  optim::Ema average(whole, 0.9, true);
  Counter counter;
  train::Progress last;
  const auto averaging = [](Net& net, optim::Ema<float>& a) {
    return train::with_state([&](const train::Progress&) { a.update(net); }, a);
  };
  CHECK(train::fit(whole, set, objective, *make(), options(), averaging(whole, average), counter,
                   [&](const train::Progress& p) { last = p; })
            .finished);
  CHECK(last.done == 12);

  Folder folder;
  train::Checkpoints checkpoints(folder.path / "ckpt");
  train::Outcome outcome{.finished = false};
  int pieces = 0;
  std::vector<float> end, average_end;
  while (!outcome.finished && pieces < 10) {
    Net net(1 + pieces);  // another initial network each time: the checkpoint replaces it
    if (pieces == 0) net = Net(1);
    optim::Ema again(net, 0.9, true);
    Counter counted;
    train::FitOptions o = options();
    std::atomic<bool> stop{false};
    o.stop = &stop;
    train::CheckpointStore<> store(checkpoints);
    o.saving.store = &store;
    int steps = 0;
    ++pieces;
    const auto stopping = [&](const train::Progress&) {
      if (++steps == pieces) stop = true;
    };
    outcome = train::fit(net, set, objective, *make(), o, averaging(net, again), counted, stopping);
    CHECK(counted.batches == outcome.last.done);
    end = all(net);
    average_end = values(again);
  }
  CHECK(pieces == 5);  // 1 + 2 + 3 + 4 + 2 batches
  CHECK(end == all(whole));
  CHECK(average_end == values(average));
  CHECK(outcome.last.loss == last.loss);
  CHECK(outcome.last.accuracy == last.accuracy);
}

/// Runs that go on from the same checkpoints, each by a new network.
struct Attempts {
  Folder folder;
  train::Checkpoints checkpoints{folder.path / "ckpt"};

  static optim::Rates rates(long, long) { return {0.01}; }

  /// One run, with options that `change` edits: the sentence of its error, or "no error". The
  /// network moves only without an error.
  template <class Objective, class Change, class... Callbacks>
  std::string operator()(const Objective& objective, optim::Optimizer<float>& optimizer,
                         Change change, Callbacks&&... callbacks) {
    const data::Images set = images(16);
    Net net(1);
    const std::vector<float> before = all(net);
    train::CheckpointStore<> store(checkpoints);
    train::FitOptions o = options();
    o.schedule = rates;
    o.saving.store = &store;
    change(o);
    const std::string sentence = support::error_of<Error>(
        [&] { train::fit(net, set, objective, optimizer, o, callbacks...); });
    CHECK((all(net) == before) == (sentence != "no error"));
    return sentence;
  }
};

/// A run of five epochs, scored after each, with a checkpoint at each of its ten steps; and its
/// resumes.
struct ScoredRun {
  Folder folder;
  fs::path path = folder.path / "ckpt";
  data::Images set = images(16);
  train::Checkpoints checkpoints{path};
  std::vector<std::string> told;  // what the stores said

  ScoredRun() {
    int epoch = 0;
    const double scores[] = {0.2, 0.6, 0.4, 0.6, 0.5};
    train::FitOptions o = options();
    o.evaluate = [&] {
      const double s = scores[epoch++];
      return train::Scores{.clean = s, .pgd = 1 - s};
    };
    fit(o, {{"batch", 8}});
  }

  void fit(train::FitOptions o, const train::Checkpoints::Json& configuration) {
    Net net(1);
    optim::Sgd<float> sgd({.momentum = 0.9});
    train::CheckpointStore<> store(checkpoints, configuration,
                                   [&](const std::string& sentence) { told.push_back(sentence); });
    o.epochs = 5;
    o.saving = {.store = &store, .every_steps = 1};
    train::fit(net, set, train::Natural{}, sgd, o);
  }

  /// Resumes: the sentence of the error, or "no error".
  std::string resume(const train::Checkpoints::Json& configuration = {{"batch", 8}}) {
    return support::error_of<Error>([&] { fit(options(), configuration); });
  }

  /// The damaged newest checkpoint is passed over for the one before it, with a sentence; the run
  /// goes on and writes it again.
  void passes_over_newest(const char* why) {
    told.clear();
    CHECK(resume() == "no error");
    REQUIRE(told.size() == 1);
    CHECK_MESSAGE(told[0].find(why) != told[0].npos, told[0]);
    CHECK(told[0].find("; the run goes on from the checkpoint before it, 000009") != told[0].npos);
    CHECK(checkpoints.marked("LATEST") == "000010");
    CHECK(checkpoints.newest().damaged.empty());
  }

  void damage_model(const char* name) const {
    std::fstream file(path / name / "model.safetensors",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-3, std::ios::end);
    file.put('x');
  }
};

}  // namespace

TEST_CASE(
    "a resumed run has the bits of one that was never stopped, with every objective, optimizer and "
    "stateful callback") {
  same_bits(train::Natural{});
  same_bits(train::Natural{}, adam);
  same_bits(train::Adversarial<>{{.steps = 2, .seed = 4}});
  same_bits(
      train::Adversarial<attack::Fgsm<>>{{.start = attack::Start::random, .seed = 4}, Mode::train});
  same_bits(train::Free{.m = 2}, adam);
  same_bits(train::Free{.norm = op::Norm::l2, .eps = 0.5, .m = 2});
  same_bits(train::Trades<>{.attack = {.steps = 2, .start = attack::Start::gaussian, .seed = 4}});
}

TEST_CASE(
    "a resume with anything else that bits depend on is refused, and the network stays as it was") {
  Attempts session;
  const train::Adversarial<> pgd{{.steps = 1}};
  const auto nothing = [](train::FitOptions&) {};
  Counter counter;
  REQUIRE(session(
              pgd, *adam(), [](train::FitOptions& o) { o.epochs = 1; }, counter) == "no error");
  const auto refused = [&](auto change) { return session(pgd, *adam(), change, counter); };
  const auto holds = [&](const std::string& text, const char* part) {
    CHECK_MESSAGE(text.find(part) != text.npos, text);
  };
  holds(refused([](auto& o) { o.batch = 4; }), "another run: batch was \"8\" and is \"4\"");
  holds(refused([](auto& o) { o.seed = 5; }), "seed was \"4\" and is \"5\"");
  holds(refused([](auto& o) { o.augment = {}; }),
        "augment was \"pad 1 crop flip\" and is \"none\"");
  holds(refused([](auto& o) { o.schedule = [](long, long) { return optim::Rates{0.02}; }; }),
        "other rates in its 2 batches");
  holds(refused([](auto& o) { o.schedule = optim::Cosine{.base = 0.01}; }),
        "other rates in its 2 batches");
  holds(session(train::Adversarial<>{{.eps = px(4), .steps = 1}}, *adam(), nothing, counter),
        "objective was");
  holds(session(train::Natural{}, *adam(), nothing, counter), "objective was");
  optim::Adam<float> other({.beta1 = 0.8});
  holds(session(pgd, other, nothing, counter), "optimizer was");
  holds(session(pgd, *adam(), nothing), "the number callback.batches is not expected");
  const Net averaged(1);
  optim::Ema average(averaged, 0.9);
  const auto averaging = train::with_state([](const train::Progress&) {}, average);
  auto twice = averaging;
  holds(session(pgd, *adam(), nothing, counter, twice), "callback.ema.conv1.weight is missing");
  Counter second;
  holds(session(pgd, *adam(), nothing, counter, second),
        "two parts of the run's state are called 'callback.batches'");

  // more epochs, where the rates so far are the same: the bits of the longer run
  Net longer(1);
  const auto optimizer = adam();
  train::FitOptions o = options();
  o.schedule = Attempts::rates;
  const data::Images set = images(16);
  train::fit(longer, set, pgd, *optimizer, o);
  Net resumed(2);
  train::CheckpointStore<> store(session.checkpoints);
  o.saving.store = &store;
  train::fit(resumed, set, pgd, *adam(), o, counter);
  CHECK(counter.batches == 6);
  CHECK(all(resumed) == all(longer));
}

TEST_CASE("TRADES: the gradients are those of its formula, with both forwards differentiated") {
  using Double = Network<support::SmallResNet<>, Shape<3, 8, 8>, cpu, precision::Double>;
  Double net(3);
  const int n = 4;
  const double beta = 6;
  optim::Sgd<double> sgd;
  train::Step<double, cpu> step(
      net, sgd,
      train::Trades<>{.attack = {.steps = 0, .start = attack::Start::clean}, .beta = beta}, n);
  step.images() = support::images<double>(n, {3, 8, 8});
  step.labels().upload(support::labels(n, 10));
  step.set({});  // lr 0
  // without an attack x' is x: the divergence and its gradient vanish, and what is left is
  // cross-entropy
  step(n);
  const auto plain = step.grads().flat.download();
  Double other(3);
  optim::Sgd<double> sgd2;
  train::Step<double, cpu> natural(other, sgd2, train::Natural{}, n);
  natural.images() = support::images<double>(n, {3, 8, 8});
  natural.labels().upload(support::labels(n, 10));
  natural.set({});
  natural(n);
  const auto expected = natural.grads().flat.download();
  for (std::size_t i = 0; i < plain.size(); ++i)
    CHECK(plain[i] == doctest::Approx(expected[i]).epsilon(1e-9));

  // with a start away from x: directional differences of CE(f(x)) + beta KL(f(x) || f(x')) over all
  // parameters
  Double moving(3);
  optim::Sgd<double> sgd3;
  train::Step<double, cpu> away(
      moving, sgd3,
      train::Trades<>{.attack = {.eps = px(64), .steps = 0, .start = attack::Start::random},
                      .beta = beta},
      n);
  away.images() = support::images<double>(n, {3, 8, 8});
  away.labels().upload(support::labels(n, 10));
  away.set({.seed = 9});
  const auto loss_at = [&](double h, const std::vector<double>& direction) {
    double* p = moving.mutable_parameters();
    for (std::size_t i = 0; i < direction.size(); ++i) p[i] += h * direction[i];
    away(n);
    const double value = away.value();
    p = moving.mutable_parameters();
    for (std::size_t i = 0; i < direction.size(); ++i) p[i] -= h * direction[i];
    return value;
  };
  std::vector<double> direction(moving.parameter_storage());
  const rng::Stream random(2, Purpose::test);
  for (const auto& p : moving.parameter_list())
    for (std::size_t i = p.offset; i < p.offset + p.count; ++i) direction[i] = random.normal(i);
  away(n);
  const auto g = away.grads().flat.download();
  double slope = 0;
  for (std::size_t i = 0; i < g.size(); ++i) slope += g[i] * direction[i];
  const double h = 1e-6, difference = (loss_at(h, direction) - loss_at(-h, direction)) / (2 * h);
  CHECK(slope == doctest::Approx(difference).epsilon(1e-5));
}

TEST_CASE("checkpoints: LATEST, BEST-*, how many stay, and another configuration is refused") {
  ScoredRun run;
  CHECK(run.checkpoints.marked("LATEST") == "000010");
  CHECK(run.checkpoints.marked("BEST-clean") == "000004");
  CHECK(run.checkpoints.marked("BEST-pgd") == "000002");
  std::vector<std::string> names;
  for (const auto& e : fs::directory_iterator(run.path)) names.push_back(e.path().filename());
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{"000002", "000004", "000009", "000010", "BEST-clean",
                                          "BEST-pgd", "LATEST"});

  CHECK(run.resume() == "no error");  // finished: nothing to do
  CHECK(run.resume({{"batch", 9}}).find("of another configuration: batch was 8 and is 9") !=
        std::string::npos);
}

TEST_CASE(
    "a damaged newest checkpoint is passed over and written again; without a whole one the "
    "run is refused") {
  ScoredRun run;
  // a crash between LATEST and the other marks: a resume sets them
  std::ofstream(run.path / "notes.txt") << "a file of the user's";
  fs::remove(run.path / "BEST-clean");
  const std::string state = io::read_file(run.path / "000010/state.json");
  CHECK(state.find("\"marks\": []") != std::string::npos);
  std::string edited = state;
  edited.replace(edited.find("\"done\": 10"), 10, "\"done\": 8");
  io::write_file(run.path / "000010/state.json", edited);
  run.passes_over_newest("its checksum is another one");
  CHECK(fs::exists(run.path / "000010.damaged/model.safetensors"));
  io::write_file(run.path / "000010/state.json", "{\"format\": 1}");
  run.passes_over_newest("found something else");
  io::write_file(run.path / "000010/state.json", "{\"format\": \"rnx checkpoint 1\"}");
  run.passes_over_newest("was written by an earlier version of rnx");
  run.damage_model("000010");
  run.passes_over_newest("model.safetensors: it is damaged");
  fs::remove_all(run.path / "000010");
  run.passes_over_newest("state.json");

  for (const char* name : {"000002", "000004", "000009", "000010"}) run.damage_model(name);
  CHECK(run.resume().find("000010/model.safetensors: it is damaged") != std::string::npos);
  // nothing is changed where nothing is whole
  CHECK(run.checkpoints.marked("LATEST") == "000010");
  std::ofstream(run.path / "LATEST") << "../../etc\n";
  CHECK(run.resume().find("expected the name of a checkpoint") != std::string::npos);
}

TEST_CASE(
    "marks are set again by a resume when a crash came before them; foreign files do not matter") {
  Folder folder;
  train::Checkpoints checkpoints(folder.path / "ckpt", 1);
  Net net(1);
  checkpoints.save<float, cpu>(3, net, {}, {{"done", 3}}, {"BEST-clean"});
  std::ofstream(folder.path / "ckpt/notes.txt") << "hello\n";
  fs::remove(folder.path / "ckpt/BEST-clean");
  checkpoints.restore<float, cpu>("000003", net, {});
  CHECK(checkpoints.marked("BEST-clean") == "000003");
  std::ofstream(folder.path / "ckpt/BEST-pgd") << "000099\n";  // names nothing
  fs::create_directories(folder.path /
                         "ckpt/000004");  // renamed, but LATEST was not written any more
  std::ofstream(folder.path / "ckpt/000004/model.safetensors") << "old";
  checkpoints.save<float, cpu>(4, net, {}, {{"done", 4}});
  CHECK(checkpoints.marked("LATEST") == "000004");
  CHECK(checkpoints.state("000004").value("done", 0) == 4);
  checkpoints.save<float, cpu>(5, net, {}, {{"done", 5}});
  CHECK(!fs::exists(folder.path / "ckpt/000004"));
  CHECK(fs::exists(folder.path / "ckpt/000003"));
  CHECK(fs::exists(folder.path / "ckpt/notes.txt"));
}

TEST_CASE("marks do not name damaged checkpoints, or later ones than the run goes on from") {
  Folder folder;
  train::Checkpoints checkpoints(folder.path / "ckpt", 5);
  Net net(1);
  const auto save = [&](long k, const std::vector<std::string>& marks) {
    checkpoints.save<float, cpu>(k, net, {}, {{"done", k}}, marks);
  };
  save(1, {"BEST-clean"});
  save(2, {"BEST-clean", "BEST-pgd"});
  save(3, {});
  for (const char* name : {"000002", "000003"})
    io::write_file(folder.path / "ckpt" / name / "optim.safetensors", "damage");
  const train::Checkpoints::Newest newest = checkpoints.newest();
  CHECK(newest.name == "000001");
  REQUIRE(newest.damaged.size() == 2);
  CHECK(newest.damaged[1].name == "000002");
  CHECK(checkpoints.marked("LATEST") == "000003");  // newest() changes nothing
  CHECK(checkpoints.recover() == "000001");
  CHECK(checkpoints.marked("LATEST") == "000001");
  CHECK(checkpoints.marked("BEST-clean") == "000001");
  CHECK(checkpoints.marked("BEST-pgd") == "");
  CHECK(fs::exists(folder.path / "ckpt/000003.damaged"));
}

TEST_CASE(
    "a checkpoint that cannot be written is reported, training goes on, and the one before stays") {
  Folder folder;
  const data::Images set = images(16);
  train::Checkpoints checkpoints(folder.path / "ckpt");
  Net net(1);
  optim::Sgd<float> sgd;
  train::FitOptions o = options();
  std::vector<std::string> failures;
  o.epochs = 2;
  o.schedule = [](long, long) { return optim::Rates{0.01}; };
  train::CheckpointStore<> store(checkpoints);
  o.saving = {.store = &store, .every_steps = 1, .failed = [&](const std::string& s) {
                failures.push_back(s);
              }};
  const auto run = [&] {
    return train::fit(net, set, train::Natural{}, sgd, o, [&](const train::Progress& p) {
      if (p.done == 2)
        fs::create_directories(folder.path / "ckpt/LATEST.d"),
            fs::rename(folder.path / "ckpt", folder.path / "away"),
            std::ofstream(folder.path / "ckpt") << "in the way";
      if (p.done == 4) {
        fs::remove(folder.path / "ckpt");
        fs::rename(folder.path / "away", folder.path / "ckpt");
      }
    });
  };
  CHECK(run().finished);
  CHECK(failures.size() == 2);
  CHECK(checkpoints.marked("LATEST") == "000004");
  CHECK(checkpoints.state("000004").value("done", 0) == 4);
}

TEST_CASE("logs continue where a resumed run does") {
  Folder folder;
  const auto lines = [&](const char* name) {
    std::ifstream in(folder.path / name);
    std::vector<std::string> v;
    for (std::string s; std::getline(in, s);) v.push_back(s);
    return v;
  };
  const auto progress = [](int epoch, long done) {
    train::Progress p;
    p.epoch = epoch;
    p.done = done;
    p.step = 2;
    p.steps_in_epoch = 2;
    p.epochs = 3;
    p.epoch_end = true;
    p.loss = 0.5;
    p.seconds = double(done);
    p.scores.clean = 0.25;
    return p;
  };
  {
    train::JsonLines log(folder.path / "log.jsonl", 0);
    train::CsvTable table(folder.path / "metrics.csv", 0);
    for (int e = 0; e < 3; ++e) {
      log(progress(e, 2 * e + 2));
      table(progress(e, 2 * e + 2));
    }
  }
  std::ofstream(folder.path / "log.jsonl", std::ios::app) << "{\"epoch\": 4, \"do";  // a crash
  std::ofstream(folder.path / "metrics.csv", std::ios::app) << "4,0.1";
  train::JsonLines log(folder.path / "log.jsonl", 4);
  train::CsvTable table(folder.path / "metrics.csv", 2);
  CHECK(lines("log.jsonl").size() == 2);
  CHECK(lines("metrics.csv").size() == 3);
  log(progress(2, 6));
  table(progress(2, 6));
  CHECK(lines("log.jsonl").size() == 3);
  CHECK(lines("metrics.csv").back() == "3,0.5,0.0,0.25,,0.0,0.0,0.0,6.0");
  CHECK(train::progress_line(progress(1, 4), 4) ==
        "epoch 2/3  [####] 2/2  loss 0.5000  acc 0.0 %  clean 25.0 %  0 img/s  eta 0:00");
}

TEST_CASE(
    "fit: a last batch that leaves a batch norm one value per channel is refused before the first "
    "step") {
  Network<Sequential<Conv<4, 3>, GlobalAveragePool, Named<"bn", BatchNorm<>>, Linear<10>>,
          Shape<3, 8, 8>>
      net(1);
  const auto run = [&](int n, int batch) {
    optim::Sgd<float> sgd;
    int steps = 0;
    const std::string sentence = support::error_of<UsageError>([&] {
      train::fit(net, images(n), train::Natural{}, sgd,
                 {.batch = batch, .schedule = [](long, long) { return optim::Rates{0.01}; }},
                 [&](const train::Progress&) { ++steps; });
    });
    return std::pair{sentence, steps};
  };
  const std::string refused =
      "fit: the last batch of an epoch: batch statistics of 'bn' need more than one value per "
      "channel, found 1: "
      "a batch of 1 sample and a map of 1 x 1";
  CHECK(run(5, 4) == std::pair{refused, 0});
  CHECK(run(3, 1) == std::pair{refused, 0});
  CHECK(run(1, 4) == std::pair{refused, 0});
  CHECK(run(6, 4) == std::pair{std::string("no error"), 2});
}

TEST_CASE("an evaluation that a signal ends is made by the resume, with the marks of a whole run") {
  const data::Images set = images(30);
  const double scores[] = {0.5, 0.3, 0.9};
  std::vector<double> seen;
  const auto train_in_pieces = [&](const fs::path& folder, int stopped_epoch) {
    train::Checkpoints checkpoints(folder, 3);
    train::Outcome outcome{.finished = false};
    seen.clear();
    for (int piece = 0; !outcome.finished && piece < 3; ++piece) {
      Net net(1);
      std::atomic<bool> stop{false};
      train::FitOptions o = options();
      o.stop = &stop;
      int epoch = int(checkpoints.marked("LATEST").empty() ? 0 : piece ? stopped_epoch : 0);
      o.evaluate = [&] {
        if (piece == 0 && epoch == stopped_epoch) {
          stop = true;
          throw Stopped("in the middle of the scores");
        }
        return train::Scores{.clean = scores[epoch++], .pgd = {}};
      };
      train::CheckpointStore<> store(checkpoints);
      o.saving.store = &store;
      outcome = train::fit(net, set, train::Natural{}, *sgd(), o, [&](const train::Progress& p) {
        if (p.epoch_end) seen.push_back(p.scores.clean.value_or(-1));
      });
      CHECK(outcome.finished == (piece == 1 || stopped_epoch < 0));
    }
    CHECK(seen == std::vector<double>{0.5, 0.3, 0.9});
    CHECK(checkpoints.state(checkpoints.marked("LATEST")).value("scored", false));
    CHECK(checkpoints.state(checkpoints.marked("LATEST")).value("best_clean", 0.0) == 0.9);
    return checkpoints.marked("BEST-clean");
  };
  Folder folder;
  const std::string best = train_in_pieces(folder.path / "whole", -1);
  CHECK(best == "000012");
  for (const int epoch : {0, 1, 2})
    CHECK(train_in_pieces(folder.path / std::to_string(epoch), epoch) == best);
}

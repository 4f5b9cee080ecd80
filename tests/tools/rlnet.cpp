// rnx-rlnet as its users call it: a few rows from teachers to tables, gone on with after kills, and
// what it refuses.
#include "support.hpp"

#include <cstring>

#include <rnx/io/npy.hpp>

#include <vector>

using namespace tools_test;

namespace {

const std::string rlnet = RNX_RLNET;

struct Pipeline : Folder {
  std::string call_of(const std::string& verb, const std::vector<std::string>& rows,
                      const std::string& out = "rlnet") const {
    std::string command = rlnet + " " + verb + " --preset smoke --threads 1 --progress off --out " +
                          (path / out).string();
    for (const std::string& row : rows) command += " --only " + row;
    return command;
  }
  /// A run of rnx-train that takes a moment, into the folder "none".
  std::string learn() const {
    return train + " --dataset synthetic --n-train 16 --n-test 8 --epochs 1 --batch 8 " +
           "--model tiny_rlnet --progress off --eval-n 0 --eval-pgd-n 0 --final-pgd-n 0 --out " +
           (*this / "none") + " ";
  }
  fs::path run(const std::string& row) const { return path / "rlnet" / (row + "-s0"); }
  nlohmann::json json(const fs::path& file) const { return nlohmann::json::parse(read(file)); }
};

const std::vector<std::string> few{"tiny-ar", "tiny-pruned", "tiny-mask-3", "tiny-3"};

/// Accuracies that evaluations would say, and what the claims make of them.
void check_claims(const Pipeline& f) {
  fs::copy(f.run("tiny-3"), f.run("tiny-senet-3"), fs::copy_options::recursive);
  const auto claims_of = [&](double ours, double theirs) {
    for (const auto& [row, accuracy] : {std::pair{"tiny-3", ours}, {"tiny-senet-3", theirs}}) {
      auto eval = f.json(f.run(row) / "eval.json");
      eval["attacks"]["pgd20"]["own"]["acc"] = accuracy;
      std::ofstream(f.run(row) / "eval.json") << eval.dump();
    }
    REQUIRE(call(f, f.call_of("table", {})).code == 0);
    return read(f / "rlnet/report.md");
  };
  const std::string text = "- AdvA of RLNet less SENet's at 3k, points: ",
                    good = claims_of(.5, .25);
  CHECK_MESSAGE(good.find(text + "25.000, of one seed (at least 12: holds)\n") != good.npos, good);
  CHECK(good.find("- AdvA at 6k less at 3k, points: not measured\n") != good.npos);
  const std::string bad = claims_of(.5, .4);
  CHECK_MESSAGE(
      bad.find(text + "10.000, of one seed (at least 12: **does not hold**)\n") != bad.npos, bad);
  fs::remove_all(f.run("tiny-senet-3"));
}

}  // namespace

TEST_CASE(
    "rnx-rlnet: from a teacher to tables; what is finished stays; what does not fit is refused") {
  const Pipeline f;
  const Result r = call(f, f.call_of("all", few));
  REQUIRE_MESSAGE(r.code == 0, r.text);
  const auto eval = f.json(f.run("tiny-3") / "eval.json");
  CHECK(eval["relus"] == 300);
  CHECK(eval["corrupted"]["each"].size() == 15);
  CHECK(eval["corrupted"]["origin"] == "computed frost");
  CHECK(eval["attacks"]["pgd20"]["worse"]["right"] <= eval["attacks"]["pgd20"]["own"]["right"]);
  CHECK(eval["last_batch_norm"].size() == 2);
  const auto both = f.json(f.run("tiny-3") / "switch.json");
  CHECK(both["adaptive"]["right"] <= both["blind"]["right"]);
  CHECK(both["held_out"] == 16);
  CHECK(both["held_out_was_trained_on"] == false);
  CHECK(f.json(f.run("tiny-pruned") / "sensitivity.json")["sensitivities"].size() == 3);

  const std::string table = read(f / "rlnet/tables/table-1.md");
  CHECK(table.find("93.71") != table.npos);
  CHECK(table.find("tiny-3") != table.npos);
  CHECK(read(f / "rlnet/report.md").find("its numbers do not compare") != std::string::npos);
  for (const char* file : {"figures/figure-1.svg", "figures/figure-2.svg", "figures/figure-6.svg",
                           "tables/table-6.csv", "tables/switch.md"})
    CHECK_MESSAGE(fs::exists(f.path / "rlnet" / file), file);

  const auto written = fs::last_write_time(f.run("tiny-3") / "model.safetensors");
  REQUIRE(call(f, f.call_of("all", few)).code == 0);
  CHECK(fs::last_write_time(f.run("tiny-3") / "model.safetensors") == written);

  check_claims(f);

  // published files of too few images, and of other labels
  fs::copy(f.path / "rlnet/corrupted-cifar10", f.path / "official");
  fs::remove(f.run("tiny-3") / "eval.json");
  const std::string official = f.call_of("eval", {"tiny-3"}) + " --corruptions " + (f / "official");
  refused(call(f, official), 3, "expected 60 labels, those of the 12 test images five times");
  const std::vector<std::int32_t> nines(60, 9);
  rnx::io::write_npy(f / "official/labels.npy", {60}, nines.data());
  refused(call(f, official), 3, "is 9, that of the test image");
}

TEST_CASE("rnx-rlnet: SNL's slopes become masks of the budget; a third path for AugMix") {
  const Pipeline f;
  const Result r =
      call(f, f.call_of("all", {"tiny-natural", "tiny-snl-mask-3", "tiny-snl-3", "tiny-triple"}));
  REQUIRE_MESSAGE(r.code == 0, r.text);
  CHECK(f.json(f.run("tiny-triple") / "run.json")["options"]["augmented-path"] == 2);
  CHECK(f.json(f.run("tiny-triple") / "eval.json")["attacks"].contains("pgd20"));
  CHECK(f.json(f.run("tiny-snl-3") / "eval.json")["relus"] == 300);
  CHECK(f.json(f.run("tiny-snl-mask-3") / "run.json")["configuration"]["optimizer"] == "adam");
  const std::string learn = f.learn(),
                    teacher = " --objective snl --teacher " +
                              (f.run("tiny-natural") / "model.safetensors").string();
  refused(call(f, learn + teacher + " --model tiny_snl"), 2, "--budget: snl training needs");
  refused(call(f, learn + teacher + " --budget 300"), 2, "tiny_rlnet has not; resnet20_snl has");
  refused(call(f, learn + "--model tiny_snl"), 2, "tiny_snl has slopes, for --objective snl");
  refused(call(f, learn + teacher + " --model tiny_snl --budget 100000"), 2,
          "snl: expected a budget from 1 to the network's");
  refused(call(f, learn + "--optimizer rmsprop"), 2, "--optimizer: 'rmsprop' is unknown");
}

TEST_CASE(
    "rnx-rlnet: a search that is killed, epochs' ends among the moments, ends with its bits") {
  const Pipeline f;
  REQUIRE(call(f, f.call_of("teacher", {"tiny-ar"}, "whole")).code == 0);
  REQUIRE(call(f, f.call_of("sensitivity", {"tiny-pruned"}, "whole")).code == 0);
  fs::copy(f.path / "whole", f.path / "killed", fs::copy_options::recursive);
  const auto train_of = [&](const std::string& out) {  // the row, with a checkpoint at each step
    return train + " --config " + (f / "mask.json") + " --save-every-steps 1 --out " +
           (f / (out + "/mask"));
  };
  const std::string teacher = f / "whole/tiny-ar-s0/model.safetensors";
  std::ofstream(f / "mask.json") << nlohmann::json{{"model", "tiny_rlnet"},
                                                   {"dataset", "synthetic"},
                                                   {"n-train", 40},
                                                   {"n-test", 8},
                                                   {"objective", "rlnet-mask"},
                                                   {"teacher", teacher},
                                                   {"budget", 300},
                                                   {"epochs", 40},
                                                   {"batch", 8},
                                                   {"lr", 0.05},
                                                   {"attack-steps", 2},
                                                   {"eval-n", 0},
                                                   {"eval-pgd-n", 0},
                                                   {"final-pgd-n", 0},
                                                   {"threads", 1},
                                                   {"progress", "off"}};
  const Result whole = call(f, train_of("whole"));
  REQUIRE_MESSAGE(whole.code == 0, whole.text);
  for (int k = 1; k <= 20; ++k) signalled(train_of("killed"), SIGKILL, 25 * k);
  const Result rest = call(f, train_of("killed"));
  REQUIRE_MESSAGE(rest.code == 0, rest.text);
  CHECK(result_of(f.path / "whole/mask") == result_of(f.path / "killed/mask"));
}

TEST_CASE("rnx-rlnet and paper 000's stages in rnx-train: what cannot be") {
  const Pipeline f;
  REQUIRE(call(f, f.call_of("teacher", {"tiny-ar"})).code == 0);
  REQUIRE(call(f, train + tiny + " --out " + (f / "dnn")).code == 0);
  const std::string teacher = " --teacher " + (f.run("tiny-ar") / "model.safetensors").string();
  const std::string learn = f.learn();
  const std::string mask = learn + "--objective rlnet-mask" + teacher;
  refused(call(f, mask), 2, "--budget: rlnet-mask training needs");
  refused(call(f, mask + " --budget 100000"), 2, "expected a budget from 1 to the network's");
  refused(call(f, learn + "--budget 10"), 2, "--budget: it is for rlnet-mask and snl training");
  refused(call(f, learn + "--objective rlnet-mask --budget 10"), 2,
          "needs the weights of a teacher");
  refused(call(f, mask + " --budget 300 --model resnet20"), 2,
          "--model: rlnet-mask takes batch-norm path 1, resnet20 has 1");
  refused(call(f, learn + "--objective rlnet-mask --budget 300 --teacher " +
                      (f / "dnn/model.safetensors")),
          2, "dnn has one batch-norm path");
  refused(call(f, mask + " --budget 300 --shares " + (f / "no.json")), 3, "no.json");
  std::ofstream(f / "short.json") << R"({"sensitivities": [1]})";
  refused(call(f, mask + " --budget 300 --shares " + (f / "short.json")), 2,
          "expected a number for each of the 3 masked ReLUs, found 1");
  refused(call(f, mask + " --budget 300 --shares published"), 2, "no published list of tiny");
  refused(call(f, learn + "--density 1"), 2, "--density");
  refused(call(f, learn + "--objective rlnet-teacher --augmented-path 2"), 2,
          "--model: rlnet-teacher takes batch-norm path 2, tiny_rlnet has 2");
  refused(call(f, learn + "--objective rlnet-teacher --model dnn"), 2,
          "--model: rlnet-teacher takes batch-norm path 1, dnn has 1");
  refused(call(f, mask + " --budget 300 --kl-views clear"), 2, "--kl-views: 'clear' is unknown");
  refused(call(f, learn + "--init " + (f / "dnn/model.safetensors")), 3, "dnn");
  CHECK(!fs::exists(f / "none"));
  const Result dry = call(f, rlnet + " teacher --model tiny --dry-run");
  CHECK_MESSAGE(dry.code == 0, dry.text);
  CHECK(dry.text.find("ReLUs 1024\n") != std::string::npos);
  refused(call(f, rlnet + " all --preset smal"), 2, "smoke, small, small-ablation, paper");
  refused(call(f, rlnet + " all --preset small --out " + (f / "none")), 2, "--data");
  refused(call(f, f.call_of("corrupt", {"tiny-ar"}) + " --frost " + (f / "data")), 2,
          "holds no photographs");
  refused(call(f, rlnet), 2, "expected a verb");
}

TEST_CASE(
    "rnx-train: a mask of other values; another teacher, other masks of a run that is there") {
  const Pipeline f;
  REQUIRE(call(f, f.call_of("teacher", {"tiny-ar", "tiny-natural"})).code == 0);
  const std::string learn = f.learn();
  // a mask of other values than 0 and 1: the first one is 0.5
  std::string bytes = read(f.run("tiny-ar") / "model.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  const auto header = nlohmann::json::parse(bytes.substr(8, length));
  const float half = 0.5f;
  std::memcpy(
      bytes.data() + 8 + length + header["relu.mask"]["data_offsets"][0].get<std::uint64_t>(),
      &half, 4);
  std::ofstream(f / "half.safetensors", std::ios::binary) << bytes;
  refused(call(f, learn + "--init " + (f / "half.safetensors")), 3,
          "half.safetensors: relu.mask: expected a mask of zeros and ones");

  // a run goes on with its own teacher and masks alone
  const auto with = [&](const std::string& teacher_of, const std::string& init) {
    return learn + "--objective rlnet-finetune --out " + (f / "tuned") + " --teacher " +
           teacher_of + " --init " + init;
  };
  const std::string first = (f.run("tiny-ar") / "model.safetensors").string(),
                    other = (f.run("tiny-natural") / "model.safetensors").string();
  const Result tuned = call(f, with(first, first));
  REQUIRE_MESSAGE(tuned.code == 0, tuned.text);
  refused(call(f, with(other, first)), 2, "teacher was");
  refused(call(f, with(first, other)), 2, "init was");
}

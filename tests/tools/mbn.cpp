// rnx-mbn as its users call it: costs, a few rows from training to tables, gone on with, and what
// it refuses.
#include "support.hpp"

using namespace tools_test;

namespace {

const std::string mbn = RNX_MBN;

struct Pipeline : Folder {
  std::string call_of(const std::string& verb, const std::string& rows = "") const {
    return mbn + " " + verb + " --preset smoke --threads 1 --progress off --out " +
           (path / "mbn").string() + " " + rows;
  }
  fs::path run(const std::string& row) const { return path / "mbn" / (row + "-s0"); }
  nlohmann::json json(const fs::path& file) const { return nlohmann::json::parse(read(file)); }
};

/// A bit for each weight and base, and the logits and attacks of the floats.
void check_packed(const Pipeline& f) {
  const fs::path packed = f.run("3x3") / "packed.safetensors";
  CHECK(fs::file_size(packed) * 5 < fs::file_size(f.run("3x3") / "model.safetensors"));
  CHECK(!fs::exists(f.run("pact2") / "packed.safetensors"));
  const auto samples = [&](const std::string& what, const std::string& weights) {
    const std::string out = f / what;
    const Result of_eval =
        call(f, eval + " --dataset synthetic --n-ex 6 --eps " +
                    "8/255 --attack pgd:steps=3 --progress off --out " + out + " " + weights);
    CHECK_MESSAGE(of_eval.code == 0, of_eval.text);
    return read(out + "/per_sample.csv");
  };
  const std::string of_floats =
      samples("floats", "--label x --model resnet20_3x3 --weights " +
                            (f.run("3x3") / "model.safetensors").string());
  CHECK(samples("packed", "--label x --packed " + packed.string()) == of_floats);
  refused(call(f, eval + " --model resnet20 --packed " + packed.string()), 2,
          "leave out --weights and --model");
  refused(call(f, eval + " --packed " + (f.run("3x3") / "model.safetensors").string()), 3,
          "expected the file of a packed network");
}

/// At most half of the operations are left, of the weights that `from` trained.
void check_pruned(const Pipeline& f) {
  const double whole = f.json(f.run("fp") / "attacks.json")["bops"],
               left = f.json(f.run("pruned-channels") / "attacks.json")["bops"];
  CHECK(left <= whole / 2);
  CHECK(left > whole * 0.49);
  const auto tuned = f.json(f.run("pruned-channels") / "run.json");
  CHECK(64 * tuned["pruned"]["macs"].get<double>() == left);
  CHECK(tuned["macs"] == tuned["pruned"]["macs"]);
  CHECK(tuned["parameters"] < 269722 * 6 / 10);
  CHECK(f.json(f.run("fp") / "run.json")["parameters"] == 269722);
  refused(call(f, f.call_of("prune", "--only fast-pruned-weights")), 2,
          "it prunes the weights of row fast-fp, which is not trained");
  const std::string prune = train +
                            " --dataset synthetic --n-train 8 --n-test 4 --model resnet20 --out " +
                            (f / "tuned") + " --init " +
                            (f.run("fp") / "model.safetensors").string() + " --prune weights ";
  refused(call(f, prune + "--prune-ratios 1"), 2, "--prune-ratios");
  refused(call(f, prune + "--prune-ratios 0.1,0.2"), 2, "expected one ratio or 20, found 2");
  refused(call(f, prune + "--prune-macs 1e-6"), 2, "prune: expected a budget of");
  refused(call(f, prune + "--prune-macs 0.5 --prune-spare conv9"), 2,
          "no convolution or linear layer is called 'conv9'");
  refused(call(f, prune), 2, "expected --prune-ratios or --prune-macs, one of the two");
}

}  // namespace

TEST_CASE("rnx-mbn: the cost of a network, without images") {
  const Folder f;
  for (const auto& [bases, bops] : {std::pair{"3x1", "1.4868e+08"},
                                    {"int8_3x1", "1.4868e+08"},
                                    {"3x3", "3.8932e+08"},
                                    {"7x1", "3.0911e+08"},
                                    {"5x5", "1.0311e+09"},
                                    {"pact2", "1.8878e+08"},
                                    {"pact4x2", "3.4922e+08"},
                                    {"fp", "2.5953e+09"}}) {
    const Result r =
        call(f, mbn + " train --model resnet20 --dry-run --bases " + std::string(bases));
    CHECK(r.code == 0);
    CHECK_MESSAGE(r.text.find(std::string("BOPs    ") + bops) != r.text.npos, r.text);
  }
}

TEST_CASE("rnx-mbn: from training to tables; what is finished stays") {
  const Pipeline f;
  const std::string rows =
      "--only fp --only pact2 --only 3x3 --only pruned-channels --only fast-3x1 --only "
      "c100-pact2x4";
  const Result r = call(f, f.call_of("all", rows));
  REQUIRE_MESSAGE(r.code == 0, r.text);
  const auto attacks = f.json(f.run("3x3") / "attacks.json");
  CHECK(attacks["pgd"].size() == 2);
  CHECK(attacks["pgd"][0]["runs"].size() == 2);
  CHECK(attacks["bops"] == 64.0 * (442368 + 640) + 9.0 * 40108032);
  CHECK(attacks["eps"] == "2/255");
  CHECK(attacks["checks"].size() > 10);
  for (const auto& check : attacks["checks"])  // full precision is there to transfer from
    if (check["name"] == "transfer") CHECK(check["verdict"] != "not run");
  CHECK(f.json(f.run("fast-3x1") / "attacks.json")["eps"] == "8/255");
  CHECK(!fs::exists(f.run("fast-3x1") / "threat.json"));
  CHECK(f.json(f.run("pact2") / "threat.json")["sizes"].size() == 3);
  const auto flow = f.json(f.run("3x3") / "flow.json")["layers"];
  CHECK(flow.size() == 18);  // not the first convolution
  double partial = 0;
  for (const auto& layer : flow) {
    CHECK(layer["blocked"].get<double>() + layer["partial"].get<double>() +
              layer["passed"].get<double>() ==
          doctest::Approx(1));
    partial += layer["partial"].get<double>();
  }
  CHECK(partial > 0);  // three bases with shifts of their own
  const std::string table = read(f / "mbn/tables/table-2.md");
  CHECK(table.find("92.49") != table.npos);
  CHECK(table.find("pruned weights") != table.npos);
  CHECK(table.find("missing") != table.npos);  // rows that were left out
  CHECK(read(f / "mbn/tables/table-2-cifar100.md").find("PACT-2-4") != table.npos);
  CHECK(f.json(f.run("c100-pact2x4") / "attacks.json")["bops"] ==
        64.0 * (442368 + 640) + 8.0 * 40108032);
  CHECK(read(f / "mbn/tables/table-3.md").find("resnet56_3x1 \u2192 resnet20_3x1") != table.npos);
  CHECK(read(f / "mbn/report.md").find("## Checks\n\n") != table.npos);
  for (const char* file : {"report.md", "figures/figure-2.svg", "figures/figure-4.svg"})
    CHECK_MESSAGE(fs::exists(f.path / "mbn" / file), file);

  check_packed(f);
  const auto speed = f.json(f.run("3x3") / "speed.json");
  CHECK(speed["ratios"].size() == 2);
  CHECK(speed["least_ratio"] == std::min(speed["ratios"][0], speed["ratios"][1]));
  CHECK(speed["packed_bytes"] == fs::file_size(f.run("3x3") / "packed.safetensors"));
  CHECK(!fs::exists(f.run("fast-3x1") / "speed.json"));
  CHECK(read(f / "mbn/report.md").find("| packed | full precision | ratio |") != std::string::npos);
  check_pruned(f);

  const auto written = fs::last_write_time(f.run("3x3") / "model.safetensors");
  auto of_other_attacks = attacks;  // is measured again
  of_other_attacks["repeats"] = 9;
  of_other_attacks["pgd"][0]["mean"] = 0.5;
  std::ofstream(f.run("3x3") / "attacks.json") << of_other_attacks.dump();
  fs::remove(f.run("pact2") / "attacks.json");
  REQUIRE(call(f, f.call_of("all", rows)).code == 0);
  CHECK(fs::last_write_time(f.run("3x3") / "model.safetensors") == written);
  CHECK(f.json(f.run("3x3") / "attacks.json") == attacks);
}

TEST_CASE("rnx-mbn: bases between a first and a last layer of 8-bit integers") {
  const Pipeline f;
  const std::string row = "int8_1x1";
  const Result r = call(f, f.call_of("all", "--only " + row + " --bases " + row));
  REQUIRE_MESSAGE(r.code == 0, r.text);
  CHECK(f.json(f.run(row) / "run.json")["configuration"]["model"] == "resnet20_int8_1x1");
  CHECK(f.json(f.run(row) / "attacks.json").contains("pgd"));
  CHECK(!fs::exists(f.run(row) / "packed.safetensors"));
}

TEST_CASE("rnx-mbn: what it refuses") {
  const Folder f;
  const std::string cost = mbn + " train --model resnet20 --dry-run --bases ";
  refused(call(f, cost + "0x1"), 2,
          "expected 1 to 8 bases of weights and of activations, found 0x1");
  refused(call(f, cost + "3x9"), 2,
          "expected 1 to 8 bases of weights and of activations, found 3x9");
  refused(call(f, cost + "pruned-weights"), 2, "known of trained weights alone");
  refused(call(f, cost + "5y5"), 2, "expected bases as 3x1 or int8_3x1, bits as pact4 or dorefa2");
  refused(call(f, cost + "pact1"), 2, "expected 2 to 16 bits, found pact1");
  refused(call(f, cost + "pact2x1"), 2, "expected 2 to 16 bits, found pact2x1");
  refused(call(f, mbn + " train --model resnet19 --dry-run"), 2, "model 'resnet19' is unknown");
  refused(call(f, mbn + " all --preset smok"), 2, "smoke, small, paper");
  refused(call(f, mbn + " all --preset smoke --only 3x"), 2, "--only");
  refused(call(f, mbn + " all --preset small --out " + (f / "none")), 2, "--data");
  const Result other =
      call(f, mbn + " train --preset paper --data x --only imagenet-3x1 --out " + (f / "none"));
  CHECK(other.code == 0);
  CHECK_MESSAGE(other.text.find("imagenet-3x1: left out, no folder of imagenet") != other.text.npos,
                other.text);
  refused(call(f, mbn), 2, "expected a verb");
}

// Evaluations that are stopped, cut into shards, compared and checked.
#include "support.hpp"

#include <chrono>
#include <random>

using namespace tools_test;

namespace {

using Json = nlohmann::json;

/// A small trained network, the same for all tests, and evaluations of it.
struct Evaluated : Folder {
  Evaluated() {
    static const TrainedTiny trained;
    fs::copy(trained.weights(), weights());
  }
  std::string weights() const { return *this / "tiny.safetensors"; }
  /// Of the first n images, into a folder.
  std::string command(const std::string& out, int n, const std::string& more) const {
    return eval + " --dataset synthetic --model dnn --n-ex " + std::to_string(n) + " --weights " +
           weights() + " --out " + (*this / out) + " " + more;
  }
  std::string csv(const std::string& out) const { return read(path / out / "per_sample.csv"); }
  Json report(const std::string& out) const {
    return Json::parse(read(path / out / "report.json"));
  }
};

}  // namespace

TEST_CASE("rnx-eval: several radii are one falling curve; images on the lattice, saved, audited") {
  const Evaluated f;
  const std::string attack = "--attack clean pgd:steps=3 --seed 2 ";
  const Result r = call(f, f.command("all", 12,
                                     attack +
                                         "--eps 16/255 2/255 6/255 --lattice "
                                         "project --save-adversarials " +
                                         (f / "images.npy")));
  REQUIRE_MESSAGE(r.code == 0, r.text);
  const Json model = f.report("all").at("models")[0];
  REQUIRE(model.at("attacks").size() == 4);  // clean once
  const Json& curve = model.at("curve");
  REQUIRE(curve.size() == 3);
  CHECK(curve[0].at("eps") == "2/255");
  for (int k = 1; k < 3; ++k) CHECK(curve[k].at("right") <= curve[k - 1].at("right"));
  const Json& audit = model.at("attacks")[3].at("audit");
  CHECK(audit.at("on_lattice") == audit.at("images"));
  CHECK(audit.at("linf") <= 16.0001 / 255);
  CHECK(audit.at("not_finite") == 0);
  const std::string npy = read(f / "images.npy");
  CHECK(npy.find("'<f4'") != std::string::npos);
  CHECK(npy.find("'shape': (12, 3, 32, 32)") != std::string::npos);
  CHECK(npy.size() == 128 + 4 * 12 * 3072);
  CHECK(f.report("all").at("units").at("seconds") == "seconds of wall time");
  CHECK(!fs::exists(f / "all/state"));
  // one of the radii alone has the row that it has among others
  REQUIRE(call(f, f.command("one", 12, attack + "--eps 6/255 --lattice project")).code == 0);
  const Json one = f.report("one").at("models")[0].at("attacks")[1];
  CHECK(one.at("right") == model.at("attacks")[2].at("right"));
  CHECK(one.at("audit") == model.at("attacks")[2].at("audit"));
}

TEST_CASE("rnx-eval: kill -9 at ten moments of aa-standard, and the same per_sample.csv") {
  const Evaluated f;
  const std::string attack = "--attack aa-standard pgd:steps=5 --batch 2";
  const auto begin = std::chrono::steady_clock::now();
  const Result whole = call(f, f.command("whole", 6, attack));
  REQUIRE_MESSAGE(whole.code == 0, whole.text);
  CHECK(whole.text.find("after apgd-t ") != std::string::npos);
  const int duration = int(std::chrono::duration_cast<std::chrono::milliseconds>(
                               std::chrono::steady_clock::now() - begin)
                               .count());
  std::mt19937 random(10);
  int killed = 0;
  for (int k = 0; k < 10; ++k) {
    const int status = signalled(f.command("killed", 6, attack), SIGKILL,
                                 duration / 20 + int(random() % (duration / 10 + 1)));
    killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }
  CHECK(killed >= 5);
  const Result r = call(f, f.command("killed", 6, attack));
  REQUIRE_MESSAGE(r.code == 0, r.text);
  CHECK(f.csv("killed") == f.csv("whole"));
  CHECK(!fs::exists(f / "killed/state"));
  Json a = f.report("whole").at("models")[0].at("attacks"),
       b = f.report("killed").at("models")[0].at("attacks");
  for (Json* rows : {&a, &b})
    for (Json& row : *rows) row.erase("seconds");
  CHECK(a == b);
  REQUIRE(a[0].at("members").size() == 4);
  CHECK(a[0].at("members")[3].at("right") == a[0].at("right"));
}

TEST_CASE("rnx-eval: --loss of the attacks that climb one") {
  const Evaluated f;
  const Result r = call(f, f.command("losses", 6,
                                     "--loss dlr --attack pgd:steps=3,start=none "
                                     "pgd:steps=3,start=none,loss=margin "
                                     "cw:steps=3,start=none pgd:steps=3,loss=kl"));
  REQUIRE_MESSAGE(r.code == 0, r.text);
  const Json rows = f.report("losses").at("models")[0].at("attacks");
  const auto name = [&](int k) { return rows[k].at("name").get<std::string>(); };
  CHECK(name(0).ends_with("start=none,loss=dlr"));
  CHECK(name(2).starts_with("cw:"));
  CHECK(name(3).ends_with("start=random,loss=kl"));
  CHECK(rows[1].at("audit") == rows[2].at("audit"));  // cw climbs the margin
  CHECK(rows[0].at("forwards_per_sample") == 4);
  CHECK(rows[3].at("forwards_per_sample") == 5);  // and the clean prediction
}

TEST_CASE("rnx-eval: four shards of other batch sizes, merged, are byte-equal to one run") {
  const Evaluated f;
  const std::string attack = "--attack pgd:steps=4,restarts=2 square:queries=20 --seed 3 ";
  REQUIRE(call(f, f.command("whole", 13, attack + "--batch 5")).code == 0);
  std::string shards;
  for (int k = 1; k <= 4; ++k) {
    const std::string name = "shard" + std::to_string(k);
    const Result r = call(f, f.command(name, 13,
                                       attack + "--batch " + std::to_string(k) + " --shard " +
                                           std::to_string(k) + "/4"));
    REQUIRE_MESSAGE(r.code == 0, r.text);
    if (k < 4) shards += " " + (f / name);
  }
  refused(call(f, eval + " merge" + shards + " --out " + (f / "merged")), 2,
          "samples from 9 on are in none of the shards");
  CHECK(!fs::exists(f / "merged"));
  shards += " " + (f / "shard4");
  const Result r = call(f, eval + " merge" + shards + " --out " + (f / "merged"));
  REQUIRE_MESSAGE(r.code == 0, r.text);
  CHECK(f.csv("merged") == f.csv("whole"));
  const Json a = f.report("whole"), b = f.report("merged");
  CHECK(a.at("robust_acc") == b.at("robust_acc"));
  CHECK(a.at("n") == b.at("n"));
  CHECK(a.at("models")[0].at("examples") == b.at("models")[0].at("examples"));
  CHECK(a.at("models")[0].at("attacks")[1].at("audit") ==
        b.at("models")[0].at("attacks")[1].at("audit"));
  REQUIRE(call(f, f.command("other", 13, "--attack pgd:steps=5 --shard 4/4")).code == 0);
  refused(call(f, eval + " merge " + (f / "shard1") + " " + (f / "other") + " --out " + (f / "m")),
          2, "are shards of different evaluations");
  REQUIRE(
      call(f, f.command("shifted", 13, attack + "--shard 4/4 --mean 0.4,0.4,0.4 --std 0.2,0.2,0.2"))
          .code == 0);
  refused(
      call(f, eval + " merge " + (f / "shard1") + " " + (f / "shifted") + " --out " + (f / "m")), 2,
      "are shards of different evaluations: mean");
  refused(call(f, eval + " merge " + (f / "whole") + " --out " + (f / "m")), 2,
          "holds no state of an evaluation");

  // compare: the whole with itself, and what does not match
  const std::string versus = eval + " compare " + (f / "whole") + " ";
  const Result same = call(f, versus + (f / "merged") + " --format json");
  REQUIRE_MESSAGE(same.code == 0, same.text);
  CHECK(Json::parse(same.text).at("robust").at("mid_p") == 1);
  CHECK(call(f, versus + (f / "merged")).text.find("McNemar exact p = 1") != std::string::npos);
  refused(call(f, versus + (f / "shard1")), 2, "the reports have other numbers of images");
  refused(call(f, versus), 2, "expected the folders of two reports");
  refused(call(f, versus + (f / "nowhere")), 3, "nowhere");
}

TEST_CASE("rnx-eval: a state of another evaluation is refused; --resume never begins anew") {
  const Evaluated f;
  REQUIRE(call(f, f.command("run2", 8, "--attack pgd:steps=2 --shard 1/2")).code == 0);
  const Result other = call(f, train + tiny + " --seed 5 --out " + (f / "other"));
  REQUIRE_MESSAGE(other.code == 0, other.text);
  const std::string changed = f / "other/model.safetensors", surrogate = f / "surrogate";
  const auto replace = fs::copy_options::overwrite_existing;
  fs::copy(f.weights(), surrogate);
  const std::string transfer =
      f.command("run3", 8, "--shard 1/2 --attack transfer:steps=2,weights=" + surrogate);
  REQUIRE(call(f, transfer).code == 0);
  fs::copy(changed, surrogate, replace);
  refused(call(f, transfer), 2, "holds the state of another evaluation: attacks");
  fs::copy(changed, f.weights(), replace);
  const std::string again = f.command("run2", 8, "--attack pgd:steps=2 --shard 1/2");
  refused(call(f, again), 2, "holds the state of another evaluation: weights");
  const Result anew = call(f, again + " --resume never");
  CHECK_MESSAGE(anew.code == 0, anew.text);
}

TEST_CASE("rnx-eval: checks, RobustBench's files, a sweep of threats") {
  const Evaluated f;
  const Result r = call(f, f.command("checked", 20,
                                     "--attack pgd:steps=2 --eps 2/255 --checks "
                                     "randomness,batch-size eps-zero "
                                     "--strict-checks --robustbench Tiny2026"));
  REQUIRE_MESSAGE(r.code == 0, r.text);
  const Json checks = f.report("checked").at("models")[0].at("checks");
  REQUIRE(checks.size() == 3);
  for (const Json& check : checks) CHECK(check.at("verdict") == "passed");
  const Json info = Json::parse(read(f / "checked/Tiny2026.json"));
  for (const char* key : {"link", "name", "authors", "dataset", "venue", "architecture", "eps",
                          "clean_acc", "reported"})
    CHECK(info.at(key).is_string());
  CHECK(info.at("number_forward_passes") == 1);
  CHECK(info.at("additional_data") == false);
  CHECK(std::stod(info.at("clean_acc").get<std::string>()) ==
        doctest::Approx(100 * f.report("checked").at("clean_acc").get<double>()));
  CHECK(read(f / "checked/Tiny2026.py").find("load_state_dict") != std::string::npos);
  const Result same = call(f, f.command("surrogate", 20,
                                        "--attack clean --eps 2/255 --strict-checks "
                                        "--checks another-surrogate --surrogate dnn"));
  REQUIRE_MESSAGE(same.code == 0, same.text);
  CHECK(f.report("surrogate").at("models")[0].at("checks")[0].at("verdict") == "passed");
  // of the sweep's grid the attacks alone: all of them take long
  const Process threats(f, f.command("threats", 1, "--threat-sweep --eps 2/255"));
  threats.wait_for(f / "threats/state/state.json");
  ::kill(threats.id, SIGKILL);
  threats.wait();
  const Json attacks =
      Json::parse(read(f / "threats/state/state.json")).at("identity").at("attacks");
  CHECK(attacks.size() == 24);
  CHECK(attacks[0].at("name") == "pgd:steps=10,step=0.1/255,restarts=1,start=random");
}

TEST_CASE("rnx-eval: what cannot be evaluated gets one sentence, before work") {
  const Evaluated f;
  const auto no = [&](const std::string& more, const std::string& sentence) {
    refused(call(f, f.command("no", 4, more)), 2, sentence);
    CHECK(!fs::exists(f / "no/report.json"));
  };
  no("--attack apgd-t:targets=10", "needs at least 11 classes, the model has 10");
  no("--attack fab-t:targets=99", "needs at least 100 classes, the model has 10");
  no("--checks black-bix", "did you mean black-box?");
  no("--checks all none", "all and none stand alone");
  no("--surrogate dnn", "which is not among --checks");
  no("--strict-checks", "--checks all asks for them");
  no("--bn-path 1", "there is no path 1");
  no("--bn-path 0:x", "expected A or A:P");
  no("--lattice grid", "known are off, report, project");
  no("--eps 2/255 4/510", "are the same radius");
  no("--eps 2/255 1.5", "eps in Linf must be at most 1");
  no("--norm l2 --eps -1", "eps must not be negative");
  no("--resume maybe", "known are auto, never");
  no("--shard 3/2", "expected I/N with I from 1 to N");
  no("--shard 1/5", "gets none of the 4 images");
  no("--attack clean --save-adversarials " + (f / "x.npy"), "there is no attack");
  no("--robustbench a/b", "expected the name of a model");
}

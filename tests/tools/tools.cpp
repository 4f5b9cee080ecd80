// rnx-train, rnx-eval and rnx-convert as their users call them, on a data set of a few images in
// CIFAR-10's binary format: what they write, and bad input, which gets one sentence and loses
// nothing.
#include "support.hpp"

using namespace tools_test;

namespace {

/// A data set, and the options of a run that takes seconds.
struct DataSet : Folder {
  const std::string data = " --data " + (*this / "data");
  const std::string small =
      " --epochs 1 --batch 12 --eval-n 8 --eval-pgd-n 4 --final-pgd-n 5 --seed 3 --progress plain";
  DataSet() {
    write_records(*this / "data/data_batch_1.bin", 24);
    write_records(*this / "data/test_batch.bin", 20);
  }
};

/// A finished run of rnx-train in the folder run.
struct Trained : DataSet {
  const std::string weights = *this / "run/model.safetensors";
  Trained() {
    const Result trained = call(
        *this, train + data + small + " --objective pgd --attack-steps 1 --out " + (*this / "run"));
    REQUIRE_MESSAGE(trained.code == 0, trained.text);
    REQUIRE(fs::exists(weights));
  }
  /// The command of an rnx-eval of two samples into the folder eval2.
  std::string evaluation() const {
    return eval + data + " --n-ex 2 --out " + (*this / "eval2") + " --weights " + weights;
  }
};

}  // namespace

TEST_CASE("rnx-train: the files of a run") {
  const Trained f;
  for (const char* file :
       {"run.json", "log.jsonl", "metrics.csv", "ckpt/LATEST", "ckpt/BEST-clean", "ckpt/BEST-pgd",
        "ckpt/000002/state.json", "eval/final/report.json", "eval/final/report.html",
        "eval/final/report.md", "eval/final/per_sample.csv"})
    CHECK_MESSAGE(fs::exists(f.path / "run" / file), file);
  const auto run = nlohmann::json::parse(read(f / "run/run.json"));
  CHECK(run.at("configuration").at("objective") == "pgd");
  CHECK(run.at("configuration").at("fingerprint").get<std::string>().size() >= 16);
  CHECK(run.at("starts").size() == 1);
  CHECK(nlohmann::json::parse(
            read(f / "run/log.jsonl").substr(0, read(f / "run/log.jsonl").find('\n')))
            .contains("loader_wait_s"));
}

TEST_CASE("rnx-train: every objective trains") {
  const DataSet f;
  for (const char* objective :
       {"natural", "fgsm-rs", "free", "trades", "pgd --norm l2 --eps 0.5 --attack-step 0.1"}) {
    const Result r = call(f, train + f.data + f.small + " --objective " + objective +
                                 " --attack-steps 1 --replays 2 --no-augment --out " +
                                 (f / std::string("run_") + std::string(objective).substr(0, 4)));
    CHECK_MESSAGE(r.code == 0, r.text);
  }
}

TEST_CASE("rnx-train: a teacher's objectives, and what does not fit") {
  const Trained f;
  const std::string learn = train + f.data + f.small + " --attack-steps 1 --objective ";
  for (const std::string objective : {"kd", "ard", "rslad", "rrm"}) {
    const Result r = call(
        f, learn + objective + " --teacher " + f.weights + " --out " + (f / ("run_" + objective)));
    CHECK_MESSAGE(r.code == 0, r.text);
    const auto run = nlohmann::json::parse(read(f / ("run_" + objective + "/run.json")));
    CHECK(run.at("configuration").at("teacher").at("model") == "resnet20");
    CHECK(read(f / ("run_" + objective + "/log.jsonl")).find("\"values\":{") != std::string::npos);
  }
  refused(call(f, learn + "rslad --out " + (f / "none")), 2, "needs the weights of a teacher");
  refused(call(f, learn + "pgd --teacher " + f.weights + " --out " + (f / "none")), 2,
          "pgd training takes none");
  refused(call(f, learn + "kd --teacher " + (f / "data") + " --out " + (f / "none")), 3, "data");
  refused(
      call(f, learn + "kd --label-smoothing 0.1 --teacher " + f.weights + " --out " + (f / "none")),
      2, "--label-smoothing");
  CHECK(!fs::exists(f / "none"));
}

TEST_CASE("rnx-eval: report.json, per_sample.csv, logits; several weights and attacks") {
  const Trained f;
  const Result r = call(
      f, eval + f.data + " --weights " + f.weights +
             " --n-ex 10 --attack pgd:steps=2,step=2/255,restarts=2,start=random --save-logits " +
             (f / "logits.npy") + " --out " + (f / "eval"));
  REQUIRE_MESSAGE(r.code == 0, r.text);
  const auto report = nlohmann::json::parse(read(f / "eval/report.json"));
  CHECK(report.at("n") == 10);
  CHECK(nlohmann::json::parse(read(f / "eval/run.json"))
            .at("attacks")[0]
            .get<std::string>()
            .starts_with("pgd:steps=2"));
  refused(call(f, eval + f.data + " --weights " + f.weights + " --n-ex 2 --attack clean --out " +
                      (f / "run")),
          2, "holds a run of another program");
  CHECK(report.at("robust_acc") <= report.at("clean_acc"));
  std::ifstream csv(f / "eval/per_sample.csv");
  std::string line;
  std::getline(csv, line);
  CHECK(line == "index,label,clean_pred,attacked_pred,robust");
  int rows = 0;
  while (std::getline(csv, line)) ++rows;
  CHECK(rows == 10);
  const std::string logits = read(f / "logits.npy");
  CHECK(logits.find("'shape': (10, 10)") != std::string::npos);
  CHECK(logits.size() >= 400);
  const Result both =
      call(f, eval + f.data + " --weights " + f.weights + " " + f.weights +
                  " --label one two --n-ex 5 --attack fgsm pgd:steps=1,start=none --out " +
                  (f / "both"));
  REQUIRE_MESSAGE(both.code == 0, both.text);
  const auto two = nlohmann::json::parse(read(f / "both/report.json"));
  CHECK(two.at("models").size() == 2);
  CHECK(two.at("models")[0].at("attacks").size() == 2);
}

TEST_CASE("rnx-convert: npy and back, summary, verify") {
  const Trained f;
  CHECK(call(f, convert + " to-npy " + f.weights + " " + (f / "arrays")).code == 0);
  CHECK(fs::exists(f / "arrays/layer1.0.conv1.weight.npy"));
  CHECK(call(f, convert + " from-npy " + (f / "arrays") + " " + (f / "again.safetensors")).code ==
        0);
  const Result verified = call(f, convert + " verify " + (f / "again.safetensors"));
  CHECK_MESSAGE(verified.code == 0, verified.text);
  CHECK(verified.text.find("269722 parameters") != std::string::npos);
  CHECK(call(f, convert + " verify " + f.weights).text.find("self-test: passed") !=
        std::string::npos);
  CHECK(call(f, convert + " summary " + f.weights).text.find("layer3.2.bn2.running_var") !=
        std::string::npos);
  refused(call(f, convert + " summry " + f.weights), 2, "did you mean summary?");
  refused(call(f, convert + " from-npy " + (f / "nowhere") + " " + (f / "x.safetensors")), 3,
          "nowhere");
  refused(call(f, convert + " summary " + (f / "run/run.json")), 3, "run.json");
  refused(call(f, convert + " summary " + f.weights + " more"), 2, "one argument too many");
  refused(call(f, convert + " --modle x"), 2, "did you mean --model?");
}

TEST_CASE("rnx-eval: a wrong option gets one sentence") {
  const Trained f;
  const std::string with = f.evaluation();
  refused(call(f, with + " --eps -1/255"), 2, "eps must not be negative");
  refused(call(f, with + " --eps 2"), 2, "eps in Linf must be at most 1");
  refused(call(f, with + " --eps 8/zero"), 2, "is not a number or a fraction");
  refused(call(f, with + " --attack pgd:stepz=3"), 2, "'stepz=3' is not understood");
  refused(call(f, with + " --attack fly"), 2, "known are clean, fgsm, pgd");
  refused(call(f, with + " --norm l7"), 2, "known are linf, l2");
  refused(call(f, with + " --model resnet21"), 2, "did you mean resnet20?");
  refused(call(f, with + " --bacth 3"), 2, "the option --bacth is unknown; did you mean --batch?");
  refused(call(f, with + " --set bacth=3"), 2, "did you mean --batch?");
  refused(call(f, with + " --batch many"), 2, "many");
  refused(call(f, with + " --device cuda"), 2, "built for cpu");
  refused(call(f, eval + " stray" + with.substr(eval.size())), 2, "unexpected argument 'stray'");
  refused(call(f, eval + " --wieghts x"), 2, "did you mean --weights?");
  refused(call(f, eval + f.data), 2, "--weights");
  refused(call(f, with + " --save-logits " + (f / "data/test_batch.bin/x.npy")), 3,
          "--save-logits");
  const Result l2 = call(f, with + " --norm l2 --eps 0.5");
  CHECK_MESSAGE(l2.text.find("pgd:steps=20,step=0.1,restarts=1,start=random") != std::string::npos,
                l2.text);
}

TEST_CASE("rnx-train: a wrong option gets one sentence and makes no folder") {
  const DataSet f;
  refused(call(f, train + f.data + " --objective natrual"), 2, "did you mean natural?");
  refused(call(f, train + " --dataset cifar11"), 2, "did you mean cifar10?");
  refused(call(f, train + " --dataset cifar10"), 2, "--data");
  refused(call(f, train + " --preset smok"), 2, "did you mean smoke?");
  refused(call(f, train + f.data + " --epochs 0"), 2, "--epochs");
  refused(call(f, train + f.data + " --set preset=smoke"), 2, "--set");
  refused(call(f, train + f.data + " --seed -1"), 2, "--seed");
  refused(call(f, train + f.data + " --weight-decay -1 --out " + (f / "poisoned")), 2, "decay");
  refused(call(f, train + f.data + " --objective trades --beta -1 --out " + (f / "poisoned")), 2,
          "--beta");
  CHECK(!fs::exists(f / "poisoned"));
  refused(call(f, train + f.data + " --out " + (f / std::string(300, 'x'))), 3, "--out");
  CHECK(call(f, train + " --bogus 2> /dev/full").code == 2);
  CHECK(call(f, train + " --help").text.find("--preset") != std::string::npos);
  const Result dry = call(f, train + f.data + " --dry-run --out " + (f / "dry"));
  CHECK(dry.text.find("layer3.2.conv2") != std::string::npos);
  CHECK(dry.text.find("40551040") != std::string::npos);
  CHECK(!fs::exists(f / "dry"));
  refused(call(f, train + f.data + " --out " + (f / "data/data_batch_1.bin")), 3, "cannot be made");
  if (::getuid() != 0) {  // root may write anywhere
    fs::create_directories(f / "closed");
    fs::permissions(f / "closed", fs::perms::owner_read | fs::perms::owner_exec);
    refused(call(f, train + f.data + " --out " + (f / "closed")), 3, "cannot be written");
  }
}

TEST_CASE("rnx-train: a run directory keeps its run") {
  const Trained f;
  const std::string again =
      train + f.data + f.small + " --objective pgd --attack-steps 1 --out " + (f / "run");
  const std::string before = read(f.weights);
  refused(call(f, again + " --lr 0.1"), 2, "lr was 0.2 and is 0.1");
  refused(call(f, again + " --resume never"), 2, "holds a run");
  CHECK(call(f, again).code == 0);  // finished: evaluated again
  CHECK(read(f.weights) == before);
  refused(call(f, train + f.data + f.small + " --objective pgd --attack-steps 1 --resume " +
                      (f / "nowhere") + " --out " + (f / "other")),
          3, "holds no checkpoint");
  const Result copied =
      call(f, train + f.data + f.small + " --objective pgd --attack-steps 1 --resume " +
                  (f / "run") + " --out " + (f / "copy"));
  CHECK_MESSAGE(copied.code == 0, copied.text);
  CHECK(read(f / "copy/model.safetensors") == before);
  refused(call(f, again + " --resume " + (f / "run/ckpt/000002")), 2, "choose another folder");
  const Result slash =
      call(f, train + f.data + f.small + " --objective pgd --attack-steps 1 --resume " +
                  (f / "run/ckpt/000002/") + " --out " + (f / "slash"));
  CHECK_MESSAGE(slash.code == 0, slash.text);
  CHECK(read(f / "slash/model.safetensors") == before);
  fs::remove(f / "run/run.json");
  refused(call(f, again + " --lr 0.1"), 2,
          "checkpoints of another configuration: lr was 0.2 and is 0.1");
  CHECK(call(f, again).code == 0);  // and nothing was spoilt
  for (const char* text : {"{}", "[]", "{\"configuration\": {}, \"starts\": []}"}) {
    std::ofstream(f / "run/run.json") << text;
    refused(call(f, again), 3, "run.json");
  }
}

TEST_CASE("rnx-eval and rnx-train: a missing or damaged file gets one sentence") {
  const Trained f;
  const std::string with = f.evaluation();
  refused(call(f, eval + f.data + " --weights " + (f / "absent.safetensors")), 3,
          "absent.safetensors");
  refused(call(f, eval + " --data " + (f / "nowhere") + " --weights " + f.weights), 3, "nowhere");
  refused(call(f, train + " --data " + (f / "nowhere")), 3, "nowhere");
  write_records(f / "data/test_batch.bin", 20, 10);
  refused(call(f, eval + f.data + " --n-ex 0 --out " + (f / "eval2") + " --weights " + f.weights),
          3, "label");
  write_records(f / "data/test_batch.bin", 20, -1, 7);
  refused(call(f, with), 3, "3073");
  fs::remove(f / "data/test_batch.bin");
  refused(call(f, with), 3, "test_batch.bin");
  std::ofstream(f / "data/test_batch.bin");
  refused(call(f, with), 3, "test_batch.bin");
  fs::resize_file(f.weights, fs::file_size(f.weights) / 2);
  write_records(f / "data/test_batch.bin", 20);
  refused(call(f, with), 3, "model.safetensors");
  CHECK(!fs::exists(f / "eval2/report.json"));
}
